"""One transformation event: each record on its own, every reason, and the limit of the answer."""

import base64
import binascii
import json
from decimal import Decimal

import msgspec
import pybase64
import pytest
import simplejson
from builders import a_change, a_column, a_pipeline
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.dialect import Row, decode_row
from ddb2aurora.envelope import encode_change
from ddb2aurora.errors import Reason
from ddb2aurora.mapping import Mapper
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import MAX_ANSWER_BYTES, EventShapeError, transform

GOOD = {"id": "a", "n": 1, "payload": '{"Hits": 7}', "text": "plain"}
VERSION = 1_767_607_200_000 * 10**40 + 100_000_000_000_000_000_001


def answered(*arguments, **limits):
    """Return what Firehose is told, and the id and reason of each record or change that failed."""
    done = transform(*arguments, **limits)
    return done.answer, [
        (decision.record_id, found.error.reason) for decision in done.others.values() for found in decision.rejections
    ]


def row_in(answer):
    return decode_row(base64.b64decode(answer["data"]))


def as_runtime_encodes(answer):
    """Return the bytes that awslambdaric makes of an answer."""
    return simplejson.dumps(answer, use_decimal=True, ensure_ascii=True).encode()


def test_a_change_becomes_one_line_that_ends_in_a_newline(make, row_lines):
    answer, rejections = answered(make.event(make.record(make.change())), row_lines)

    line = f"{make.pipeline.shape},U,{VERSION},1767700000000,a,7,1,plain\n".encode()
    assert answer == {"records": [{"recordId": "record-1", "result": "Ok", "data": base64.b64encode(line).decode()}]}
    assert rejections == []


def test_a_delete_becomes_a_line_with_the_key_alone(make, row_lines):
    change = a_change(kind="REMOVE", item=GOOD)

    answer, _ = answered(make.event(make.record(change)), row_lines)

    row = Row(make.pipeline.shape, "D", VERSION, 1_767_700_000_000, ("a", None, None, None))
    assert row_in(answer["records"][0]) == row


def test_an_event_without_records_is_answered_without_records(make, row_lines):
    assert answered(make.event(), row_lines) == ({"records": []}, [])


BAD_DATA = {
    "not base64": {"data": "!!!!"},
    "base64 with something between": {"data": "eyJ2Ijo\n="},
    "a change with a stray character": {"data": "!" + base64.b64encode(encode_change(a_change(item=GOOD))).decode()},
    "base64 cut off": {"data": "eyJ2I"},
    "not even ASCII": {"data": "é"},
    "null": {"data": None},
    "a number": {"data": 7},
    "an object": {"data": {"S": "x"}},
    "missing": {},
}
BAD_BYTES = {
    "nothing": (b"", Reason.UNDECODABLE),
    "not JSON": (b"{", Reason.UNDECODABLE),
    "not UTF-8": (b'{"v":1,"event":"\xff"}', Reason.UNDECODABLE),
    "an array": (b"[]", Reason.UNDECODABLE),
    "a change cut off": (encode_change(a_change())[:-20], Reason.UNDECODABLE),
    "two changes on one line": (encode_change(a_change()).strip() * 2, Reason.UNDECODABLE),
    "garbage of several lines": (b"\n{\n}\n\n[]\n", Reason.UNDECODABLE),
    "an unknown event": (encode_change(a_change()).replace(b"INSERT", b"ARCHIVE"), Reason.UNDECODABLE),
    "deeply nested": (b'{"v":1,"event":' + b"[" * 100_000, Reason.UNDECODABLE),
    "another format version": (encode_change(a_change()).replace(b'"v":1', b'"v":2'), Reason.UNKNOWN_FORMAT),
}
BAD_CHANGES = {
    "a sequence number of letters": (a_change(item=GOOD, sequence_number="abc"), Reason.UNDECODABLE),
    "an insert without image": (
        msgspec.structs.replace(a_change(item=GOOD), image=None),
        Reason.UNDECODABLE,
    ),
    "an attribute of no type": (
        msgspec.structs.replace(a_change(item=GOOD), image={"id": {"S": "a"}, "n": {"X": "1"}}),
        Reason.UNDECODABLE,
    ),
    "another key": (a_change(item=GOOD | {"other": "x"}, key=("other",)), Reason.KEY_MISMATCH),
    "a number that is none": (
        msgspec.structs.replace(a_change(item=GOOD), image={"n": {"N": "one"}}),
        Reason.BAD_NUMBER,
    ),
    "no document": (a_change(item={"id": "a", "n": 1}), Reason.DOCUMENT_MISSING),
    "a document that is no text": (a_change(item=GOOD | {"payload": {"Hits": 7}}), Reason.DOCUMENT_NOT_TEXT),
    "a document cut off": (a_change(item=GOOD | {"payload": '{"Hits": 7'}), Reason.DOCUMENT_NOT_JSON),
    "a document with half a surrogate pair": (a_change(item=GOOD | {"payload": '"\\ud800"'}), Reason.DOCUMENT_NOT_JSON),
    "a document that breaks its schema": (a_change(item=GOOD | {"payload": '{"Hits": "7"}'}), Reason.SCHEMA_VIOLATION),
    "a value that does not fit": (a_change(item=GOOD | {"n": 2**31}), Reason.MISFIT),
    "a text that is too long": (a_change(item=GOOD | {"text": "x" * 1001}), Reason.MISFIT),
    "no value where NULL is forbidden": (a_change(item={"id": "a", "payload": '{"Hits": 7}'}), Reason.NULL_NOT_ALLOWED),
}


