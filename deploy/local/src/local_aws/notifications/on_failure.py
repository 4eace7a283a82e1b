"""What becomes of an event that is given up."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from local_aws.notifications.delivery import QueuedEvent

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedEvent:
    """An event that is given up, and why (`event.condition`)."""

    event: QueuedEvent
    function_name: str
    function_arn: str
    at: float


class Destination(Protocol):
    """Where failed events go."""

    def accept(self, failed: FailedEvent) -> None:
        """Keep *failed* for good, or raise."""
        ...


def record_of(failed: FailedEvent) -> Mapping[str, Any]:
    """Return the record that Lambda sends to an on-failure destination."""
    event = failed.event
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": _instant(failed.at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.last.request_id if event.last is not None else str(uuid.uuid4()),
            "functionArn": failed.function_arn,
            "condition": event.condition,
            "approximateInvokeCount": event.invocations,
        },
        "requestPayload": event.event,
    }
    # A function that never ran has answered nothing.
    if event.last is not None and event.last.error is not None:
        record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
        record["responsePayload"] = {
            "errorMessage": event.last.error.message,
            "errorType": event.last.error.error_type,
            "stackTrace": [],
        }
    return record


def key_of(failed: FailedEvent, *, object_id: uuid.UUID) -> str:
    """Return the key under which Lambda writes a failed event to S3."""
    at = _instant(failed.at)
    return f"aws/lambda/async/{failed.function_name}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{object_id}"


class BucketDestination:
    """Write failed events to an S3 bucket."""

    def __init__(self, *, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def accept(self, failed: FailedEvent) -> None:
        """
        Write one object.

        Raises:
            ClientError: The bucket refused it.
        """
        key = key_of(failed, object_id=uuid.uuid4())
        body = json.dumps(record_of(failed)).encode()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")


class QueueDestination:
    """Send failed events to an SQS queue."""

    def __init__(self, *, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def accept(self, failed: FailedEvent) -> None:
        """
        Send one message.

        Raises:
            ClientError: The queue refused it.
        """
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(record_of(failed)))


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
