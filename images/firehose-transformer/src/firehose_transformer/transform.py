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
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from pybase64 import b64decode, b64encode_as_string

from ddb2aurora.envelope import lines_of
from ddb2aurora.errors import HaltError, Reason, RejectError
from firehose_transformer.decisions import Decision, Rejection, Transformation
from firehose_transformer.row_lines import RowLines

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


def transform(
    event: Mapping[str, Any], row_lines: RowLines, *, max_answer_bytes: int = MAX_ANSWER_BYTES
) -> Transformation:
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
    room = max_answer_bytes - _ANSWER_OVERHEAD_BYTES - len(records) * _RECORD_OVERHEAD_BYTES - _ids_length(records)
    quick = row_lines.quick
    answers: list[dict[str, str]] = []
    others: dict[int, Decision] = {}
    for place, record in enumerate(records):
        try:
            # Takes less than the strict decoder below, and nothing else: a property test compares them.
            line = b64decode(record.data, None, True)  # noqa: FBT003 - naming it takes longer
        except (Base64Error, TypeError, ValueError):
            line = b""
        found = quick(line) if line.find(b"\n", 0, -1) < 0 else None
        if type(found) is bytes and len(encoded := b64encode_as_string(found)) <= room:
            room -= len(encoded)
            answers.append({"recordId": record.record_id, "result": "Ok", "data": encoded})
            continue
        if isinstance(found, RejectError):
            decision = _failed(record, (Rejection(_without_frames(found), 1, line),), changes=1)
        else:
            decision = _decision(record, row_lines, room=room)
            room -= len(decision.rows or "")
        others[place] = decision
        answers.append(decision.answer())
    return Transformation(answers, others)


def _ids_length(records: Sequence[_Record]) -> int:
    """Return how long the ids of *records* are as JSON."""
    # Each character is escaped, or not, for itself; two quotes stand around each of them.
    return len(json.dumps("".join([record.record_id for record in records]))) + 2 * len(records) - 2


def _decision(record: _Record, row_lines: RowLines, *, room: int) -> Decision:
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
            row = row_lines.of(line)
        except RejectError as error:
            rejections.append(Rejection(_without_frames(error), number, line))
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


def _without_frames(error: RejectError) -> RejectError:
    # With them, many rejects keep all that was on the stack alive, and the garbage collector busy. Of a defect they
    # are what the log is to show.
    if error.reason is not Reason.UNEXPECTED:
        error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def _failed(record: _Record, rejections: tuple[Rejection, ...], *, changes: int) -> Decision:
    return Decision(record.record_id, _arrival_ms(record), changes, None, 0, rejections)


def _arrival_ms(record: _Record) -> int:
    # Firehose always says when a record arrived; whoever calls by hand may not.
    given = record.approximate_arrival_timestamp
    return given if isinstance(given, int) and 0 <= given < _YEAR_10000_MS else 0
