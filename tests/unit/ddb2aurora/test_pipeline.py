import pytest
from builders import a_column, a_pipeline

from ddb2aurora.pipeline import (
    CompiledPipelineError,
    UnknownPipelineError,
    dump_pipeline,
    load_pipeline,
    parse_pipeline,
)


def _pipeline():
    return a_pipeline(
        source_key=("hash", "range"),
        documents={"doc": "{}"},
        columns=(
            a_column("v", "decimal(5,2)", source="values[0].x", nullable=False),
            a_column("r", "varchar(5)", source="range"),
            a_column("h", "varchar(5)", source="hash"),
            a_column("at", "datetime(3)", source="$changed_at_ms"),
        ),
    )


def test_a_compiled_pipeline_is_the_same_pipeline():
    assert parse_pipeline(dump_pipeline(_pipeline()), where="here") == _pipeline()


def test_equal_pipelines_compile_to_equal_bytes():
    assert dump_pipeline(_pipeline()) == dump_pipeline(_pipeline())


def test_the_key_columns_stand_in_the_order_of_the_key():
    assert [column.name for column in _pipeline().key_columns] == ["h", "r"]


def test_the_other_columns_stand_in_the_order_of_the_file():
    assert [column.name for column in _pipeline().value_columns] == ["v", "at"]


def test_the_attributes_are_all_that_is_read():
    assert _pipeline().attributes == {"values", "hash", "range", "doc"}


def test_a_column_knows_whether_it_holds_a_fact():
    assert [column.is_fact for column in _pipeline().columns] == [False, False, False, True]


@pytest.mark.parametrize(("source", "whole"), [("$item", True), ('["$item"]', False), ("item", False)])
def test_a_pipeline_knows_whether_it_reads_whole_items(source, whole):
    assert a_pipeline(columns=(a_column("id"), a_column("all", "json", source=source))).reads_whole_item is whole


@pytest.mark.parametrize(
    ("mode", "policy", "keeps"),
    [
        ("mirror", "delete", False),
        ("mirror", "keep", False),
        ("mirror", "soft_delete", True),
        ("soft_delete", "delete", True),
        ("append", "delete", False),
    ],
)
def test_a_pipeline_knows_whether_rows_of_deleted_items_may_stay(mode, policy, keeps):
    assert a_pipeline(mode=mode, on_ttl_delete=policy).keeps_deleted is keeps


def test_the_shape_stays_what_it_is():
    assert a_pipeline().shape == "50c9d00c73d3"


@pytest.mark.parametrize(
    "columns",
    [
        (a_column("n", "int"), a_column("id", "varchar(100)"), a_column("note", "text")),
        (a_column("id", "varchar(101)"), a_column("n", "int"), a_column("note", "text")),
        (a_column("id", "varchar(100)"), a_column("m", "int", source="n"), a_column("note", "text")),
        (a_column("id", "varchar(100)"), a_column("n", "int")),
    ],
)
def test_another_order_name_type_or_number_of_columns_is_another_shape(columns):
    assert a_pipeline(columns=columns).shape != a_pipeline().shape


def test_where_a_column_takes_its_value_from_is_no_matter_of_the_shape():
    columns = (a_column("id", "varchar(100)"), a_column("n", "int", source="other"), a_column("note", "text"))

    assert a_pipeline(columns=columns).shape == a_pipeline().shape


@pytest.mark.parametrize(
    "compiled", [b"", b"{}", b"\xff", b"[]", dump_pipeline(a_pipeline()).replace(b"mirror", b"mirrored")]
)
def test_what_is_no_compiled_pipeline_is_refused_with_its_place(compiled):
    with pytest.raises(
        CompiledPipelineError, match=r"^here: not a compiled pipeline .* compile the pipeline file again$"
    ):
        parse_pipeline(compiled, where="here")


def test_a_pipeline_compiled_in_another_format_is_refused():
    compiled = dump_pipeline(a_pipeline()).replace(b'"format": 1', b'"format": 2')

    with pytest.raises(CompiledPipelineError, match=r"^here: compiled in format 2; compile the pipeline file again$"):
        parse_pipeline(compiled, where="here")


def test_a_pipeline_is_loaded_by_its_name(tmp_path):
    (tmp_path / "things.json").write_bytes(dump_pipeline(a_pipeline()))

    assert load_pipeline("things", folder=tmp_path) == a_pipeline()


@pytest.mark.parametrize("name", ["thing", "", "../things", "things.json"])
def test_an_unknown_pipeline_is_refused_with_those_that_there_are(tmp_path, name):
    for known in ("things", "others"):
        (tmp_path / f"{known}.json").write_bytes(dump_pipeline(a_pipeline()))

    with pytest.raises(
        UnknownPipelineError, match=f"no pipeline '{name}' in .*; there are: others, things. Set PIPELINE"
    ):
        load_pipeline(name, folder=tmp_path)


def test_a_folder_without_pipelines_has_none(tmp_path):
    with pytest.raises(UnknownPipelineError, match="there are: none"):
        load_pipeline("things", folder=tmp_path / "nowhere")


def test_a_pipeline_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "things.json").mkdir()

    with pytest.raises(CompiledPipelineError, match=r"things\.json: cannot be read \(Is a directory\)$"):
        load_pipeline("things", folder=tmp_path)
