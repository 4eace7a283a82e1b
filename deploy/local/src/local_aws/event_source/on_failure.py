"""What becomes of a batch that is given up."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from local_aws.event_source.lane import Batch
from local_aws.event_source.records import event_of
from local_aws.runtime.answers import encoded

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardedBatch:
    """A batch that is given up, and why."""

    batch: Batch
    condition: str
    shard_id: str
    stream_arn: str
    mapping_uuid: str
    function_arn: str
    at: float


class Destination(Protocol):
    """Where discarded batches go."""

    def accept(self, discarded: DiscardedBatch) -> None:
        """Keep *discarded* for good, or raise."""
        ...


def pointer_to(discarded: DiscardedBatch) -> dict[str, Any]:
    """Return the message about a discarded batch: where its records are in the stream, not the records."""
    batch = discarded.batch
    first, last = batch.records[0], batch.records[-1]
    message: dict[str, Any] = {
        "requestContext": {
            "requestId": batch.last.request_id if batch.last is not None else str(uuid.uuid4()),
            # A mapping names its function without a version.
            "functionArn": discarded.function_arn.removesuffix(":$LATEST"),
            "condition": discarded.condition,
            "approximateInvokeCount": batch.invocations,
        }
    }
    if batch.last is not None:
        message["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if batch.last.error is not None:
            message["responseContext"]["functionError"] = "Unhandled"
    message |= {
        "version": "1.0",
        "timestamp": _instant(discarded.at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "DDBStreamBatchInfo": {
            "shardId": discarded.shard_id,
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": _whole_seconds(first.created_at),
            "approximateArrivalOfLastRecord": _whole_seconds(last.created_at),
            "batchSize": len(batch.records),
            "streamArn": discarded.stream_arn,
        },
    }
    return message


def whole(discarded: DiscardedBatch) -> Mapping[str, Any]:
    """Return the pointer with the event itself, as JSON text: what only the S3 destination gets."""
    return {**pointer_to(discarded), "payload": encoded(event_of(discarded.batch.records)).decode()}


def key_of(discarded: DiscardedBatch, *, object_id: uuid.UUID) -> str:
    """Return the key under which Lambda writes a discarded batch to S3."""
    at = _instant(discarded.at)
    return f"aws/lambda/{discarded.mapping_uuid}/{discarded.shard_id}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{object_id}"


class BucketDestination:
    """Write discarded batches, records included, to an S3 bucket."""

    def __init__(self, *, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def accept(self, discarded: DiscardedBatch) -> None:
        """
        Write one object.

        Raises:
            ClientError: The bucket refused it.
        """
        key = key_of(discarded, object_id=uuid.uuid4())
        body = json.dumps(whole(discarded)).encode()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")


class QueueDestination:
    """Send a pointer to each discarded batch to an SQS queue; the records stay in the stream until they expire."""

    def __init__(self, *, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def accept(self, discarded: DiscardedBatch) -> None:
        """
        Send one message.

        Raises:
            ClientError: The queue refused it.
        """
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(pointer_to(discarded)))


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _whole_seconds(seconds: float) -> str:
    return f"{_instant(seconds):%Y-%m-%dT%H:%M:%SZ}"
