"""The quick way gives the very bytes of the slower one, or leaves the change to it: whatever the line holds."""

import json
from decimal import Decimal
from typing import Any

import pytest
from builders import a_change, a_column, a_pipeline
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.codec import encode_item
from ddb2aurora.dialect import encode_row
from ddb2aurora.envelope import decode_change, encode_change
from ddb2aurora.errors import RejectError
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import KeyPart, Misfit, Pipeline
from ddb2aurora.quick_rows import quick_rows

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
SCHEMA = {
    "$schema": DRAFT_4,
    "type": "object",
    "required": ["hits", "place"],
    "properties": {
        "hits": {"type": "integer", "minimum": -5, "maximum": 5_000_000_000},
        "place": {
            "type": "object",
            "required": ["country"],
            "properties": {"country": {"type": "string", "maxLength": 8}, "city": {"type": ["string", "null"]}},
        },
        "kind": {"enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"type": "string", "pattern": "^."}, "maxItems": 3},
        "seen": {"type": "boolean"},
        "more": {"type": "object", "properties": {"deep": {"type": "string"}}},
    },
}
# One that has a program and no types, and one that has neither.
LOOSE_SCHEMA = {"properties": {"hits": {"type": "number"}}}
ODD_SCHEMA = {"anyOf": [{"required": ["hits"]}, {"required": ["place"]}]}
COLUMNS = (
    a_column("id", "varchar(6)"),
    a_column("note", "text"),
    a_column("n", "int", on_misfit=Misfit.NULL),
    a_column("u", "tinyint unsigned", source="n"),
    a_column("price", "decimal(6,2)"),
    a_column("size", "double"),
    a_column("flag", "boolean"),
    a_column("blob", "varbinary(4)"),
    a_column("city_text", "varchar(5)", source="map.city"),
    a_column("first", "varchar(5)", source="list[0]"),
    a_column("whole", "json", source="map"),
    a_column("day", "date"),
    a_column("moment", "datetime(3)"),
    a_column("at", "bigint", source="$changed_at_ms"),
    a_column("at_time", "datetime(3)", source="$changed_at_ms"),
    a_column("event", "varchar(6)", source="$event_name"),
    a_column("sequence", "varchar(40)", source="$sequence_number"),
    a_column("must", "varchar(3)", source="note", nullable=False),
    a_column("hits", "int", source="doc.hits"),
    a_column("country", "varchar(4)", source="doc.place.country"),
    a_column("city", "varchar(8)", source="doc.place.city"),
    a_column("seen", "boolean", source="doc.seen"),
    a_column("deep", "varchar(3)", source="doc.more.deep"),
    a_column("kind", "varchar(1)", source="doc.kind", nullable=False),
    a_column("doc", "text"),
    a_column("doc_json", "json", source="doc"),
)
NAMES = st.sampled_from(("a", "NULL", "\\N", "x,y", 'q"', "é", "line\nfeed", "", "long enough", "2026-01-05"))
NUMBERS = st.sampled_from(("0", "1", "7", "-3", "255", "256", "1.5", "100", "12345.67", "99999999999", "1E+3", "0.1"))
VALUES = st.one_of(
    NAMES,
    NUMBERS.map(Decimal),
    st.none(),
    st.booleans(),
    st.binary(max_size=5),
    st.dictionaries(st.sampled_from(("city", "other")), NAMES, max_size=2),
    st.lists(NAMES, max_size=2),
    st.sampled_from(("2026-01-05T10:00:00Z", "2026-01-05T12:00:00.125+02:00", "1000-02-29")),
)
DOCUMENT_VALUES = st.one_of(NAMES, st.integers(-7, 7), st.sampled_from((1.0, 1.5, 10**12, None, True, [], {}, ["x"])))
DOCUMENTS = st.one_of(
    st.builds(
        lambda hits, country, rest, more: {"hits": hits, "place": {"country": country, **more}, **rest},
        st.integers(-7, 7),
        NAMES,
        st.dictionaries(st.sampled_from(("kind", "tags", "seen", "more", "other")), DOCUMENT_VALUES, max_size=3),
        st.dictionaries(st.sampled_from(("city", "street")), DOCUMENT_VALUES, max_size=1),
    ).map(json.dumps),
    st.builds(
        lambda kind, city, deep: json.dumps(
            {"hits": 3, "place": {"country": "de", "city": city}, "kind": kind, "more": {"deep": deep}, "tags": ["x"]}
        ),
        st.sampled_from(("a", "b")),
        NAMES | st.none(),
        NAMES,
    ),
    NAMES,
)
ATTRIBUTES = ("note", "n", "price", "size", "flag", "blob", "map", "list", "day", "moment", "unread")
ITEMS = st.builds(
    lambda name, rest, document: {"id": name, **rest, **({} if document is None else {"doc": document})},
    NAMES,
    st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=6),
    DOCUMENTS | st.none(),
)
# What may be put somewhere into a line: tokens that JSON readers are known to differ about.
TOKENS = st.sampled_from(
    (
        b"1e999",
        b"-0",
        b"1.0",
        b"\\ud800",
        b"\xff",
        b"\x00",
        b"null",
        b'"',
        b",",
        b"}",
        b'{"S":"x"}',
        b'"doc":{"S":"{}"},',
        b"9" * 5000,
        b"[" * 600,
        b'"unread":1e999,',
        b'"unread":' + b"8" * 4400 + b",",
        b'"keys":{},',
        b" ",
        b"\\u0000",
        b"true",
    )
)


