"""From records of a stream to the bytes of changes."""

import json

import msgspec
import pytest
from builders import CHANGED_AT_MS, STREAM_EPOCH_MS, a_change, a_column, a_pipeline, a_stream_record

from ddb2aurora.envelope import Change, decode_change
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.version import StreamArnError
from stream_processor.changes import (
    MAX_RECORD_BYTES,
    Outgoing,
    StreamViewError,
    TooLargeError,
    change_from,
    outgoing_from,
)


def with_body(**members):
    record = a_stream_record()
    return {**record, "dynamodb": {**record["dynamodb"], **members}}


def without(record, *path):
    *outer, last = path
    inner = record
    for step in outer:
        inner = inner[step]
    del inner[last]
    return record


@pytest.mark.parametrize("kind", ["INSERT", "MODIFY", "REMOVE"])
def test_each_kind_of_event_becomes_a_change_that_survives_the_wire(kind):
    change = change_from(a_stream_record(kind=kind))

    data = outgoing_from(change, a_pipeline()).data

    assert change == a_change(kind=kind)
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    assert decode_change(data) == change


def test_the_envelope_holds_the_image_untouched():
    item = {"id": "a", "all": {"n": 12, "l": [b"\0\1", None, True], "set": {"x", "y"}}, "text": '",\\\n\0\u2028€😀'}
    record = a_stream_record(item=item)

    data = outgoing_from(change_from(record), a_pipeline()).data

    assert json.loads(data) == {
        "v": 1,
        "event": "INSERT",
        "id": "event-1",
        "table": "things",
        "keys": {"id": {"S": "a"}},
        "image": record["dynamodb"]["NewImage"],
        "at_ms": CHANGED_AT_MS,
        "sequence": "100000000000000000001",
        "epoch_ms": STREAM_EPOCH_MS,
        "ttl": False,
        "trimmed": False,
    }


def test_a_delete_by_time_to_live_is_told_apart():
    assert change_from(a_stream_record(kind="REMOVE", by_ttl=True)) == a_change(kind="REMOVE", by_ttl=True)


@pytest.mark.parametrize(
    "identity",
    [
        None,
        {},
        {"type": "Service", "principalId": "replication.dynamodb.amazonaws.com"},
        {"type": "User", "principalId": "dynamodb.amazonaws.com"},
        {"principalId": "dynamodb.amazonaws.com"},
    ],
)
def test_a_delete_by_anyone_else_is_not_one_by_time_to_live(identity):
    record = a_stream_record(kind="REMOVE") | {"userIdentity": identity}

    assert not change_from(record).by_ttl


def test_a_delete_carries_no_image_even_if_its_record_does():
    record = a_stream_record(kind="INSERT") | {"eventName": "REMOVE"}

    assert change_from(record) == a_change(kind="REMOVE")


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [
        (1764000000, 1764000000000),
        (1764000000.0, 1764000000000),
        (1764000000.123, 1764000000123),
        ("1764000000", 1764000000000),
        (0, 0),
        (None, None),
    ],
)
def test_the_creation_time_is_read_in_every_form_it_comes_in(seconds, milliseconds):
    assert change_from(with_body(ApproximateCreationDateTime=seconds)).changed_at_ms == milliseconds


def test_a_record_without_creation_time_is_a_change_without_time():
    assert change_from(a_stream_record(changed_at_ms=None)).changed_at_ms is None


@pytest.mark.parametrize("number", ["111", "1" * 21, "9" * 40])
def test_sequence_numbers_of_every_length_are_taken(number):
    assert change_from(a_stream_record(sequence_number=number)).sequence_number == number


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(None, id="null"),
        pytest.param("record", id="text"),
        pytest.param({}, id="empty"),
        pytest.param(without(a_stream_record(), "eventSourceARN"), id="no ARN"),
        pytest.param(without(a_stream_record(), "eventID"), id="no event id"),
        pytest.param(without(a_stream_record(), "dynamodb"), id="no body"),
        pytest.param(a_stream_record() | {"dynamodb": None}, id="body is null"),
        pytest.param(without(a_stream_record(), "dynamodb", "Keys"), id="no keys"),
        pytest.param(without(a_stream_record(), "dynamodb", "SequenceNumber"), id="no sequence number"),
        pytest.param(a_stream_record() | {"eventName": "ARCHIVE"}, id="unknown event"),
        pytest.param(a_stream_record() | {"eventSourceARN": 7}, id="ARN of another type"),
        pytest.param(a_stream_record() | {"userIdentity": "root"}, id="identity of another type"),
        pytest.param(with_body(Keys=["id"]), id="keys of another type"),
        pytest.param(with_body(NewImage="item"), id="image of another type"),
        pytest.param(with_body(SequenceNumber=1), id="sequence number of another type"),
        pytest.param(with_body(SequenceNumber=""), id="empty sequence number"),
        pytest.param(with_body(SequenceNumber="-1"), id="negative sequence number"),
        pytest.param(with_body(SequenceNumber="1" * 41), id="sequence number of 41 digits"),
        pytest.param(with_body(SequenceNumber="\u0661"), id="digits of another script"),
        pytest.param(with_body(ApproximateCreationDateTime="noon"), id="time is text"),
        pytest.param(with_body(ApproximateCreationDateTime=True), id="time is true"),
        pytest.param(with_body(ApproximateCreationDateTime=-1), id="time before 1970"),
        pytest.param(with_body(ApproximateCreationDateTime=253_402_300_800), id="time in the year 10000"),
        pytest.param(with_body(ApproximateCreationDateTime=float("nan")), id="time is not a number"),
        pytest.param(with_body(ApproximateCreationDateTime=float("inf")), id="time without end"),
        pytest.param(with_body(ApproximateCreationDateTime=10**400), id="time beyond a double"),
    ],
)
def test_what_is_not_a_record_of_a_stream_is_malformed(record):
    with pytest.raises(RejectError) as caught:
        change_from(record)

    assert caught.value.reason is Reason.MALFORMED


