from pathlib import Path

import msgspec
import pytest
from builders import a_column, a_pipeline
from jsonschema import Draft202012Validator

from ddb2aurora.pipeline import KeyPart, Misfit, dump_pipeline, parse_pipeline
from ddb2aurora.pipeline_file import PipelineFileError, pipeline_file_schema, read_pipeline_file

REFERENCE = Path(__file__).parents[3] / "pipelines" / "web_analytics.yaml"
THINGS = """\
name: things
source:
  table: things
  key: [id]
target:
  database: demo
  table: Things
  columns:
    id: {type: varchar(100), from: id}
    n: {type: int, from: n}
    note: {type: text, from: note}
"""


@pytest.fixture
def read(tmp_path):
    """Give a function that reads a text as the file of the pipeline `things`."""

    def read(text):
        path = tmp_path / "things.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_pipeline_file(path)

    return read


def problems(read, text):
    with pytest.raises(PipelineFileError) as caught:
        read(text)
    return [(problem.line, problem.text) for problem in caught.value.problems]


def test_the_least_that_a_file_says_is_a_pipeline_with_all_defaults(read):
    assert read(THINGS) == a_pipeline()


def test_the_reference_pipeline_is_read():
    pipeline = read_pipeline_file(REFERENCE)

    assert [(column.name, column.type.sql, column.source) for column in pipeline.columns] == [
        ("page_id", "varchar(100)", "page_id"),
        ("activity_dt", "varchar(32)", "activity_dt"),
        ("timestarted", "bigint", "$changed_at_ms"),
        ("hits", "int", "payload.Hits"),
        ("start_time", "varchar(100)", "payload.session.start_timestamp"),
        ("end_time", "varchar(100)", "payload.session.stop_timestamp"),
        ("country_code", "varchar(100)", "payload.device.location.country"),
    ]
    assert [document.attribute for document in pipeline.documents] == ["payload"]
    assert parse_pipeline(dump_pipeline(pipeline), where="here") == pipeline


def test_everything_that_a_file_may_say_is_kept(read, tmp_path):
    (tmp_path / "doc.schema.json").write_bytes(b'\xef\xbb\xbf{"type": "object"}')

    pipeline = read("""\
name: things
source: {table: Table-1.x_y, key: [hash, range], documents: {doc: doc.schema.json}}
target:
  database: demo
  table: Dinge & größe
  mode: soft_delete
  on_ttl_delete: keep
  max_reject_share: 0
  columns:
    hash: {type: VARBINARY(2048), from: hash}
    range: {type: "decimal( 38, 0 )", from: range, null: false}
    odd name: {type: json, from: 'doc["a.b"][0]', on_misfit: null}
    word: {type: bigint, from: doc.n, on_misfit: "null", null: true}
    item: {type: longtext, from: $item, on_misfit: reject}
""")

    assert pipeline == a_pipeline(
        source_table="Table-1.x_y",
        source_key=("hash", "range"),
        documents={"doc": '{"type": "object"}'},
        target_table="Dinge & größe",
        mode="soft_delete",
        on_ttl_delete="keep",
        max_reject_share=0,
        columns=(
            a_column("hash", "varbinary(2048)"),
            a_column("range", "decimal(38,0)", nullable=False),
            a_column("odd name", "json", source='doc["a.b"][0]', on_misfit=Misfit.NULL),
            a_column("word", "bigint", source="doc.n", on_misfit=Misfit.NULL),
            a_column("item", "longtext", source="$item"),
        ),
    )


@pytest.mark.parametrize(
    ("mode", "policy"), [("mirror", "delete"), ("append", "delete"), ("soft_delete", "soft_delete")]
)
def test_a_delete_by_ttl_does_by_default_what_any_delete_does(read, mode, policy):
    assert read(THINGS.replace("table: Things", f"table: Things\n  mode: {mode}")).on_ttl_delete == policy


@pytest.mark.parametrize("word", ["on", "true", "'on'", "yes", "ON"])
def test_packing_is_switched_on(read, word):
    assert read(f"packing: {word}\n{THINGS}") == a_pipeline(packing=True)


