"""A proposal says what it takes and what it leaves out, and a trial says what a pipeline rejects and what mends it."""

import json

import pytest
from builders import a_column, a_pipeline, dynamodb_json

from ddb2aurora.errors import Reason
from ddb2aurora.pipeline_file import PipelineFileError, read_pipeline_file
from operator_cli.planning.checking import Trial
from operator_cli.planning.places import Room
from operator_cli.planning.profile import Profile
from operator_cli.planning.proposing import MOST_COLUMNS, Naming, name_for, propose
from operator_cli.planning.rendering import render, render_schema
from operator_cli.planning.schemas import schema_of
from operator_cli.planning.suggesting import suggestions
from operator_cli.planning.widths import width_of
from operator_cli.planning.writing import FileThereError, UnwritableError, compiled, write

NAMING = Naming(pipeline="things", database="demo", target_table="Things")


def a_profile(*items):
    profile = Profile("things", {"id": "S"})
    profile.add([dynamodb_json(item) for item in items])
    return profile


def proposed(*items, tolerate=0.0):
    return propose(a_profile(*items), naming=NAMING, tolerate=tolerate)


def columns_of(proposal):
    return {column.name: (column.type.sql, column.source) for column in proposal.columns}


def test_maps_become_columns_and_lists_become_json():
    proposal = proposed({"id": "a", "device": {"OS": {"name": "x"}, "seen": [1]}, "n": None})

    assert columns_of(proposal) == {
        "id": ("varchar(64)", "id"),
        "device_os_name": ("varchar(64)", "device.OS.name"),
        "device_seen": ("json", "device.seen"),
    }
    assert proposal.left_out == (("n", "only NULL was seen"),)


def test_a_map_that_is_sometimes_something_else_is_one_column():
    assert columns_of(proposed({"id": "a", "m": {"x": 1}}, {"id": "b", "m": "s"})) == {
        "id": ("varchar(64)", "id"),
        "m": ("json", "m"),
    }


def test_a_map_whose_keys_are_data_is_one_column():
    item = {"id": "a", "by_user": {f"user-{number}": number for number in range(201)}}

    assert columns_of(proposed(item)) == {"id": ("varchar(64)", "id"), "by_user": ("json", "by_user")}


def test_a_document_is_opened_only_where_every_item_has_one():
    items = [{"id": "a", "doc": '{"n": 1}'}, {"id": "b", "doc": "no"}]

    assert columns_of(proposed(items[0])) == {"id": ("varchar(64)", "id"), "doc_n": ("bigint", "doc.n")}
    assert columns_of(proposed(*items)) == {"id": ("varchar(64)", "id"), "doc": ("varchar(64)", "doc")}
    assert columns_of(proposed(*items, tolerate=0.5)) == columns_of(proposed(items[0]))


def test_what_is_not_opened_or_will_be_rejected_is_said():
    items = [{"id": str(number), "doc": '{"n": 1}' if number else "no"} for number in range(3)]
    opened = [{"id": str(number), **({"doc": '{"n": 1}'} if number else {})} for number in range(4)]

    assert proposed(*items).notes == (
        (
            "'doc' holds JSON objects in 2 of 3 items. A pipeline that opened them would reject the other 1; "
            "--tolerate 0.3334 allows that."
        ),
    )
    assert proposed(*opened, tolerate=0.25).notes == (
        "1 of 4 items have no JSON object in 'doc': this pipeline rejects them, as --tolerate allowed.",
    )


def test_on_misfit_is_never_chosen():
    assert "on_misfit:" not in render(proposed({"id": "a", "n": 1, "s": "x"}, {"id": "b", "n": "x", "s": b"x"}))


def test_what_no_type_keeps_is_left_out_by_name_and_kept_in_the_whole_item():
    proposal = proposed({"id": "a", "n": 10**37 + 1}, {"id": "b", "n": b"x"})

    assert columns_of(proposal) == {"id": ("varchar(64)", "id"), "item": ("text", "$item")}
    assert (
        "# - 'n': numbers and binary in one place: no type of MySQL keeps all of them exactly; it is in item"
        in render(proposal)
    )


