"""From a record of GetRecords to a record of the event that a function gets."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_aws.runtime.answers import encoded

MAX_EVENT_BYTES = 6 * 1024 * 1024
"""A batch ends at 6 MB of payload."""

_WRAPPING_BYTES = len(b'{"Records":[]}')
_REGION_OF_ARN = 3


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change: its place in the shard, the item that it belongs to, and its form in the event."""

    sequence_number: str
    """As the stream wrote it: some services pad it with zeros, and want it back like that."""
    item: int
    """The same number for all records of one item."""
    created_at: float
    size_bytes: int
    event: Mapping[str, Any]

    @property
    def sequence(self) -> int:
        """The sequence number as what can be compared: the texts differ in length."""
        return int(self.sequence_number)


def event_of(records: Sequence[StreamRecord]) -> dict[str, Any]:
    """Return the event that carries *records* to a function."""
    return {"Records": [record.event for record in records]}


def event_bytes(record_count: int, records_bytes: int) -> int:
    """Return the size of an event with *record_count* records of *records_bytes* together."""
    return _WRAPPING_BYTES + records_bytes + max(record_count - 1, 0)


def from_stream(record: Mapping[str, Any], *, stream_arn: str) -> StreamRecord:
    """Translate one record of a GetRecords answer."""
    change = record["dynamodb"]
    event: dict[str, Any] = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record["eventVersion"],
        "eventSource": record["eventSource"],
        "awsRegion": record.get("awsRegion", stream_arn.split(":")[_REGION_OF_ARN]),
    }
    created_at = _epoch_seconds(change.get("ApproximateCreationDateTime"))
    images = {name: change[name] for name in ("Keys", "NewImage", "OldImage") if name in change}
    event["dynamodb"] = {
        # Whole seconds, rounded down, as a number.
        "ApproximateCreationDateTime": int(created_at),
        **{name: {key: _value(value) for key, value in image.items()} for name, image in images.items()},
        **{name: change[name] for name in ("SequenceNumber", "SizeBytes", "StreamViewType") if name in change},
    }
    identity = record.get("userIdentity")
    if identity:
        # GetRecords spells these names with a capital, the event of a function does not.
        event["userIdentity"] = {"type": identity["Type"], "principalId": identity["PrincipalId"]}
    # Only the event of a function names its stream.
    event["eventSourceARN"] = stream_arn
    keys = json.dumps(event["dynamodb"].get("Keys"), sort_keys=True)
    return StreamRecord(
        sequence_number=change["SequenceNumber"],
        item=int.from_bytes(hashlib.blake2b(keys.encode(), digest_size=8).digest()),
        created_at=created_at,
        size_bytes=len(encoded(event)),
        event=event,
    )


def _epoch_seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float | str) else 0.0


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an attribute value with its bytes as base64 text, however deep they lie."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64encode(content).decode()}
    if kind == "BS":
        return {kind: [base64.b64encode(member).decode() for member in content]}
    if kind == "M":
        return {kind: {name: _value(member) for name, member in content.items()}}
    if kind == "L":
        return {kind: [_value(member) for member in content]}
    return {kind: content}
