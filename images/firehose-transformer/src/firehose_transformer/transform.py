"""
Answer one transformation event of Data Firehose. Pure, and the same for the same event whenever it runs.

Each record is decided on its own: a row as one CSV line, or `ProcessingFailed`, upon which Firehose keeps the original
record under `failed/`. An answer may hold at most 6 MB, counted after base64; records that no longer fit are handed
back as failed too, so that they are kept and can be replayed, rather than lost with the whole answer.
"""

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from ddb2aurora.dialect import encode_row
from ddb2aurora.envelope import decode_change
from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.mapping import Mapper

# Lambda: a synchronous answer holds at most 6 MB, base64 and JSON included.
MAX_ANSWER_BYTES: Final = 6_000_000
# What the runtime writes around the records, and of each record beside its id and its data (at the longest).
_ANSWER_OVERHEAD_BYTES: Final = len('{"records": []}')
_RECORD_OVERHEAD_BYTES: Final = len('{"recordId": , "result": "ProcessingFailed", "data": ""}, ')


class EventShapeError(HaltError):
    """The event is not a transformation event of Data Firehose."""


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    record_id: str
    data: Any = None


class _Event(msgspec.Struct, frozen=True):
    records: list[_Record]


class Rejection(NamedTuple):
    """A record that did not become a row, and why."""

    record_id: str
    error: RejectError


class Transformation(NamedTuple):
    """The *answer* to an event, and the *rejections* in it."""

    answer: dict[str, list[dict[str, str]]]
    rejections: tuple[Rejection, ...]


def transform(event: Mapping[str, Any], mapper: Mapper, *, max_answer_bytes: int = MAX_ANSWER_BYTES) -> Transformation:
    """
    Return the answer to *event*: one result a record, in the order of the event.

    Raises:
        EventShapeError: *event* has no records as Firehose gives them.
    """
    try:
        records = msgspec.convert(event, _Event).records
    except msgspec.ValidationError as error:
        raise EventShapeError(f"not a transformation event ({error}); let a delivery stream call this") from error
    # Every record is answered, if only as failed; what is left of the limit is for data.
    room = max_answer_bytes - _ANSWER_OVERHEAD_BYTES
    room -= sum(len(json.dumps(record.record_id)) + _RECORD_OVERHEAD_BYTES for record in records)
    answers: list[dict[str, str]] = []
    rejections: list[Rejection] = []
    for record in records:
        try:
            line = _line(record.data, mapper, room=room)
        except RejectError as error:
            rejections.append(Rejection(record.record_id, error))
            answers.append({"recordId": record.record_id, "result": "ProcessingFailed", "data": ""})
        else:
            room -= len(line or "")
            result = "Dropped" if line is None else "Ok"
            answers.append({"recordId": record.record_id, "result": result, "data": line or ""})
    return Transformation({"records": answers}, tuple(rejections))


def _line(data: object, mapper: Mapper, *, room: int) -> str | None:
    """Return the line of a record in base64, None if the pipeline's policy is to leave no trace of the change."""
    try:
        # Not strict, it would skip what is not base64, and read something else than what was put.
        change = a2b_base64(data, strict_mode=True)  # type: ignore[arg-type]  # another type is a TypeError
    except (Base64Error, TypeError, ValueError) as error:
        raise RejectError(Reason.UNDECODABLE, detail="not base64") from error
    try:
        row = mapper.row(decode_change(change))
        line = None if row is None else encode_row(row)
    except RejectError:
        raise
    except Exception as error:
        # One record must never cost its neighbours their place, whatever it has found in our code.
        raise RejectError(Reason.UNEXPECTED, detail=type(error).__name__) from error
    if line is None:
        return None
    encoded = b2a_base64(line, newline=False).decode()
    if len(encoded) > room:
        raise RejectError(Reason.ANSWER_TOO_LARGE, detail="no room left in the answer; replay the record")
    return encoded