def test_the_text_of_a_malformed_record_holds_no_value_of_its_item():
    record = with_body(Keys={"id": {"S": "secret"}}, NewImage=["secret"], ApproximateCreationDateTime="secret")

    with pytest.raises(RejectError) as caught:
        change_from(record)

    assert str(caught.value) == (
        "malformed: not a record of a DynamoDB stream: Expected `object | null`, got `array` - at `$.dynamodb.NewImage`"
    )


def test_the_text_of_a_bad_time_does_not_quote_it():
    with pytest.raises(RejectError) as caught:
        change_from(with_body(ApproximateCreationDateTime="secret"))

    assert str(caught.value) == "malformed: not a record of a DynamoDB stream"


def test_an_event_of_another_service_halts_and_says_what_to_connect():
    record = a_stream_record() | {"eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:queue"}

    with pytest.raises(StreamArnError, match="event source mapping"):
        change_from(record)


@pytest.mark.parametrize("kind", ["INSERT", "MODIFY"])
def test_a_stream_without_new_images_halts_and_says_how_to_enable_them(kind):
    record = without(a_stream_record(kind=kind), "dynamodb", "NewImage")
    record["dynamodb"]["StreamViewType"] = "KEYS_ONLY"

    with pytest.raises(StreamViewError, match=r"stream of things has the view type KEYS_ONLY.*NEW_AND_OLD_IMAGES"):
        change_from(record)


def test_half_of_a_surrogate_pair_is_malformed_and_does_not_break_the_batch():
    change = change_from(with_body(NewImage={"id": {"S": "\ud800"}}))

    with pytest.raises(RejectError) as caught:
        outgoing_from(change, a_pipeline())

    assert caught.value.reason is Reason.MALFORMED


def filled_to(size: int, *, attribute: str = "note", kind: str = "INSERT") -> Change:
    """Return a change whose encoded form has exactly *size* bytes."""
    overhead = len(outgoing_from(a_change(kind=kind, item={"id": "a", attribute: ""}), a_pipeline()).data)
    return a_change(kind=kind, item={"id": "a", attribute: "x" * (size - overhead)})


def test_a_change_of_exactly_the_record_limit_is_forwarded_whole():
    change = filled_to(MAX_RECORD_BYTES, attribute="unmapped")

    outgoing = outgoing_from(change, a_pipeline())

    assert len(outgoing.data) == MAX_RECORD_BYTES
    assert outgoing.sequence_number == change.sequence_number
    assert decode_change(outgoing.data) == change


def test_one_byte_more_is_trimmed_to_what_the_pipeline_maps():
    pipeline = a_pipeline(
        documents={"doc": "{}"},
        columns=[a_column("id", "varchar(10)"), a_column("n"), a_column("deep", source="deep.inner")],
    )
    kept = {"id": "a", "n": 1, "deep": {"inner": 2, "beside": 3}, "doc": "{}"}
    change = a_change(item={**kept, "unmapped": "x" * MAX_RECORD_BYTES})

    outgoing = outgoing_from(change, pipeline)

    assert decode_change(outgoing.data) == msgspec.structs.replace(a_change(item=kept), trimmed=True)


def test_a_change_that_is_too_large_even_without_the_unmapped_is_rejected_whole():
    # Its trimmed form says true where the whole one says false, and is so one byte shorter.
    change = filled_to(MAX_RECORD_BYTES + 2)

    with pytest.raises(TooLargeError) as caught:
        outgoing_from(change, a_pipeline())

    assert caught.value.reason is Reason.OVERSIZED
    assert caught.value.change == change
    assert decode_change(caught.value.data) == change
    assert "1024002 bytes" in str(caught.value)


def test_no_attribute_is_left_out_when_a_column_holds_the_whole_item():
    pipeline = a_pipeline(columns=[a_column("id", "varchar(10)"), a_column("all", "json", source="$item")])

    with pytest.raises(TooLargeError):
        outgoing_from(filled_to(MAX_RECORD_BYTES + 1, attribute="unmapped"), pipeline)


def test_a_delete_that_is_too_large_is_rejected():
    change = a_change(kind="REMOVE", item={"id": "x" * MAX_RECORD_BYTES})

    with pytest.raises(TooLargeError):
        outgoing_from(change, a_pipeline())


def test_what_goes_out_bears_the_sequence_number_of_the_stream():
    assert outgoing_from(a_change(sequence_number="42"), a_pipeline()) == Outgoing(
        "42",
        b'{"v":1,"event":"INSERT","id":"event-1","table":"things","keys":{"id":{"S":"a"}},'
        b'"image":{"id":{"S":"a"},"n":{"N":"1"},"note":{"S":"boring"}},"at_ms":1767700000000,'
        b'"sequence":"42","epoch_ms":1767607200000,"ttl":false,"trimmed":false}\n',
    )
