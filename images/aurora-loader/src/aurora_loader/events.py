"""
What an event announces: which objects were made, and in which message of a queue each was told.

Four shapes are read: S3's own, the same as the body of an SQS message, the same inside an SNS message inside an SQS
message, and EventBridge's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from ddb2aurora.database.ledger import ObjectRef, make_object_ref
from ddb2aurora.errors import HaltError

_HINT: Final = "connect this function to S3, to a queue of S3 notifications, or to EventBridge"


class EventShapeError(HaltError):
    """An event is none that announces objects."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Objects that were announced together; *message_id* is None outside a queue, *error* says why it is unreadable."""

    objects: tuple[ObjectRef, ...]
    message_id: str | None = None
    error: EventShapeError | None = None


def announcements_in(event: Mapping[str, Any]) -> tuple[Announcement, ...]:
    """
    Return what *event* announces. A message of a queue that cannot be read is an announcement with an error.

    Raises:
        EventShapeError: The event as a whole is of no known shape.
    """
    records = event.get("Records")
    if isinstance(records, list) and records and all(_is_from(record, "aws:sqs") for record in records):
        return tuple(_from_message(record) for record in records)
    return (Announcement(_objects(event)),)


def _is_from(record: object, source: str) -> bool:
    return isinstance(record, Mapping) and record.get("eventSource") == source


def _from_message(message: Mapping[str, Any]) -> Announcement:
    message_id = str(message.get("messageId"))
    try:
        body = _parse(message.get("body"))
        if "Message" in body and "TopicArn" in body:
            body = _parse(body["Message"])
        return Announcement(_objects(body), message_id)
    except EventShapeError as error:
        return Announcement((), message_id, error)


def _parse(text: object) -> Mapping[str, Any]:
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        body = None
    if not isinstance(body, Mapping):
        raise EventShapeError(f"the body of a message is no JSON object; {_HINT}")
    return body


def _objects(body: Mapping[str, Any]) -> tuple[ObjectRef, ...]:
    if body.get("Event") == "s3:TestEvent":
        # S3 sends it when the notification is set up; it has no Records.
        return ()
    try:
        if body.get("source") == "aws.s3":
            return (_from_event_bridge(body),) if body["detail-type"] == "Object Created" else ()
        records = body["Records"]
        if not all(_is_from(record, "aws:s3") for record in records):
            raise EventShapeError(f"a record of the event is not from S3; {_HINT}")
        return tuple(_from_s3(record) for record in records if record["eventName"].startswith("ObjectCreated:"))
    except (KeyError, TypeError, AttributeError) as error:
        raise EventShapeError(f"the event is of no known shape ({error!r}); {_HINT}") from error


def _from_s3(record: Mapping[str, Any]) -> ObjectRef:
    s3, entry = record["s3"], record["s3"]["object"]
    return make_object_ref(
        s3["bucket"]["name"],
        # S3 encodes keys in its notifications as a form does: a blank is +, others are %XX.
        unquote_plus(entry["key"]),
        version=entry.get("versionId"),
        etag=entry.get("eTag"),
        size=entry.get("size"),
        region=record.get("awsRegion"),
    )


def _from_event_bridge(event: Mapping[str, Any]) -> ObjectRef:
    detail, entry = event["detail"], event["detail"]["object"]
    return make_object_ref(
        detail["bucket"]["name"],
        entry["key"],  # EventBridge hands keys over as they are
        version=entry.get("version-id"),
        etag=entry.get("etag"),
        size=entry.get("size"),
        region=event.get("region"),
    )
