import json
from decimal import Decimal

import msgspec
import pytest
from builders import AN_ITEM, CHANGED_AT_MS, STREAM_EPOCH_MS, a_change, a_column, a_pipeline, dynamodb_json
from hypothesis import given
from hypothesis import strategies as st
from strategies import AWKWARD_TEXTS, changes, numbers, texts, values

from ddb2aurora.dialect import Row, decode_row, encode_row
from ddb2aurora.documents import SchemaFileError
from ddb2aurora.envelope import decode_change, encode_change
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Misfit

VERSION = STREAM_EPOCH_MS * 10**40 + 100_000_000_000_000_000_001


def _fields(item, *columns, documents=None, **change):
    pipeline = a_pipeline(columns=(a_column("id", "varchar(100)"), *columns), documents=documents)
    return Mapper(pipeline).row(a_change(item={"id": "a", **item}, **change)).fields[1:]


def _rejected(change, pipeline=None):
    with pytest.raises(RejectError) as caught:
        Mapper(pipeline or a_pipeline()).row(change)
    return caught.value.reason, caught.value.pointer, caught.value.detail


@pytest.mark.parametrize("kind", ["INSERT", "MODIFY"])
def test_an_insert_and_a_modify_put_the_whole_row(kind):
    row = Mapper(a_pipeline()).row(a_change(kind=kind))

    assert row == Row(a_pipeline().shape, "U", VERSION, CHANGED_AT_MS, ("a", "1", "boring"))


def test_a_remove_carries_the_key_and_nothing_else():
    columns = (
        a_column("note", "text"),
        a_column("at", "bigint", source="$changed_at_ms"),
        a_column("id", "varchar(9)"),
    )
    pipeline = a_pipeline(columns=columns)

    row = Mapper(pipeline).row(a_change(kind="REMOVE", changed_at_ms=None, by_ttl=True))

    assert row == Row(pipeline.shape, "D", VERSION, None, (None, None, "a"))


def test_a_remove_needs_neither_documents_nor_what_other_columns_forbid():
    columns = (a_column("id", "varchar(9)"), a_column("n", "int", nullable=False))
    pipeline = a_pipeline(columns=columns, documents={"payload": '{"type": "object"}'})

    assert Mapper(pipeline).row(a_change(kind="REMOVE")).fields == ("a", None)


def test_the_same_change_gives_the_same_bytes():
    change = a_change(item={"id": "a", "tags": {"c", "b", "a"}, "m": {"y": 1, "x": {1, 2, 3}}})
    pipeline = a_pipeline(columns=(a_column("id", "varchar(9)"), a_column("all", "json", source="$item")))
    line = encode_change(change)

    lines = {encode_row(Mapper(pipeline).row(decode_change(line))) for _ in range(5)}

    assert len(lines) == 1


@pytest.mark.parametrize("text", AWKWARD_TEXTS)
def test_an_awkward_text_arrives_exactly_as_written(text):
    pipeline = a_pipeline(columns=(a_column("id", "varchar(100)"), a_column("note", "text")))
    change = a_change(item={"id": text, "note": text})

    line = encode_row(Mapper(pipeline).row(decode_change(encode_change(change))))

    assert decode_row(line).fields == (text, text)


@given(texts, numbers(), st.binary())
def test_text_number_and_binary_arrive_exactly_as_written(text, number, binary):
    columns = (
        a_column("id", "varchar(16383)"),
        a_column("number", "varchar(200)"),
        a_column("decimal", "decimal(65,30)", source="number", on_misfit=Misfit.NULL),
        a_column("binary", "blob"),
    )
    change = a_change(item={"id": text, "number": number, "binary": binary})

    line = encode_row(Mapper(a_pipeline(columns=columns)).row(decode_change(encode_change(change))))

    key, as_text, as_decimal, as_hex = decode_row(line).fields
    assert (key, Decimal(as_text), bytes.fromhex(as_hex)) == (text, number, binary)
    assert as_decimal is None or Decimal(as_decimal) == number