@pytest.mark.parametrize("word", ["off", "false", '"off"', "no"])
def test_packing_is_off_when_it_says_so(read, word):
    assert read(f"packing: {word}\n{THINGS}") == a_pipeline(packing=False)


@pytest.mark.parametrize(("word", "shown"), [("1", "1"), ("enabled", "'enabled'"), ("[on]", "[True]"), ("", "None")])
def test_packing_is_nothing_else_than_on_or_off(read, word, shown):
    meaning = "on: many changes travel in one Firehose record, which costs less; off (the default): one does."

    assert problems(read, f"packing: {word}\n{THINGS}") == [
        (1, f"packing: {shown} is not one of [True, False, 'on', 'off']: {meaning}")
    ]


def test_a_pipeline_that_was_compiled_before_there_was_packing_does_not_pack():
    compiled = dump_pipeline(a_pipeline()).replace(b'"packing": false,', b"")

    assert b"packing" not in compiled
    assert parse_pipeline(compiled, where="here") == a_pipeline(packing=False)


@pytest.mark.parametrize(
    ("value", "part"),
    [("beat", KeyPart("id", "S", "beat")), ('"1"', KeyPart("id", "S", "1"))],
)
def test_a_key_is_kept_for_heartbeats(read, value, part):
    assert read(THINGS.replace("[id]", f"[id]\n  heartbeat: {{id: {value}}}")).heartbeat == (part,)


def test_a_key_of_numbers_is_kept_for_heartbeats_as_a_number(read):
    text = THINGS.replace("varchar(100)", "bigint").replace("[id]", "[id]\n  heartbeat: {id: -1}")

    assert read(text).heartbeat == (KeyPart("id", "N", "-1"),)


@pytest.mark.parametrize(
    ("type_", "heartbeat", "problem"),
    [
        ("varchar(100)", "{}", (5, "source.heartbeat: {} should be non-empty: The key of an item that is kept for ")),
        (
            "varchar(100)",
            "{id: ''}",
            (5, "source.heartbeat.id: '' should be non-empty: A text that is not empty, or a"),
        ),
        ("varchar(100)", "{id: 1.5}", (5, "source.heartbeat.id: 1.5 is not of type 'string', 'integer': A text")),
        ("varchar(100)", "{id: true}", (5, "source.heartbeat.id: True is not of type 'string', 'integer': A text")),
        ("varchar(100)", "{n: 1}", (5, "heartbeat: give it each attribute of the key, and no other: id")),
        ("varchar(100)", "{id: a, n: 1}", (5, "heartbeat: give it each attribute of the key, and no other: id")),
        ("varchar(3)", "{id: beat}", (5, "heartbeat: id varchar(3): ")),
        ("int", "{id: beat}", (5, "heartbeat: id int: ")),
    ],
)
def test_a_key_that_no_item_of_the_table_can_have_is_refused_with_its_line(read, type_, heartbeat, problem):
    text = THINGS.replace("varchar(100)", type_).replace("[id]", f"[id]\n  heartbeat: {heartbeat}")

    [(line, found)] = problems(read, text)

    assert (line, found[: len(problem[1])]) == problem


def test_a_pipeline_that_was_compiled_before_there_were_heartbeats_keeps_no_key():
    compiled = msgspec.json.decode(dump_pipeline(a_pipeline()))
    del compiled["heartbeat"]

    assert parse_pipeline(msgspec.json.encode(compiled), where="here") == a_pipeline()


def test_anchors_and_aliases_save_words(read):
    text = THINGS.replace("n: {type: int, from: n}", "n: &n {type: int, from: n}\n    m: *n")

    assert [(column.name, column.source) for column in read(text).columns] == [
        ("id", "id"),
        ("n", "n"),
        ("m", "n"),
        ("note", "note"),
    ]


