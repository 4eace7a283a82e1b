"""
Versions: one number that orders all changes of one item.

A version is the stream's epoch (the time in the label of its ARN, in ms) × 10⁴⁰ + the sequence number. Sequence numbers
have up to 40 digits; the epoch stands before them because a stream that is switched off and on again may start over.
A row that was backfilled has version 0, so that any change beats it. `DECIMAL(65,0)` holds every version.
"""

import re
from datetime import UTC, datetime

from ddb2aurora.errors import HaltError

BACKFILL_VERSION = 0
_EPOCH_FACTOR = 10**40
_STREAM_ARN = re.compile(
    r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/(?P<table>[^/]+)/stream/(?P<label>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)"
)


class StreamArnError(HaltError):
    """The ARN of an event's source is not that of a DynamoDB stream."""


def version_of(*, stream_epoch_ms: int, sequence_number: str) -> int:
    """
    Return the version of a change.

    Raises:
        ValueError: The sequence number is not 1 to 40 digits, or the epoch is negative.
    """
    if not (sequence_number.isascii() and sequence_number.isdigit() and len(sequence_number) <= 40):  # noqa: PLR2004
        raise ValueError("a sequence number is 1 to 40 digits")
    if stream_epoch_ms < 0:
        raise ValueError("a stream's epoch is not negative")
    return stream_epoch_ms * _EPOCH_FACTOR + int(sequence_number)


def parse_stream_arn(arn: str) -> tuple[str, int]:
    """
    Return the table's name and the stream's epoch (ms since 1970) out of the ARN of a DynamoDB stream.

    Raises:
        StreamArnError: *arn* is not of that form.
    """
    match = _STREAM_ARN.fullmatch(arn)
    if match is None:
        raise StreamArnError(
            f"{arn!r} is not the ARN of a DynamoDB stream; connect this function to one by an event source mapping"
        )
    started = datetime.fromisoformat(match["label"]).replace(tzinfo=UTC)
    return match["table"], round(started.timestamp() * 1000)