def test_a_table_of_very_many_attributes_has_as_many_columns_as_a_row_of_innodb_holds():
    item = {"id": "k" * 256, **{f"a{number:03}": "x" * (number * 5) for number in range(300)}}

    proposal = proposed(item)
    pipeline = compiled({"things.yaml": render(proposal)}, name="things")

    width = width_of(pipeline)
    assert len(pipeline.columns) == MOST_COLUMNS + 1
    assert proposal.item_column is not None
    assert width.row_bytes <= width.row_limit
    assert width.page_bytes <= width.page_limit
    assert len(proposal.left_out) == 300 - (MOST_COLUMNS - 1)


def test_the_schema_says_what_was_in_all_documents_and_guesses_nothing():
    documents = [
        {"n": 1, "x": 1.5, "m": {"a": "s"}, "l": [{"k": True}, {"k": None, "o": 1}], "mixed": "s", "none": None},
        {"n": 2, "x": 3, "m": {"a": "t", "b": 1}, "l": [], "mixed": [1], "none": None},
    ]
    profile = a_profile(*({"id": "a", "doc": json.dumps(document)} for document in documents))

    schema = schema_of(profile.root.children["doc"].document, title="T")

    assert schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "T",
        "type": "object",
        "required": ["l", "m", "mixed", "n", "none", "x"],
        "properties": {
            "l": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["k"],
                    "properties": {"k": {"type": ["boolean", "null"]}, "o": {"type": "integer"}},
                },
            },
            "m": {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
            },
            "mixed": {"type": ["array", "string"]},
            "n": {"type": "integer"},
            "none": {"type": "null"},
            "x": {"type": "number"},
        },
    }


def test_kinds_of_items_share_columns_only_of_attributes_that_there_was_room_for():
    profile = Profile("things", {"id": "S"}, room=Room(places=1))
    items = [{"id": "USER#1", "a": 1, "b": 1, "u": 1}, {"id": "ORDER#1", "a": 1, "b": 1, "o": 1}]
    profile.add([dynamodb_json(item) for item in items])

    proposal = propose(profile, naming=NAMING)

    assert columns_of(proposal) == {
        "id": ("varchar(64)", "id"),
        "a": ("bigint", "a"),
        "item": ("json", "$item"),
    }


def test_several_documents_have_a_schema_each():
    documents = proposed({"id": "a", "one": '{"n": 1}', "twoMore": '{"n": 1}'}).documents

    assert [(document.attribute, document.file) for document in documents] == [
        ("one", "things.one.schema.json"),
        ("twoMore", "things.two_more.schema.json"),
    ]


@pytest.mark.parametrize(
    ("table", "name"),
    [("Orders", "orders"), ("prod.Web-Analytics", "prod_web_analytics"), ("2026", "t_2026"), ("x" * 60, "x" * 48)],
)
def test_a_pipeline_is_called_after_its_table(table, name):
    assert name_for(table) == name


def trial_of(pipeline, *items):
    trial = Trial(pipeline, at_ms=0)
    for item in items:
        trial.add(dynamodb_json(item))
    return trial


def test_a_trial_counts_what_a_pipeline_rejects_by_rule_and_hashes_the_keys():
    pipeline = a_pipeline(columns=[a_column("id", "varchar(3)"), a_column("n", "tinyint"), a_column("s", "varchar(2)")])
    items = [{"id": str(number), "n": number * 50, "s": "x" * number} for number in range(6)]

    trial = trial_of(pipeline, *items)

    assert (trial.items, trial.rejected) == (6, 3)
    assert [(breach.reason, breach.pointer, breach.detail, breach.count) for breach in trial.breaches] == [
        (Reason.MISFIT, "/n", "column n tinyint: outside the range of tinyint", 3)
    ]
    [hashes] = [breach.key_hashes for breach in trial.breaches]
    assert len(set(hashes)) == 3
    assert all(len(found) == 16 for found in hashes)


