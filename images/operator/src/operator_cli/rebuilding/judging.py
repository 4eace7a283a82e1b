"""
What becomes of one line of a backup by today's pipeline file: a row, no trace, or a reject with its reason. Pure.

Decoded and mapped as the transformer does it. What the transformer had as a record of its own may stand here behind
something else on the same line, and is found there.
"""

from typing import Final, NamedTuple

from ddb2aurora.dialect import Row
from ddb2aurora.envelope import Change, decode_change
from ddb2aurora.errors import RejectError
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Pipeline
from operator_cli.redriving.examined import hash_of

# How our encoder begins a change. Inside one it cannot stand: there a value is an object of DynamoDB JSON, and quotes
# inside a text are escaped.
_BEGINNING: Final = b'{"v":1,"event":"'
_MOST_BEGINNINGS: Final = 100
TOO_LONG: Final = "line_too_long"
NO_KEY: Final = "-"


class Judged(NamedTuple):
    """
    A change: its *row*, or a *reason* with its *detail*, or neither.

    With neither it leaves no trace by the pipeline's own policy, is a heartbeat (*is_heartbeat*), or happened later
    than wanted (*is_later*). *key* is a hash of its item's key. *garbage_before* says that something else stood before
    it on its line.
    """

    row: Row | None = None
    reason: str | None = None
    detail: str = ""
    key: str = NO_KEY
    is_heartbeat: bool = False
    is_later: bool = False
    garbage_before: bool = False


class Judge:
    """Judge changes by one pipeline, up to a point in time if there is one."""

    def __init__(self, pipeline: Pipeline, *, until_ms: int | None = None) -> None:
        """
        Judge by *pipeline*, and leave alone what happened after *until_ms* (since 1970).

        Raises:
            SchemaFileError: A JSON Schema of the pipeline cannot be used.
        """
        self._mapper = Mapper(pipeline)
        self._until_ms = until_ms

    def judge(self, line: bytes | None) -> Judged:
        """Return what becomes of *line*; None is one that was too long to be read."""
        if line is None:
            return Judged(reason=TOO_LONG, detail="longer than any record of Firehose")
        try:
            change, garbage_before = _change_in(line)
        except RejectError as error:
            return Judged(reason=error.reason, detail=str(error))
        if self._until_ms is not None and happened_ms(change) > self._until_ms:
            return Judged(is_later=True, garbage_before=garbage_before)
        return self._mapped(change)._replace(garbage_before=garbage_before)

    def _mapped(self, change: Change) -> Judged:
        try:
            row = self._mapper.row(change)
        except RejectError as error:
            return Judged(reason=error.reason, detail=str(error), key=hash_of(change))
        if row is not None and row.operation == "H":
            return Judged(is_heartbeat=True)
        return Judged(row)


def happened_ms(change: Change) -> int:
    """Return when *change* happened (ms since 1970); one without a time counts as old as its stream, as ever."""
    return change.stream_epoch_ms if change.changed_at_ms is None else change.changed_at_ms


def _change_in(line: bytes) -> tuple[Change, bool]:
    try:
        return decode_change(line), False
    except RejectError:
        at = 0
        for _ in range(_MOST_BEGINNINGS):
            at = line.find(_BEGINNING, at + 1)
            if at < 0:
                break
            try:
                return decode_change(line[at:]), True
            except RejectError:
                continue
        raise