def test_an_absent_attribute_and_an_explicit_null_are_null():
    fields = _fields({"null": None}, a_column("absent"), a_column("null"), a_column("deep", source="null.a[0]"))

    assert fields == (None, None, None)


def test_an_empty_text_is_not_null():
    assert _fields({"note": ""}, a_column("note", "text")) == ("",)


def test_columns_take_values_from_deep_inside():
    item = {"device": {"location": {"country": "Côte d'Ivoire"}}, "visits": [{"page": "p0"}, {"page": "p1"}], "a.b": 5}

    fields = _fields(
        item,
        a_column("country", "varchar(100)", source="device.location.country"),
        a_column("page", "varchar(100)", source="visits[1].page"),
        a_column("beyond", "varchar(100)", source="visits[2].page"),
        a_column("odd", "int", source='["a.b"]'),
    )

    assert fields == ("Côte d'Ivoire", "p1", None, "5")


def test_columns_take_facts_about_the_change():
    fields = _fields(
        {"n": 1},
        a_column("ms", "bigint", source="$changed_at_ms"),
        a_column("at", "datetime(3)", source="$changed_at_ms"),
        a_column("event", "varchar(6)", source="$event_name"),
        a_column("number", "decimal(40,0)", source="$sequence_number"),
        a_column("text", "varchar(40)", source="$sequence_number"),
        a_column("item", "json", source="$item"),
        kind="MODIFY",
        changed_at_ms=1_767_700_000_120,
        sequence_number="000000000000000000012",
    )

    assert fields == (
        "1767700000120",
        "2026-01-06 11:46:40.12",
        "MODIFY",
        "12",
        "000000000000000000012",
        '{"id":"a","n":1}',
    )


@pytest.mark.parametrize("type_", ["bigint", "datetime(3)"])
def test_an_unknown_time_of_a_change_is_null(type_):
    assert _fields({}, a_column("at", type_, source="$changed_at_ms"), changed_at_ms=None) == (None,)


@pytest.mark.parametrize(
    ("ms", "field"), [(0, "1970-01-01 00:00:00"), (253_402_300_799_999, "9999-12-31 23:59:59.999")]
)
def test_every_time_that_a_change_may_have_fits(ms, field):
    assert _fields({}, a_column("at", "datetime(3)", source="$changed_at_ms"), changed_at_ms=ms) == (field,)


def test_what_no_column_reads_is_nobody_s_business():
    change = a_change()
    image = {**change.image, "exotic": {"X": "?"}}

    row = Mapper(a_pipeline()).row(msgspec.structs.replace(change, image=image))

    assert row.fields == ("a", "1", "boring")


def test_a_column_of_the_whole_item_makes_every_attribute_its_business():
    pipeline = a_pipeline(columns=(a_column("id", "varchar(9)"), a_column("all", "json", source="$item")))
    change = a_change(item={"id": "a"})
    image = {**change.image, "exotic": {"X": "?"}}

    assert _rejected(msgspec.structs.replace(change, image=image), pipeline) == (
        Reason.UNDECODABLE,
        "/exotic",
        "no such attribute type",
    )


def test_of_two_bad_attributes_the_first_of_the_image_is_blamed():
    change = a_change()
    images = [{"id": {"S": "a"}, one: {"X": 1}, other: {"X": 1}} for one, other in (("n", "note"), ("note", "n"))]

    blamed = [_rejected(msgspec.structs.replace(change, image=image))[1] for image in images]

    assert blamed == ["/n", "/note"]


@pytest.mark.parametrize("keys", [{}, {"other": {"S": "a"}}, {"id": {"S": "a"}, "range": {"S": "b"}}])
def test_a_change_with_another_key_is_rejected(keys):
    assert _rejected(msgspec.structs.replace(a_change(), keys=keys)) == (
        Reason.KEY_MISMATCH,
        "/keys",
        "not the key attributes of the pipeline file",
    )


