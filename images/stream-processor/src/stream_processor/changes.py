"""From a record of a DynamoDB stream to the bytes of one change. Pure: no client, no clock."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from ddb2aurora.envelope import Change, encode_change
from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import parse_stream_arn

MAX_RECORD_BYTES: Final = 1_024_000  # Firehose: a record holds at most 1,000 KiB before base64
_TTL_IDENTITY: Final = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class StreamViewError(HaltError):
    """The stream does not carry what a replica needs."""


class Outgoing(NamedTuple):
    """One change ready for Firehose; *sequence_number* is how the stream calls it."""

    sequence_number: str
    data: bytes


class TooLargeError(RejectError):
    """A change is too large for a Firehose record, even without the attributes that the pipeline does not map."""

    def __init__(self, change: Change, data: bytes) -> None:
        """Keep the whole *change*, encoded as *data*."""
        super().__init__(Reason.OVERSIZED, detail=f"{len(data)} bytes, a Firehose record holds {MAX_RECORD_BYTES}")
        self.change = change
        self.data = data


def change_from(record: Mapping[str, Any]) -> Change:
    """
    Return the change that a record of a DynamoDB stream event tells of.

    Raises:
        RejectError: The record is not one of a DynamoDB stream.
        StreamViewError: The stream carries no new images.
        StreamArnError: The event does not come from a DynamoDB stream.
    """
    try:
        table, epoch_ms = parse_stream_arn(record["eventSourceARN"])
        body = record["dynamodb"]
        change = Change(
            event=record["eventName"],
            event_id=str(record["eventID"]),
            table=table,
            keys=body["Keys"],
            image=body.get("NewImage"),
            changed_at_ms=_milliseconds(body.get("ApproximateCreationDateTime")),
            sequence_number=str(body["SequenceNumber"]),
            stream_epoch_ms=epoch_ms,
            by_ttl=_is_ttl(record.get("userIdentity")),
        )
        # Struct construction does not check types; what leaves here must decode at the other end.
        msgspec.convert(msgspec.to_builtins(change), Change)
    except (AttributeError, KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise RejectError(Reason.MALFORMED, detail=f"not a record of a DynamoDB stream ({error})") from error
    if change.image is None and change.event != "REMOVE":
        view = body.get("StreamViewType")
        raise StreamViewError(f"the stream's view type is {view}; enable it with NEW_IMAGE or NEW_AND_OLD_IMAGES")
    return change


def outgoing_from(change: Change, pipeline: Pipeline) -> Outgoing:
    """
    Return *change* as Firehose will carry it: whole, or without what *pipeline* does not map when it is too large.

    Raises:
        TooLargeError: It is too large even so.
    """
    whole = encode_change(change)
    if len(whole) <= MAX_RECORD_BYTES:
        return Outgoing(change.sequence_number, whole)
    if change.image is not None and not pipeline.reads_whole_item:
        mapped = {name: value for name, value in change.image.items() if name in pipeline.attributes}
        data = encode_change(msgspec.structs.replace(change, image=mapped, trimmed=True))
        if len(data) <= MAX_RECORD_BYTES:
            return Outgoing(change.sequence_number, data)
    raise TooLargeError(change, whole)


def _milliseconds(seconds: object) -> int | None:
    # The stream gives epoch seconds as a whole number or a fraction, some samples as text, some not at all.
    return None if seconds is None else round(float(str(seconds)) * 1000)


def _is_ttl(identity: Mapping[str, Any] | None) -> bool:
    # A delete by time to live bears the identity of the DynamoDB service itself.
    return identity is not None and all(identity.get(name) == value for name, value in _TTL_IDENTITY.items())
