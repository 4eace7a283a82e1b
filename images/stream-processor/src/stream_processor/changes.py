"""From a record of a DynamoDB stream to the bytes of one change. Pure: no client, no clock."""

import functools
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from ddb2aurora.envelope import Change, encode_change
from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import parse_stream_arn, version_of

MAX_RECORD_BYTES: Final = 1_024_000  # Firehose: a record holds at most 1,000 KiB before base64
_TTL_IDENTITY: Final = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
_YEAR_10000_MS: Final = 253_402_300_800_000
# All records of a batch, and most of a function's life, bear the ARN of one stream.
_parse_stream_arn = functools.lru_cache(maxsize=8)(parse_stream_arn)


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


class _Body(msgspec.Struct, frozen=True, rename="pascal"):
    """The part of a stream record that DynamoDB itself writes; images stay as they are."""

    keys: dict[str, Any]
    sequence_number: str
    new_image: dict[str, Any] | None = None
    # Epoch seconds: a whole number or a fraction, in some samples text, in some not there at all.
    approximate_creation_date_time: int | float | str | None = None
    stream_view_type: str | None = None


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    """A stream record as Lambda hands it over."""

    event_id: str = msgspec.field(name="eventID")
    event_name: Literal["INSERT", "MODIFY", "REMOVE"]
    event_source_arn: str = msgspec.field(name="eventSourceARN")
    dynamodb: _Body
    user_identity: dict[str, Any] | None = None


def change_from(record: Mapping[str, Any]) -> Change:
    """
    Return the change that a record of a DynamoDB stream event tells of.

    Raises:
        RejectError: The record is not one of a DynamoDB stream.
        StreamViewError: The stream carries no new images.
        StreamArnError: The event does not come from a DynamoDB stream.
    """
    try:
        checked = msgspec.convert(record, _Record)
        body = checked.dynamodb
        table, epoch_ms = _parse_stream_arn(checked.event_source_arn)
        # A change without a version could never be ordered.
        version_of(stream_epoch_ms=epoch_ms, sequence_number=body.sequence_number)
        changed_at_ms = _milliseconds(body.approximate_creation_date_time)
    except (ValueError, OverflowError) as error:
        raise RejectError(Reason.MALFORMED, detail=f"not a record of a DynamoDB stream{_why(error)}") from error
    if body.new_image is None and checked.event_name != "REMOVE":
        raise StreamViewError(
            f"the stream of {table} has the view type {body.stream_view_type}; a replica needs new images: enable the "
            "stream anew with NEW_IMAGE or NEW_AND_OLD_IMAGES"
        )
    return Change(
        event=checked.event_name,
        event_id=checked.event_id,
        table=table,
        keys=body.keys,
        image=None if checked.event_name == "REMOVE" else body.new_image,
        changed_at_ms=changed_at_ms,
        sequence_number=body.sequence_number,
        stream_epoch_ms=epoch_ms,
        by_ttl=_is_ttl(checked.user_identity),
    )


def outgoing_from(change: Change, pipeline: Pipeline) -> Outgoing:
    """
    Return *change* as Firehose will carry it: whole, or without what *pipeline* does not map when it is too large.

    Raises:
        TooLargeError: It is too large even so.
        RejectError: It holds text that UTF-8 cannot carry.
    """
    try:
        whole = encode_change(change)
    except UnicodeEncodeError as error:
        raise RejectError(Reason.MALFORMED, detail="half of a surrogate pair, which UTF-8 cannot carry") from error
    if len(whole) <= MAX_RECORD_BYTES:
        return Outgoing(change.sequence_number, whole)
    if change.image is not None and not pipeline.reads_whole_item:
        attributes = pipeline.attributes
        mapped = {name: value for name, value in change.image.items() if name in attributes}
        data = encode_change(msgspec.structs.replace(change, image=mapped, trimmed=True))
        if len(data) <= MAX_RECORD_BYTES:
            return Outgoing(change.sequence_number, data)
    raise TooLargeError(change, whole)


def _why(error: Exception) -> str:
    # msgspec names the place and the types, and no value but that of eventName; other messages may quote anything.
    return f": {error}" if isinstance(error, msgspec.ValidationError) else ""


def _milliseconds(seconds: float | str | None) -> int | None:
    if seconds is None:
        return None
    milliseconds = float(seconds) * 1000
    if not 0 <= milliseconds < _YEAR_10000_MS:  # also false for infinity and for what is not a number
        raise ValueError("not a time")
    return round(milliseconds)


def _is_ttl(identity: Mapping[str, Any] | None) -> bool:
    # A delete by time to live bears the identity of the DynamoDB service itself.
    return identity is not None and all(identity.get(name) == value for name, value in _TTL_IDENTITY.items())