def bad_records():
    for name, members in BAD_DATA.items():
        yield pytest.param({"recordId": "bad", **members}, Reason.UNDECODABLE, id=f"data is {name}")
    for name, (data, reason) in BAD_BYTES.items():
        yield pytest.param({"recordId": "bad", "data": base64.b64encode(data).decode()}, reason, id=f"data is {name}")
    for name, (change, reason) in BAD_CHANGES.items():
        data = base64.b64encode(encode_change(change)).decode()
        yield pytest.param({"recordId": "bad", "data": data}, reason, id=name)


@pytest.mark.parametrize(("record", "reason"), [*bad_records()])
def test_a_bad_record_fails_alone_with_its_reason(make, row_lines, record, reason):
    before, after = make.record(make.change(), "before"), make.record(make.change(text="after"), "after")
    alone = [transform(make.event(neighbour), row_lines).answer["records"][0] for neighbour in (before, after)]

    answer, rejections = answered(make.event(before, record, after), row_lines)

    assert answer == {"records": [alone[0], {"recordId": "bad", "result": "ProcessingFailed", "data": ""}, alone[1]]}
    assert rejections == [("bad", reason)]


def test_the_reasons_above_are_all_that_a_record_can_meet_here():
    elsewhere = {
        Reason.ANSWER_TOO_LARGE,  # the limit of the answer, below
        Reason.UNEXPECTED,  # a defect, below
        Reason.OVERSIZED,  # of the stream-processor
        Reason.MALFORMED,  # of the stream-processor
    }

    tested = {parameter.values[1] for parameter in bad_records()}

    assert tested == set(Reason) - elsewhere


class DefectiveMapper(Mapper):
    """Maps, except what says boom."""

    def row(self, change):
        if change.event_id == "boom":
            raise ZeroDivisionError("secret value of the item")
        return super().row(change)


def test_a_defect_met_by_one_record_costs_no_other_its_place(make):
    records = [
        make.record(a_change(item=GOOD), "1"),
        make.record(a_change(item=GOOD, event_id="boom"), "2"),
        make.record(a_change(item=GOOD), "3"),
    ]

    done = transform(make.event(*records), RowLines(make.pipeline, mapper=DefectiveMapper(make.pipeline)))

    [rejection] = done.others[1].rejections
    assert [record["result"] for record in done.answer["records"]] == ["Ok", "ProcessingFailed", "Ok"]
    assert str(rejection.error) == "unexpected: ZeroDivisionError"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"records": None},
        {"records": {"recordId": "1"}},
        {"records": ["record"]},
        {"records": [{"data": ""}]},
        {"records": [{"recordId": 7, "data": ""}]},
        {"Records": []},
        None,
    ],
)
def test_an_event_of_another_kind_halts_and_says_who_should_call(row_lines, event):
    with pytest.raises(EventShapeError, match="let a delivery stream call this"):
        transform(event, row_lines)


def test_the_answer_is_in_the_order_of_the_event_with_its_ids(make, row_lines):
    ids = ["9", "1", "é😀", "5", "\\", '"']
    records = [make.record(make.change() if id_ != "1" else b"bad", id_) for id_ in ids]

    answer, _ = answered(make.event(*records), row_lines)

    assert [record["recordId"] for record in answer["records"]] == ids


def test_the_same_event_gives_the_same_bytes_from_any_mapper_at_any_time(make):
    everything = {"set": {"b", "a", "c"}, "numbers": {1, 2, 3}, "map": {"z": 1, "a": None}, **GOOD}
    pipeline = a_pipeline(columns=[a_column("id", "varchar(10)"), a_column("all", "json", source="$item")])
    event = make.event(make.record(a_change(item=everything)), make.record(b"bad"))

    answers = [as_runtime_encodes(transform(event, RowLines(pipeline)).answer) for _ in range(3)]

    assert len(set(answers)) == 1


def test_the_answer_is_text_throughout_and_encodes_as_the_runtime_does(make, row_lines):
    item = GOOD | {"text": 'a,"b"\\\n\0€😀', "n": Decimal("1E+3")}

    answer, _ = answered(make.event(make.record(a_change(item=item)), make.record(b"bad")), row_lines)

    assert json.loads(as_runtime_encodes(answer)) == answer
    assert {type(value) for record in answer["records"] for value in record.values()} == {str}
    assert row_in(answer["records"][0]).fields == ("a", "7", "1000", 'a,"b"\\\n\0€😀')


