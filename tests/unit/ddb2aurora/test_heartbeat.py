"""Heartbeats on their way: as an item, as a change, as a row, and never as anything of the target's."""

import msgspec
import pytest
from builders import CHANGED_AT_MS, a_change, a_column, a_pipeline
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.dialect import Row, decode_row, encode_row
from ddb2aurora.envelope import decode_change, encode_change
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.heartbeat import Heartbeat, heartbeat_change, heartbeat_in, heartbeat_item
from ddb2aurora.mapping import Mapper
from ddb2aurora.model import rows_after
from ddb2aurora.pipeline import KeyPart

SENT_AT_MS = 1_767_700_000_000
BEAT = Heartbeat(7, SENT_AT_MS)
VERSION = SENT_AT_MS * 10**40 + 7
KEPT = (KeyPart("id", "S", "beat"),)
# The bytes of format version 1, which lie in buckets and are never changed.
GOLDEN = (
    b'{"v":1,"event":"HEARTBEAT","id":"heartbeat-7","table":"things","keys":{},"image":null,"at_ms":null,'
    b'"sequence":"7","epoch_ms":1767700000000,"ttl":false,"trimmed":false}\n'
)


def a_pipeline_that_keeps_a_key(**parts):
    return a_pipeline(heartbeat=KEPT, **parts)


def written(item, kind="INSERT"):
    """Return the change that the stream makes of *item*, which is in DynamoDB JSON."""
    change = a_change(kind=kind, item={"id": item["id"]["S"]})
    return decode_change(encode_change(msgspec.structs.replace(change, image=item)))


def test_the_bytes_of_a_heartbeat_stay_what_they_are():
    assert encode_change(heartbeat_change(BEAT, pipeline=a_pipeline())) == GOLDEN
    assert decode_change(GOLDEN) == heartbeat_change(BEAT, pipeline=a_pipeline())


@given(st.integers(0, 2**128 - 1), st.integers(0, 253_402_300_799_999))
def test_a_heartbeat_is_the_same_after_its_way_as_a_change(number, sent_at_ms):
    beat = Heartbeat(number, sent_at_ms)

    assert heartbeat_in(decode_change(encode_change(heartbeat_change(beat, pipeline=a_pipeline())))) == beat


@given(st.integers(0, 2**128 - 1), st.integers(0, 253_402_300_799_999))
def test_a_heartbeat_is_the_same_after_its_way_as_an_item(number, sent_at_ms):
    beat = Heartbeat(number, sent_at_ms)
    image = heartbeat_item(beat, pipeline=a_pipeline_that_keeps_a_key())

    assert heartbeat_in(written(image)) == beat


def test_a_heartbeat_that_is_put_into_the_delivery_stream_becomes_a_row_without_a_time_of_the_stream():
    pipeline = a_pipeline()

    row = Mapper(pipeline).row(heartbeat_change(BEAT, pipeline=pipeline))

    assert row == Row(pipeline.shape, "H", VERSION, None, ("", None, None))
    assert decode_row(encode_row(row)) == row


@pytest.mark.parametrize("kind", ["INSERT", "MODIFY"])
def test_a_heartbeat_that_is_an_item_becomes_a_row_with_the_time_of_the_stream(kind):
    pipeline = a_pipeline_that_keeps_a_key()

    row = Mapper(pipeline).row(written(heartbeat_item(BEAT, pipeline=pipeline), kind))

    assert row == Row(pipeline.shape, "H", VERSION, CHANGED_AT_MS, ("", None, None))


@pytest.mark.parametrize("mode", ["mirror", "soft_delete", "append"])
def test_the_delete_of_the_item_that_is_kept_leaves_no_trace(mode):
    pipeline = a_pipeline_that_keeps_a_key(mode=mode)

    assert Mapper(pipeline).row(a_change(kind="REMOVE", item={"id": "beat"})) is None


def test_an_item_with_another_key_is_an_item():
    pipeline = a_pipeline_that_keeps_a_key()

    assert Mapper(pipeline).row(a_change(item={"id": "Beat", "n": 1})).operation == "U"


def test_without_a_key_that_is_kept_no_item_is_a_heartbeat():
    assert Mapper(a_pipeline()).row(a_change(item={"id": "beat", "n": 1})).operation == "U"
    assert not a_pipeline().is_heartbeat({})


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"heartbeat_id": {"N": "1"}},
        {"heartbeat_id": {"S": "one"}, "sent_at_ms": {"N": "1"}},
        {"heartbeat_id": {"BOOL": True}, "sent_at_ms": {"N": "1"}},
        {"heartbeat_id": {"N": "1"}, "sent_at_ms": {"N": "-1"}},
        {"heartbeat_id": {"N": "1.5"}, "sent_at_ms": {"N": "1"}},
        {"heartbeat_id": {"N": "9" * 41}, "sent_at_ms": {"N": "1"}},
    ],
)
def test_an_item_under_the_key_that_is_no_heartbeat_is_rejected(attributes):
    change = written({"id": {"S": "beat"}, **attributes})

    with pytest.raises(RejectError) as caught:
        Mapper(a_pipeline_that_keeps_a_key()).row(change)

    assert (caught.value.reason, caught.value.pointer) == (Reason.MALFORMED, "/image")
    assert caught.value.detail == "not a heartbeat, although its key is kept for one"


def test_both_parts_of_a_key_tell_a_heartbeat_and_whatever_its_attributes_are_called_the_key_stands():
    parts = (KeyPart("heartbeat_id", "S", "beat"), KeyPart("at", "N", "0"))
    columns = (a_column("heartbeat_id", "varchar(9)"), a_column("at", "bigint"))
    pipeline = a_pipeline(source_key=("heartbeat_id", "at"), columns=columns, heartbeat=parts)

    item = heartbeat_item(BEAT, pipeline=pipeline)

    assert (item["heartbeat_id"], item["at"]) == ({"S": "beat"}, {"N": "0"})
    assert pipeline.is_heartbeat(item)
    assert not pipeline.is_heartbeat({**item, "at": {"N": "1"}})


def test_every_type_of_key_has_something_that_fits_in_a_heartbeat_s_row():
    types = ("int", "decimal(9,2)", "varchar(9)", "varbinary(9)")
    pipelines = [a_pipeline(columns=(a_column("id", type_),)) for type_ in types]

    fields = [Mapper(found).row(heartbeat_change(BEAT, pipeline=found)).fields for found in pipelines]

    assert fields == [("0",), ("0",), ("",), ("",)]


@pytest.mark.parametrize("mode", ["mirror", "append"])
def test_in_the_model_a_heartbeat_is_no_row(mode):
    pipeline = a_pipeline(mode=mode)
    row = Mapper(pipeline).row(heartbeat_change(BEAT, pipeline=pipeline))

    assert rows_after([row], pipeline=pipeline) == {}