def test_every_mistake_of_form_is_reported_at_once_with_its_line(read, tmp_path):
    text = """\
name: Bad Name
extra: 1
source:
  table: x
  key: [id, id]
  documents: {p: nope.txt}
target:
  database: "a.b"
  mode: mirrored
  max_reject_share: 1.5
  columns:
    "😀": {type: int, from: a}
    y: {type: 5, form: a, from: a, on_misfit: nul}
    y: 6
"""

    name = (
        "A name has 1 to 64 characters up to U+FFFF, no control character, none of / \\ . `, no blank at its end, and "
        "does not begin with _ddb2aurora."
    )
    file = "The name of a .json file, from the folder of the pipeline file."
    assert problems(read, text) == [
        (
            1,
            (
                "name: 'Bad Name' does not fit: The name of the pipeline, as settings, S3 keys and file "
                "names use it: a small letter, then up to 47 small letters, digits and _."
            ),
        ),
        (2, "'extra' has no meaning here; there are: name, packing, source, target"),
        (4, "source.table: 'x' does not fit: The name of the DynamoDB table: 3 to 255 letters, digits, and _ . -"),
        (
            5,
            (
                "source.key: ['id', 'id'] has non-unique elements: The key attributes of the table: "
                "hash, then range if there is one."
            ),
        ),
        (6, f"source.documents.p: 'nope.txt' does not fit: {file}"),
        (7, "target: 'table' is a required property"),
        (8, f"target.database: 'a.b' does not fit: {name}"),
        (
            9,
            (
                "target.mode: 'mirrored' is not one of ['mirror', 'soft_delete', 'append']: mirror: "
                "delete what is deleted; soft_delete: keep the row, stamp it; append: a row per change."
            ),
        ),
        (
            10,
            (
                "target.max_reject_share: 1.5 is greater than the maximum of 1: More than this share of "
                "an object's rows refused by the database stops the load of the object."
            ),
        ),
        (12, f"target.columns: '😀' does not fit: {name}"),
        (13, "'y' stands here twice, in line 14 again"),
        (
            13,
            (
                "target.columns.y.on_misfit: 'nul' is not one of ['reject', 'null', None]: null (bare, "
                "or as a word) stores NULL."
            ),
        ),
        (13, "target.columns.y.type: 5 is not of type 'string'"),
        (13, "target.columns.y: 'form' has no meaning here; there are: type, from, null, on_misfit"),
    ]
    with pytest.raises(PipelineFileError) as caught:
        read(text)
    lines = str(caught.value).splitlines()
    assert (
        lines[1] == f"{tmp_path}/things.yaml:2: 'extra' has no meaning here; there are: name, packing, source, target"
    )
    assert len(lines) == 14


def test_every_mistake_of_meaning_is_reported_at_once_with_its_line(read, tmp_path):
    (tmp_path / "broken.json").write_text('{"$ref": "https://example.com/x.json"}')
    (tmp_path / "latin.json").write_bytes(b'{"title": "\xe9"}')

    found = problems(
        read,
        """\
name: others
source:
  table: things
  key: [id, range]
  documents:
    a: missing.json
    b: broken.json
    c: latin.json
target:
  database: demo
  table: Things
  columns:
    id: {type: text, from: id, on_misfit: null}
    ID: {type: float, from: n..m}
    Id: {type: int, from: x}
    _Version: {type: int, from: $version}
    n: {type: int, from: n, null: false, on_misfit: null}
""",
    )

    examples = (
        "use one like int, bigint unsigned, decimal(20,4), double, varchar(100), text, varbinary(16), json, "
        "datetime(3), date"
    )
    facts = "facts are $changed_at_ms, $event_name, $sequence_number, $item"
    assert found == [
        (1, "the name 'others' must be that of the file, 'things'"),
        (4, "the key attribute 'range' needs one column with from: range; it has 0"),
        (6, "the JSON Schema 'missing.json' cannot be read: No such file or directory"),
        (
            7,
            (
                "the JSON Schema 'broken.json' cannot be used: its reference "
                "'https://example.com/x.json' leads nowhere; only references inside the schema work"
            ),
        ),
        (8, "the JSON Schema 'latin.json' cannot be read: not UTF-8"),
        (13, "column id: a key is an integer, decimal, varchar or varbinary, not text"),
        (13, "column id: a key that does not fit can only be rejected"),
        (14, f"column ID: 'float' is not a type that can be filled exactly; {examples}"),
        (14, f"column ID: 'n..m' is not a path: it stops making sense at character 2; {facts}"),
        (15, "column Id: MySQL does not tell it from id; rename one"),
        (16, f"column _Version: '$version' is not a path: it stops making sense at character 1; {facts}"),
        (16, "column _Version: the name is kept for ddb2aurora's own column"),
        (17, "column n: on_misfit: null needs a column that may be null"),
    ]