def a_quick_pipeline(columns: list[int], schema: dict[str, Any] | None, **parts: Any) -> Pipeline:
    chosen = [column for number, column in enumerate(COLUMNS) if number in {0, *columns}]
    if schema is None:
        chosen = [column for column in chosen if not str(column.path[0] if column.path else "").startswith("doc")]
    documents = {} if schema is None else {"doc": json.dumps(schema)}
    return a_pipeline(columns=chosen, documents=documents, **parts)


def slower(line: bytes, mapper: Mapper) -> bytes | str | None:
    """Return the line of the row, the words of what rejects the change, or None when it leaves no trace."""
    try:
        row = mapper.row(decode_change(line))
        return None if row is None else encode_row(row)
    except RejectError as error:
        return str(error)


PIPELINES = st.builds(
    a_quick_pipeline,
    st.lists(st.integers(1, len(COLUMNS) - 1), max_size=8),
    st.sampled_from((None, SCHEMA, SCHEMA, LOOSE_SCHEMA, ODD_SCHEMA)),
    heartbeat=st.sampled_from(((), (KeyPart(attribute="id", kind="S", value="a"),))),
)
CHANGES = st.builds(a_change, kind=st.sampled_from(("INSERT", "MODIFY", "REMOVE")), item=ITEMS)


def compare(pipeline: Pipeline, line: bytes) -> None:
    quick = quick_rows(pipeline)

    found = None if quick is None else quick(line)
    if found is not None:
        assert (str(found) if isinstance(found, RejectError) else found) == slower(line, Mapper(pipeline))


@given(pipeline=PIPELINES, change=CHANGES)
def test_a_line_of_the_stream_processor(pipeline, change):
    compare(pipeline, encode_change(change))


@given(pipeline=PIPELINES, change=CHANGES, token=TOKENS, place=st.floats(0, 1), length=st.integers(0, 3))
def test_a_line_that_is_damaged_or_written_by_somebody_else(pipeline, change, token, place, length):
    line = encode_change(change)
    start = int(place * len(line))

    compare(pipeline, line[:start] + token + line[start + length :])


@given(
    pipeline=PIPELINES,
    item=ITEMS,
    token=TOKENS,
    place=st.floats(0, 1),
    length=st.integers(0, 2),
)
def test_a_document_that_is_damaged_or_odd(pipeline, item, token, place, length):
    text = str(item.get("doc", "{}"))
    start = int(place * len(text))
    document = text[:start] + token.decode("utf-8", "replace") + text[start + length :]

    compare(pipeline, encode_change(a_change(item={**item, "doc": document})))


ALL = list(range(len(COLUMNS)))
GOOD = {"hits": 3, "place": {"country": "de", "city": None}, "kind": "a", "tags": ["x"], "seen": True}


def test_the_reference_case_takes_the_quick_way():
    pipeline = a_quick_pipeline([1, 2, 13, 18, 19, 20], SCHEMA)
    line = encode_change(a_change(item={"id": "a", "note": "x", "n": 5, "doc": json.dumps(GOOD)}))

    assert quick_rows(pipeline)(line) == slower(line, Mapper(pipeline)) is not None


@pytest.mark.parametrize(
    "extra",
    [{}, {"unread": {"deep": [1, "é"]}}, {"n": None}, {"note": "x,y"}, {"price": Decimal("1.5")}],
    ids=["as it is", "an attribute nobody reads", "null", "quotes", "a decimal"],
)
def test_what_most_items_hold_takes_the_quick_way(extra):
    pipeline = a_quick_pipeline([1, 2, 4, 13, 18, 19], SCHEMA)
    item = {"id": "a", "doc": json.dumps({**GOOD, "other": 1.5}), **extra}
    line = encode_change(a_change(item=item))

    assert (quick_rows(pipeline)(line) is None) == (extra == {"n": None})
    compare(pipeline, line)


TEXTS = (
    "plain",
    "é",
    "日本",
    "a,b",
    'q"q',
    "b\\s",
    "NULL",
    "\\N",
    "n\nn",
    "\r",
    "t\tt",
    "\0",
    "\x1a",
    "\x7f",
    "",
    ",",
)


def test_texts_of_every_kind_are_written_as_the_slower_way_writes_them():
    pipeline = a_quick_pipeline([19, 20], SCHEMA)
    documents = [json.dumps({**GOOD, "place": {"country": text[:4], "city": text}}) for text in TEXTS]
    lines = [encode_change(a_change(item={"id": "a", "doc": document})) for document in documents]
    lines += [encode_change(a_change(item={"id": text[:6], "doc": documents[0]})) for text in TEXTS]

    mapper = Mapper(pipeline)
    assert [quick_rows(pipeline)(line) for line in lines] == [slower(line, mapper) for line in lines]


