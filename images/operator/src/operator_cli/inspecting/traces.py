"""The traces of one item: which rows of an object, and which changes of a record, are its own. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from ddb2aurora.dialect import MalformedLineError, Row, decode_row
from ddb2aurora.envelope import Change, decode_change, lines_of
from ddb2aurora.errors import RejectError
from ddb2aurora.mapping import Mapper
from ddb2aurora.version import version_of
from operator_cli.verifying.sides import Comparison, Key

Place: TypeAlias = Literal["backup", "processed", "failed", "rejects"]


@dataclass(frozen=True, slots=True)
class Trace:
    """
    One change of the item in one *place*.

    *what* is the event or the operation, *note* why it failed. *loaded_at* is when its object was loaded; one that lies
    in processed/ and has none waits for it.
    """

    place: Place
    where: str
    version: int
    changed_at_ms: int | None
    what: str
    written_at: datetime | None = None
    loaded_at: datetime | None = None
    note: str = ""


class Traces:
    """The traces of one key."""

    def __init__(self, comparison: Comparison, key: Key) -> None:
        """Look for the row with *key*, and for changes of its item."""
        self._comparison = comparison
        self._pipeline = comparison.pipeline
        self._mapper = Mapper(self._pipeline)
        self._key = key
        self._positions = tuple(self._pipeline.columns.index(column) for column in self._pipeline.key_columns)

    def in_row_object(self, content: bytes) -> Iterator[Row]:
        """Yield the rows of the key in an object of rows; rows of another shape are somebody else's."""
        for line in content.split(b"\n"):
            try:
                row = decode_row(line)
            except MalformedLineError:
                continue
            if row.shape == self._pipeline.shape and row.operation != "H" and self._is_mine(row):
                yield row

    def in_record(self, data: bytes) -> Iterator[tuple[Change, str]]:
        """Yield the changes of the item in a source record, with why today's pipeline rejects each, if it does."""
        for line in lines_of(data):
            try:
                change = decode_change(line)
            except RejectError:
                continue
            if change.event != "HEARTBEAT" and self._comparison.row_key(change.keys) == self._key:
                yield change, self._why_rejected(change)

    def _is_mine(self, row: Row) -> bool:
        fields = row.fields
        return len(fields) == len(self._pipeline.columns) and tuple(fields[at] for at in self._positions) == self._key

    def _why_rejected(self, change: Change) -> str:
        try:
            self._mapper.row(change)
        except RejectError as error:
            return str(error)
        return ""


def version_in(change: Change) -> int:
    """Return the version of *change*; -1 if it has none."""
    try:
        return version_of(stream_epoch_ms=change.stream_epoch_ms, sequence_number=change.sequence_number)
    except ValueError:
        return -1