@pytest.mark.parametrize("sequence_number", ["", "x", "-1", "1" * 41])
def test_a_change_without_a_sequence_number_is_rejected(sequence_number):
    assert _rejected(a_change(sequence_number=sequence_number))[:2] == (Reason.UNDECODABLE, "/sequence")


def test_an_upsert_without_an_image_is_rejected():
    assert _rejected(msgspec.structs.replace(a_change(), image=None)) == (
        Reason.UNDECODABLE,
        "/image",
        "the stream must carry NEW_IMAGE",
    )


def test_the_key_of_the_change_goes_before_that_of_the_image():
    change = msgspec.structs.replace(a_change(), keys=dynamodb_json({"id": "the key"}))

    assert Mapper(a_pipeline()).row(change).fields[0] == "the key"


@pytest.mark.parametrize(
    ("column", "item", "rejection"),
    [
        (a_column("n", "int"), {"n": "text"}, (Reason.MISFIT, "/n", "column n int: not a number")),
        (
            a_column("c", "tinyint", source="a.b[0]"),
            {"a": {"b": [128]}},
            (Reason.MISFIT, "/a/b/0", "column c tinyint: outside the range of tinyint"),
        ),
        (a_column("n", nullable=False), {}, (Reason.NULL_NOT_ALLOWED, "/n", "column n forbids NULL")),
        (a_column("n", nullable=False), {"n": None}, (Reason.NULL_NOT_ALLOWED, "/n", "column n forbids NULL")),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_rejected_at_its_place(column, item, rejection):
    pipeline = a_pipeline(columns=(a_column("id", "varchar(9)"), column))

    assert _rejected(a_change(item={"id": "a", **item}), pipeline) == rejection


def test_a_misfit_is_null_where_the_column_says_so():
    columns = (a_column("n", "tinyint", on_misfit=Misfit.NULL), a_column("note", "varchar(3)", on_misfit=Misfit.NULL))

    assert _fields({"n": 128, "note": "long"}, *columns) == (None, None)


@pytest.mark.parametrize(
    ("key", "column", "reason"),
    [
        ("too long", a_column("id", "varchar(3)"), Reason.MISFIT),
        ("too long", a_column("id", "varchar(3)", on_misfit=Misfit.NULL), Reason.MISFIT),
        (None, a_column("id", "varchar(3)"), Reason.NULL_NOT_ALLOWED),
    ],
)
@pytest.mark.parametrize("kind", ["INSERT", "REMOVE"])
def test_a_key_is_never_null_and_never_left_out(kind, key, column, reason):
    assert _rejected(a_change(kind=kind, item={"id": key}), a_pipeline(columns=(column,)))[:2] == (reason, "/id")


SCHEMA = json.dumps({"type": "object", "required": ["Hits"], "properties": {"Hits": {"type": "integer"}}})


def test_a_document_is_opened_for_paths_and_json_and_left_as_text_elsewhere():
    text = '{ "Hits" : 5, "ratio": 0.10, "names": ["a"] }'

    fields = _fields(
        {"payload": text},
        a_column("hits", "int", source="payload.Hits"),
        a_column("ratio", "decimal(5,2)", source="payload.ratio"),
        a_column("name", "varchar(9)", source="payload.names[0]"),
        a_column("text", "text", source="payload"),
        a_column("json", "json", source="payload"),
        documents={"payload": SCHEMA},
    )

    assert fields == ("5", "0.1", "a", text, '{"Hits":5,"ratio":0.1,"names":["a"]}')


@pytest.mark.parametrize(
    ("item", "rejection"),
    [
        ({}, (Reason.DOCUMENT_MISSING, "/payload", "the item has no such attribute")),
        ({"payload": None}, (Reason.DOCUMENT_NOT_TEXT, "/payload", "a document is a string of JSON")),
        ({"payload": {"Hits": 1}}, (Reason.DOCUMENT_NOT_TEXT, "/payload", "a document is a string of JSON")),
        ({"payload": "{"}, (Reason.DOCUMENT_NOT_JSON, "/payload", "not a JSON document")),
        ({"payload": "1e999"}, (Reason.BAD_NUMBER, "/payload", "an exponent beyond 400")),
        ({"payload": "{}"}, (Reason.SCHEMA_VIOLATION, "/payload", "breaks /required")),
        ({"payload": '{"Hits": "5"}'}, (Reason.SCHEMA_VIOLATION, "/payload/Hits", "breaks /properties/Hits/type")),
    ],
)
def test_a_document_that_breaks_its_schema_is_rejected_at_its_place(item, rejection):
    pipeline = a_pipeline(documents={"payload": SCHEMA})

    assert _rejected(a_change(item={**AN_ITEM, **item}), pipeline) == rejection


def test_a_pipeline_whose_schema_cannot_be_used_maps_nothing():
    with pytest.raises(SchemaFileError):
        Mapper(a_pipeline(documents={"payload": "{"}))


def test_a_key_of_two_attributes_is_found_whatever_the_order_of_the_columns():
    columns = (a_column("v"), a_column("r", "int", source="range"), a_column("h", "varchar(9)", source="hash"))
    pipeline = a_pipeline(source_key=("hash", "range"), columns=columns)

    row = Mapper(pipeline).row(a_change(kind="REMOVE", item={"hash": "x", "range": 2}, key=("hash", "range")))

    assert row.fields == (None, "2", "x")


_WIDE = a_pipeline(
    source_key=("id",),
    documents={"doc": '{"type": ["object", "array"]}'},
    columns=(
        a_column("id", "varchar(20)"),
        a_column("n", "int", on_misfit=Misfit.NULL),
        a_column("d", "decimal(20,5)", source="n"),
        a_column("inner", "json", source="doc.a"),
        a_column("doc", "json"),
        a_column("at", "datetime(3)", source="$changed_at_ms"),
        a_column("all", "text", source="$item"),
        a_column("sequence", "double", source="$sequence_number", on_misfit=Misfit.NULL),
    ),
)
_WIDE_MAPPER = Mapper(_WIDE)
_json_texts = st.sampled_from(["{}", "[]", '{"a": 1e5}', '{"a": {"b": 1.5}}', "{", "1", '{"a": 0.1}', "[" * 2000])
_wire_values = values.map(lambda value: dynamodb_json({"v": value})["v"])
_odd_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["S", "N", "M", "L", "NS", "x"]), inner)
    ),
    max_leaves=6,
)
_images = st.fixed_dictionaries(
    {},
    optional={
        "id": _wire_values | _odd_values,
        "n": _wire_values | _odd_values,
        "doc": _json_texts.map(lambda text: {"S": text}) | _wire_values,
        "other": _wire_values | _odd_values,
    },
)


@given(changes(), _images, st.fixed_dictionaries({"id": texts.map(lambda text: {"S": text}) | _odd_values}) | _images)
def test_any_change_that_can_be_decoded_gives_a_row_or_is_rejected(change, image, keys):
    change = msgspec.structs.replace(change, image=None if change.image is None else image, keys=keys)
    change = decode_change(encode_change(change))

    try:
        row = _WIDE_MAPPER.row(change)
    except RejectError:
        return

    assert decode_row(encode_row(row)) == row
    assert len(row.fields) == len(_WIDE.columns)


@pytest.mark.parametrize("attribute", ["id", "other"])
def test_a_value_nested_as_deep_as_bytes_allow_is_rejected(attribute):
    nested = '{"L":[' * 400 + '{"S":"x"}' + "]}" * 400
    text = encode_change(a_change(item={"id": "a", attribute: "HERE"})).decode().replace('{"S":"HERE"}', nested)

    with pytest.raises(RejectError) as caught:
        _WIDE_MAPPER.row(decode_change(text.encode()))

    assert caught.value.reason in (Reason.UNDECODABLE, Reason.DOCUMENT_MISSING)