def test_a_record_that_just_fits_the_answer_passes_and_one_byte_less_fails_it(make, row_lines):
    event = make.event(make.record(make.change(), "1"), make.record(make.change(), "2"))
    # Only the longer word for a failure is counted on top of what is really sent.
    exact = (
        len(as_runtime_encodes(transform(event, row_lines).answer)) + 2 * len("ProcessingFailed") - 2 * len("Ok") + 2
    )

    fits, _ = answered(event, row_lines, max_answer_bytes=exact)
    exceeds, rejections = answered(event, row_lines, max_answer_bytes=exact - 1)

    assert [record["result"] for record in fits["records"]] == ["Ok", "Ok"]
    assert [record["result"] for record in exceeds["records"]] == ["Ok", "ProcessingFailed"]
    assert rejections == [("2", Reason.ANSWER_TOO_LARGE)]


def test_a_record_that_does_not_fit_is_handed_back_while_later_smaller_ones_pass(make, row_lines):
    sizes = [10, 900, 10, 10]
    event = make.event(*(make.record(make.change(text="x" * size), str(place)) for place, size in enumerate(sizes)))

    answer, rejections = answered(event, row_lines, max_answer_bytes=1500)

    assert [record["result"] for record in answer["records"]] == ["Ok", "ProcessingFailed", "Ok", "Ok"]
    assert rejections == [("1", Reason.ANSWER_TOO_LARGE)]
    assert len(as_runtime_encodes(answer)) <= 1500


def test_a_full_answer_of_lambda_stays_below_6_mb_and_hands_back_the_rest(make):
    pipeline = a_pipeline(columns=[a_column("id", "varchar(10)"), a_column("text", "mediumtext")])
    records = [make.record(a_change(item={"id": "a", "text": "é" * 400_000}), str(number)) for number in range(8)]

    answer, rejections = answered(make.event(*records), RowLines(pipeline))

    assert [record["result"] for record in answer["records"]] == ["Ok"] * 5 + ["ProcessingFailed"] * 3
    assert rejections == [(place, Reason.ANSWER_TOO_LARGE) for place in "567"]
    assert len(as_runtime_encodes(answer)) <= MAX_ANSWER_BYTES == 6_000_000


@given(
    contents=st.lists(
        st.tuples(st.text(max_size=8), st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=60))),
        max_size=12,
        unique_by=lambda pair: pair[0],
    ),
    limit=st.integers(0, 4000),
)
def test_no_answer_exceeds_its_limit_or_loses_a_record(row_lines, contents, limit):
    records = []
    for record_id, text in contents:
        data = b"bad" if text is None else encode_change(a_change(item=GOOD | {"text": text}))
        records.append({"recordId": record_id, "data": base64.b64encode(data).decode()})

    answer, rejections = answered({"records": records}, row_lines, max_answer_bytes=limit)

    failed_alone = {"records": [{"recordId": i, "result": "ProcessingFailed", "data": ""} for i, _ in contents]}
    assert len(as_runtime_encodes(answer)) <= max(limit, len(as_runtime_encodes(failed_alone)))
    assert [record["recordId"] for record in answer["records"]] == [record_id for record_id, _ in contents]
    failed = [record["recordId"] for record in answer["records"] if record["result"] == "ProcessingFailed"]
    assert failed == [record_id for record_id, _ in rejections]
    for (_, text), record in zip(contents, answer["records"], strict=True):
        if record["result"] == "Ok":
            line = row_lines.of(encode_change(a_change(item=GOOD | {"text": text})))
            assert base64.b64decode(record["data"]) == line


@given(st.text("ABab01+/= \n-_é", max_size=9) | st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode()))
def test_the_quick_base64_decoder_takes_nothing_that_the_strict_one_does_not(text):
    try:
        quick = pybase64.b64decode(text, validate=True)
    except ValueError:
        return

    assert quick == binascii.a2b_base64(text, strict_mode=True)


@given(
    texts=st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=20)), min_size=1, max_size=6),
    hits=st.one_of(st.integers(-5, 5), st.just("many")),
)
def test_both_ways_give_the_same_answer(row_lines, texts, hits):
    slower = RowLines(row_lines.pipeline, mapper=Mapper(row_lines.pipeline))
    changes = [a_change(item=GOOD | {"text": text, "payload": json.dumps({"Hits": hits})}) for text in texts]
    event = {
        "records": [
            {"recordId": str(number), "data": base64.b64encode(encode_change(change)).decode()}
            for number, change in enumerate(changes)
        ]
    }

    assert transform(event, row_lines).answer == transform(event, slower).answer
