"""
Versions: one number that orders all changes of one item.

A version is the stream's epoch (the time in the label of its ARN, in ms) × 10⁴⁰ + the sequence number. Sequence numbers
have up to 40 digits; the epoch stands before them because a stream that is switched off and on again may start over.
A row that was backfilled has version 0, so that any change beats it. `DECIMAL(65,0)` holds every version.
"""

import re
from datetime import UTC, datetime, timedelta

from ddb2aurora.errors import HaltError

BACKFILL_VERSION = 0
SEQUENCE_DIGITS = 40
_EPOCH_FACTOR: int = 10**SEQUENCE_DIGITS
_EPOCH_LIMIT = 10**25  # what DECIMAL(65,0) leaves for the epoch
_YEAR_1970 = datetime(1970, 1, 1, tzinfo=UTC)
# The label is a time in ISO 8601, in UTC whether it says so or not.
_STREAM_ARN = re.compile(
    r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/(?P<table>[^/]+)/stream/"
    r"(?P<label>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z?",
    re.ASCII,
)


class StreamArnError(HaltError):
    """The ARN of an event's source is not that of a DynamoDB stream."""


def version_of(*, stream_epoch_ms: int, sequence_number: str) -> int:
    """
    Return the version of a change.

    Raises:
        ValueError: The sequence number is not 1 to 40 digits, or the epoch is negative or beyond 25 digits.
    """
    if not (sequence_number.isascii() and sequence_number.isdigit() and len(sequence_number) <= SEQUENCE_DIGITS):
        raise ValueError("a sequence number is 1 to 40 digits")
    if not 0 <= stream_epoch_ms < _EPOCH_LIMIT:
        raise ValueError("a stream's epoch is at most 25 digits of ms, and not negative")
    return stream_epoch_ms * _EPOCH_FACTOR + int(sequence_number)


def epoch_of(version: int) -> int:
    """Return the epoch (ms since 1970) of the stream that *version* comes from; 0 for a row that was backfilled."""
    return version // _EPOCH_FACTOR


def parse_stream_arn(arn: str) -> tuple[str, int]:
    """
    Return the table's name and the stream's epoch (ms since 1970) out of the ARN of a DynamoDB stream.

    Raises:
        StreamArnError: *arn* is not of that form.
    """
    match = _STREAM_ARN.fullmatch(arn)
    epoch_ms = None if match is None else _milliseconds(match["label"])
    if match is None or epoch_ms is None:
        raise StreamArnError(
            f"{arn!r} is not the ARN of a DynamoDB stream; connect this function to one by an event source mapping"
        )
    return match["table"], epoch_ms


def _milliseconds(label: str) -> int | None:
    try:
        started = datetime.fromisoformat(label).replace(tzinfo=UTC)
    except ValueError:
        return None
    epoch_ms = (started - _YEAR_1970) // timedelta(milliseconds=1)
    return epoch_ms if epoch_ms >= 0 else None