def test_elements_of_a_list_break_one_rule_at_one_place():
    schema = json.dumps({"type": "object", "properties": {"l": {"type": "array", "items": {"type": "string"}}}})
    pipeline = a_pipeline(documents={"doc": schema}, columns=[a_column("id", "varchar(3)")])

    trial = trial_of(pipeline, *({"id": str(at), "doc": json.dumps({"l": ["x"] * at + [1]})} for at in range(3)))

    assert [(breach.pointer, breach.count) for breach in trial.breaches] == [("/doc/l/*", 3)]


def test_what_would_mend_a_pipeline_is_suggested():
    schema = json.dumps({"type": "object", "required": ["k"]})
    columns = [
        a_column("id", "varchar(3)"),
        a_column("n", "tinyint"),
        a_column("s", "varchar(2)"),
        a_column("must", "int", nullable=False),
    ]
    pipeline = a_pipeline(documents={"doc": schema}, columns=columns)
    good = {"id": "a", "n": 1, "s": "x", "must": 1, "doc": '{"k": 1}'}
    items = [
        {**good, "id": "long"},
        {**good, "n": 500},
        {**good, "n": "x"},
        {**good, "s": "x" * 100},
        {**good, "must": None},
        {**good, "must": 2**40},
        {**good, "doc": "{}"},
        {**good, "doc": "no"},
    ]

    trial = trial_of(pipeline, *items)

    assert list(suggestions(pipeline, trial.breaches, a_profile(*items))) == [
        (
            "column id: varchar(64) in place of varchar(3) takes all that was seen (strings of up to 4 characters; "
            "varbinary(2048) would take any key)"
        ),
        "column n: bigint in place of tinyint takes all numbers seen",
        (
            "column n: varchar(64) in place of tinyint takes all that was seen (strings and numbers in one place, "
            "as plain text)"
        ),
        "column n: `on_misfit: null` stores NULL where a value does not fit",
        "column s: varchar(255) in place of varchar(2) takes all that was seen (strings of up to 100 characters)",
        "column s: `on_misfit: null` stores NULL where a value does not fit",
        "column must: take `null: false` away; 1 items have no value there",
        "column must: bigint in place of int takes all that was seen (whole numbers of up to 13 digits)",
        "schema of doc: relax /required; 1 items break it at /doc",
        (
            "attribute doc: 1 items have no JSON document there; mend them, or take it out of `documents` and keep "
            "it as text"
        ),
    ]


FILES = {"things.yaml": "yaml", "things.schema.json": "{}"}


def test_files_are_written_the_pipeline_file_last(tmp_path):
    written = write(FILES, folder=tmp_path, force=False)

    assert [path.name for path in written] == ["things.schema.json", "things.yaml"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == FILES


@pytest.mark.parametrize("there", list(FILES))
def test_nothing_is_written_over_and_nothing_beside_it(tmp_path, there):
    (tmp_path / there).write_text("mine")

    with pytest.raises(FileThereError, match=there):
        write(FILES, folder=tmp_path, force=False)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {there: "mine"}


def test_force_writes_over(tmp_path):
    (tmp_path / "things.yaml").write_text("mine")

    write(FILES, folder=tmp_path, force=True)

    assert (tmp_path / "things.yaml").read_text() == "yaml"


def test_what_comes_up_meanwhile_is_not_written_over_and_nothing_is_left(tmp_path):
    # It is not there when it is looked for, and in the way when it is written.
    (tmp_path / "things.yaml").symlink_to(tmp_path / "elsewhere.yaml")

    with pytest.raises(UnwritableError, match="cannot be written"):
        write(FILES, folder=tmp_path, force=False)

    assert [path.name for path in tmp_path.iterdir()] == ["things.yaml"]


def test_what_is_no_pipeline_is_found_before_it_is_written():
    with pytest.raises(PipelineFileError):
        compiled({"things.yaml": "name: things\n"}, name="things")


def test_what_was_written_is_read_as_it_was_checked(tmp_path):
    proposal = proposed({"id": "a", "doc": '{"n": 1}'})
    files = {document.file: render_schema(document.schema) for document in proposal.documents}
    files["things.yaml"] = render(proposal)

    write(files, folder=tmp_path, force=False)

    assert read_pipeline_file(tmp_path / "things.yaml") == compiled(files, name="things")
