import json
import uuid

import pytest

from local_aws.event_source.lane import Batch
from local_aws.event_source.on_failure import DiscardedBatch, key_of, pointer_to, whole
from local_aws.functions import FunctionError, Invocation

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-05T10:00:00.000"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:stream-reader"
BROKEN = Invocation("0b2f3c1e", error=FunctionError("Unhandled", "ValueError", "boom"))


@pytest.fixture
def discarded(a_record):
    def build(condition="RetryAttemptsExhausted", **batch):
        records = (a_record(7, created_at=1795515240), a_record(8, created_at=1795515242.9))
        return DiscardedBatch(
            batch=Batch(records, **{"invocations": 4, "last": BROKEN, **batch}),
            condition=condition,
            shard_id="shardId-0001",
            stream_arn=ARN,
            mapping_uuid="9f0d",
            function_arn=f"{FUNCTION}:$LATEST",
            at=1795515330.123,
        )

    return build


def test_the_message_about_a_batch_points_into_the_stream_and_holds_no_records(discarded):
    assert pointer_to(discarded()) == {
        "requestContext": {
            "requestId": "0b2f3c1e",
            "functionArn": FUNCTION,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 4,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-11-24T10:15:30.123Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-0001",
            "startSequenceNumber": f"{7:021d}",
            "endSequenceNumber": f"{8:021d}",
            "approximateArrivalOfFirstRecord": "2026-11-24T10:14:00Z",
            "approximateArrivalOfLastRecord": "2026-11-24T10:14:02Z",
            "batchSize": 2,
            "streamArn": ARN,
        },
    }


def test_the_s3_object_is_the_message_with_the_whole_event_as_json_text(discarded):
    batch = discarded()

    written = dict(whole(batch))
    payload = written.pop("payload")

    assert written == pointer_to(batch)
    assert json.loads(payload) == {"Records": [record.event for record in batch.batch.records]}


def test_a_batch_that_was_never_tried_has_no_response_context(discarded):
    message = pointer_to(discarded("RecordAgeExceeded", invocations=0, last=None))

    assert "responseContext" not in message
    assert message["requestContext"]["approximateInvokeCount"] == 0


def test_the_s3_key_names_mapping_shard_day_and_moment(discarded):
    object_id = uuid.UUID(int=1)

    key = key_of(discarded(), object_id=object_id)

    assert key == f"aws/lambda/9f0d/shardId-0001/2026/11/24/2026-11-24T10.15.30-{object_id}"