def test_an_event_log_has_room_for_what_a_delete_lacks(read):
    text = THINGS.replace("table: Things", "table: Things\n  mode: append\n  on_ttl_delete: soft_delete").replace(
        "from: note}",
        """from: note, null: false}
    id_again: {type: json, from: $item, null: false}
    event: {type: varchar(6), from: $event_name, null: false}""",
    )

    assert problems(read, text) == [
        (9, "on_ttl_delete: an event log has no row to stamp; use delete or keep"),
        (13, "column note: the log of a delete has no value for it; it must allow NULL"),
        (14, "column id_again: the log of a delete has no value for it; it must allow NULL"),
    ]


def test_the_key_of_an_event_log_holds_the_version_too(read):
    text = THINGS.replace("varchar(100)", "varchar(768)")

    assert read(text).mode == "mirror"
    [(line, problem)] = problems(read, text.replace("table: Things", "table: Things\n  mode: append"))
    assert (line, problem[:38]) == (10, "the key columns may take 3102 bytes, a")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("key: [id]", "key: [n, id]\n  documents: {}", None),
        (
            "note: {type: text, from: note}",
            "note: {type: varchar(5), from: id}",
            (4, "the key attribute 'id' needs one column with from: id; it has 2"),
        ),
        (
            "varchar(100)",
            "varchar(769)",
            (
                9,
                (
                    "the key columns may take 3076 bytes, an InnoDB key at most 3072; make them "
                    "narrower, or use varbinary(n), which takes one byte a byte"
                ),
            ),
        ),
        ("varchar(100)", "varchar(768)", None),
        (
            "type: text",
            "type: varchar(16383)",
            (8, "a row may take 66004 bytes, in MySQL at most 65535; use text types for long strings"),
        ),
        ("type: text", "type: varchar(16200)", None),
    ],
)
def test_keys_and_rows_that_mysql_cannot_hold_are_found_before_it_is_asked(read, old, new, problem):
    text = THINGS.replace(old, new)

    if problem is None:
        assert read(text).name == "things"
    else:
        assert problems(read, text) == [problem]


@pytest.mark.parametrize(
    "name", ["", "a.b", "a/b", "a\\b", "a`b", "a ", "a\n", "a\x7f", "😀", "n" * 65, "_DDB2aurora_x"]
)
def test_a_name_that_mysql_or_ddb2aurora_cannot_take_is_refused(name):
    validator = Draft202012Validator({"$ref": "#/$defs/name", **pipeline_file_schema()["$defs"]["name"]})

    assert not validator.evolve(schema=pipeline_file_schema()["$defs"]["name"]).is_valid(name)


@pytest.mark.parametrize(
    "name", ["a", " a", "größe", "100%", "select", "a b", "a-b", "_x", "n" * 64, "日本", "a'\"b", "123"]
)
def test_a_name_that_mysql_can_take_is_taken(name):
    assert Draft202012Validator(pipeline_file_schema()["$defs"]["name"]).is_valid(name)


def test_a_table_s_name_leaves_room_for_that_of_its_tombstones(read):
    assert read(THINGS.replace("table: Things", f"table: {'t' * 52}")).target_table == "t" * 52
    assert [line for line, _ in problems(read, THINGS.replace("table: Things", f"table: {'t' * 53}"))] == [7]


@pytest.mark.parametrize(
    "text", ["", "[]", "just text", "5", "null", "name: things", "name:", "source: {}\ntarget: []"]
)
def test_what_is_no_pipeline_at_all_is_refused(read, text):
    assert problems(read, text) != []


@pytest.mark.parametrize("name", ["things\\n", "thi ngs", "1things", "", "T", "t" * 49])
def test_the_name_of_a_pipeline_is_one_that_every_place_can_take(read, name):
    [(line, text), *_] = problems(read, THINGS.replace("name: things", f'name: "{name}"'))

    assert (line, text.startswith("name: ")) == (1, True)


def test_the_schema_of_pipeline_files_is_a_schema():
    Draft202012Validator.check_schema(pipeline_file_schema())
