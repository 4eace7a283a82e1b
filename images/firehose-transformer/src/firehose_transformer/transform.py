"""
Answer one transformation event of Data Firehose. Pure, and the same for the same event whenever it runs.

Each record is decided on its own: its rows as CSV lines, or `ProcessingFailed`, upon which Firehose keeps the original
record under `failed/`. An answer may hold at most 6 MB, counted after base64; records that no longer fit are handed
back as failed too, so that they are kept and can be replayed, rather than lost with the whole answer.

Where a record holds many changes (`packing: on`), each of them is decided on its own as well. Rows of the good ones
leave in the record's one answer, which leaves no place for the bad ones: they are *rejects* that somebody has to keep
before the answer is given. If that fails, the record can still be handed back whole.
"""

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ddb2aurora.dialect import encode_row
from ddb2aurora.envelope import decode_change, lines_of
from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.mapping import Mapper
from firehose_transformer.decisions import Decision, Rejection, Transformation

# Lambda: a synchronous answer holds at most 6 MB, base64 and JSON included.
MAX_ANSWER_BYTES: Final = 6_000_000
# What the runtime writes around the records, and of each record beside its id and its data (at the longest).
_ANSWER_OVERHEAD_BYTES: Final = len('{"records": []}')
_RECORD_OVERHEAD_BYTES: Final = len('{"recordId": , "result": "ProcessingFailed", "data": ""}, ')
_YEAR_10000_MS: Final = 253_402_300_800_000


class EventShapeError(HaltError):
    """The event is not a transformation event of Data Firehose."""


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    record_id: str
    data: Any = None
    approximate_arrival_timestamp: Any = None


class _Event(msgspec.Struct, frozen=True):
    records: list[_Record]


def transform(event: Mapping[str, Any], mapper: Mapper, *, max_answer_bytes: int = MAX_ANSWER_BYTES) -> Transformation:
    """
    Return the decisions on *event*: one a record, in the order of the event.

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
    decisions: list[Decision] = []
    for record in records:
        decision = _decision(record, mapper, room=room)
        room -= len(decision.rows or "")
        decisions.append(decision)
    return Transformation(tuple(decisions))


def _decision(record: _Record, mapper: Mapper, *, room: int) -> Decision:
    try:
        # Not strict, it would skip what is not base64, and read something else than what was put.
        data = a2b_base64(record.data, strict_mode=True)
    except (Base64Error, TypeError, ValueError):
        undecodable = RejectError(Reason.UNDECODABLE, detail="not base64")
        return _failed(record, (Rejection(undecodable),), changes=1)
    lines = lines_of(data)
    rows: list[bytes] = []
    rejections: list[Rejection] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = _row(line, mapper)
        except RejectError as error:
            rejections.append(Rejection(error, number, line))
        else:
            if row is not None:
                rows.append(row)
    if rejections and not rows:
        # Nothing of it goes on, so it need not be taken apart: Firehose keeps it as it is.
        return _failed(record, tuple(rejections), changes=len(lines))
    encoded = b2a_base64(b"".join(rows), newline=False).decode()
    if len(encoded) > room:
        too_large = RejectError(Reason.ANSWER_TOO_LARGE, detail="no room left in the answer; replay the record")
        return _failed(record, (Rejection(too_large, changes=len(lines)),), changes=len(lines))
    dropped = len(lines) - len(rows) - len(rejections)
    return Decision(record.record_id, _arrival_ms(record), len(lines), encoded, dropped, tuple(rejections))


def _failed(record: _Record, rejections: tuple[Rejection, ...], *, changes: int) -> Decision:
    return Decision(record.record_id, _arrival_ms(record), changes, None, 0, rejections)


def _arrival_ms(record: _Record) -> int:
    # Firehose always says when a record arrived; whoever calls by hand may not.
    given = record.approximate_arrival_timestamp
    return given if isinstance(given, int) and 0 <= given < _YEAR_10000_MS else 0


def _row(line: bytes, mapper: Mapper) -> bytes | None:
    """Return the row of a change as a line, None if the pipeline's policy is to leave no trace of the change."""
    try:
        row = mapper.row(decode_change(line))
        return None if row is None else encode_row(row)
    except RejectError:
        raise
    except Exception as error:
        # One change must never cost its neighbours their place, whatever it has found in our code.
        raise RejectError(Reason.UNEXPECTED, detail=type(error).__name__) from error