@pytest.mark.parametrize(
    ("mode", "on_ttl_delete"), [("mirror", "delete"), ("mirror", "soft_delete"), ("append", "delete")]
)
def test_a_delete_takes_the_quick_way(mode, on_ttl_delete):
    pipeline = a_quick_pipeline([13, 15, 16, 19], SCHEMA, mode=mode, on_ttl_delete=on_ttl_delete)
    lines = [encode_change(a_change(kind="REMOVE", item={"id": "a,b"}, by_ttl=by_ttl)) for by_ttl in (False, True)]

    found = [quick_rows(pipeline)(line) for line in lines]

    assert found == [slower(line, Mapper(pipeline)) for line in lines]
    assert None not in found


def test_a_delete_that_leaves_no_trace_is_left_to_the_slower_way():
    pipeline = a_quick_pipeline([1], None, on_ttl_delete="keep")

    assert quick_rows(pipeline)(encode_change(a_change(kind="REMOVE", item={"id": "a"}, by_ttl=True))) is None


@pytest.mark.parametrize("document", ["no JSON", "{}", '{"hits": 7e999}', json.dumps({**GOOD, "hits": "many"})])
def test_a_document_that_is_not_valid_is_rejected_with_the_words_of_the_slower_way(document):
    pipeline = a_quick_pipeline([18, 19], SCHEMA)
    line = encode_change(a_change(item={"id": "a", "doc": document}))

    error = quick_rows(pipeline)(line)

    assert isinstance(error, RejectError)
    assert str(error) == slower(line, Mapper(pipeline))


def test_what_is_wrong_in_front_of_a_document_is_what_rejects_the_change():
    pipeline = a_quick_pipeline([4, 18], SCHEMA)
    line = encode_change(a_change(item={"id": "a", "price": Decimal(1), "doc": "no JSON"})).replace(
        b'{"N":"1"}', b'{"N":"one"}'
    )

    compare(pipeline, line)
    assert slower(line, Mapper(pipeline)).startswith("bad_number at /price")


def test_a_pipeline_of_plain_attributes_takes_the_quick_way():
    pipeline = a_quick_pipeline([1, 2, 3, 4], None)
    mapper = Mapper(pipeline)
    items = [
        {"id": "a"},
        {"id": "a", "n": 7, "note": "x,y"},
        {"id": "a", "n": 300},
        {"id": "a", "n": -7},
        {"id": "a", "n": 0},
    ]
    lines = [encode_change(a_change(item=item)) for item in items]

    found = [quick_rows(pipeline)(line) for line in lines]

    assert [
        slow if quick is None else quick
        for quick, slow in zip(found, (slower(line, mapper) for line in lines), strict=True)
    ] == [slower(line, mapper) for line in lines]
    assert [quick is None for quick in found] == [False, False, True, True, False]


def test_the_epochs_of_many_streams_are_written_one_after_the_other():
    pipeline = a_quick_pipeline([1], None)
    quick, mapper = quick_rows(pipeline), Mapper(pipeline)
    lines = [encode_change(a_change(stream_epoch_ms=epoch)) for epoch in range(250)]

    assert [quick(line) for line in lines] == [slower(line, mapper) for line in lines]


def test_the_key_of_the_heartbeats_is_left_to_the_slower_way():
    pipeline = a_quick_pipeline([1], None, heartbeat=(KeyPart(attribute="id", kind="S", value="a"),))

    assert quick_rows(pipeline)(encode_change(a_change(item={"id": "a"}))) is None
    assert quick_rows(pipeline)(encode_change(a_change(item={"id": "b"}))) is not None


def test_a_pipeline_that_takes_the_item_or_a_document_whole_has_no_quick_way():
    whole = a_pipeline(columns=[a_column("id", "varchar(9)"), a_column("all", "json", source="$item")])

    assert quick_rows(whole) is None
    assert quick_rows(a_pipeline(documents={"n": "{}"})) is None
    assert quick_rows(a_pipeline()) is not None


def test_names_that_json_escapes_are_left_to_the_slower_way():
    odd = a_column("quoted", "varchar(9)", source='["q\\"uoted"]')
    schema = {"type": "object", "properties": {"back\\slash": {"type": "string"}}}
    inside = [a_column("id", "varchar(9)"), a_column("x", "varchar(9)", source="doc.x")]
    document = a_change(item={"id": "a", "doc": json.dumps({"x": "y"})})

    assert quick_rows(a_pipeline(columns=[a_column("id", "varchar(9)"), odd])) is None
    compare(a_pipeline(columns=inside, documents={"doc": json.dumps(schema)}), encode_change(document))


def test_items_encode_as_the_strategies_say():
    assert encode_item({"id": "a"}) == {"id": {"S": "a"}}
