"""
What a row must hold for an item, and in what the row that is there differs: the pure heart of verify.

The item is mapped by the very code of the transformer. What an item cannot tell, the facts about its last change, is
taken from the row itself: its version, its time. A column of such a fact must agree with them.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ddb2aurora.codec import decode
from ddb2aurora.database.values import comparable
from ddb2aurora.dialect import Field
from ddb2aurora.envelope import Change
from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.fields import MisfitError, encoder_for
from ddb2aurora.mapping import Mapper
from ddb2aurora.paths import EVENT_NAME, SEQUENCE_NUMBER
from ddb2aurora.pipeline import Column, Pipeline
from ddb2aurora.sql import DELETED_AT_COLUMN
from ddb2aurora.version import SEQUENCE_DIGITS
from operator_cli.scanning import table

Item: TypeAlias = table.Item
Key: TypeAlias = tuple[Field, ...]
Event: TypeAlias = Literal["INSERT", "MODIFY"]
Kind: TypeAlias = Literal["equal", "missing", "extra", "different", "unloadable", "kept"]

_EVENTS: Final[tuple[Event, ...]] = ("INSERT", "MODIFY")
_SEQUENCES: Final = 10**SEQUENCE_DIGITS


class NotComparableError(HaltError):
    """The target of this pipeline cannot be compared with its source."""


class TargetRow(NamedTuple):
    """A row of the target: its *fields* in the order of the pipeline's columns, and what the loader noted beside."""

    version: int
    changed_at_ms: int | None
    is_stamped: bool
    fields: tuple[Field, ...]


class Verdict(NamedTuple):
    """
    How an item and its row stand to each other.

    *columns* names those that differ, *reason* is why an unloadable item is rejected.
    """

    kind: Kind
    columns: tuple[str, ...] = ()
    reason: Reason | None = None


class Comparison:
    """The comparison of items with rows for one pipeline; it keeps nothing and may be shared by threads."""

    def __init__(self, pipeline: Pipeline) -> None:
        """
        Prepare the comparison for *pipeline*.

        Raises:
            NotComparableError: The pipeline writes an event log.
            SchemaFileError: A JSON Schema of the pipeline cannot be used.
        """
        if pipeline.mode == "append":
            raise NotComparableError(
                f"pipeline {pipeline.name} writes an event log: its rows are changes, and the source keeps items only; "
                "compare with what `rebuild` makes of the backup"
            )
        self.pipeline = pipeline
        self._mapper = Mapper(pipeline)
        self._key = tuple((str(column.path[0]), encoder_for(column.type)) for column in pipeline.key_columns)
        self._same = tuple(_same_of(column) for column in pipeline.columns)
        self._events = tuple(
            position for position, column in enumerate(pipeline.columns) if column.source == EVENT_NAME
        )

    @property
    def kind_of_extra(self) -> Literal["extra", "kept"]:
        """What a living row without an item is."""
        # A row whose item expired stays, and nothing tells it from one that should have gone.
        return "kept" if self.pipeline.on_ttl_delete == "keep" else "extra"

    def keys_of(self, item: Item) -> dict[str, Any]:
        """Return the key attributes of *item*."""
        return {name: item[name] for name in self.pipeline.source_key}

    def row_key(self, keys: Item) -> Key | None:
        """Return the key of the row of the item with *keys*; None when no row can have it."""
        try:
            return tuple(encode(decode(keys[name])) for name, encode in self._key)
        except RejectError:
            return None

    def judge(self, item: Item | None, row: TargetRow | None) -> Verdict:
        """Return how *item* (as a stream carries it) and its *row* stand to each other; None is one that is absent."""
        if item is None:
            return self._without_item(row)
        try:
            expected = self.expected(item, row)
        except RejectError as error:
            return Verdict("unloadable", reason=error.reason)
        if row is None:
            return Verdict("missing")
        different = [
            column.name
            for column, same, ours, theirs in zip(self.pipeline.columns, self._same, expected, row.fields, strict=True)
            if ours != theirs and not same(ours, theirs)
        ]
        if row.is_stamped:
            different.append(DELETED_AT_COLUMN)
        return Verdict("different", tuple(different)) if different else Verdict("equal")

    def expected(self, item: Item, row: TargetRow | None) -> tuple[Field, ...]:
        """
        Return the fields that a row must hold for *item*, to be compared; facts about its last change are *row*'s.

        Raises:
            RejectError: The item can never load.
        """
        try:
            version, changed_at_ms = (row.version, row.changed_at_ms) if row else (0, 0)
            fields = self.written(item, version=version, changed_at_ms=changed_at_ms, event="MODIFY")
        except RejectError:
            # A column may forbid the NULL of a time that the row does not have; that is no fault of the item.
            fields = self.written(item, version=0, changed_at_ms=0, event="MODIFY")
        return tuple(
            comparable(field, column.type) for field, column in zip(fields, self.pipeline.columns, strict=True)
        )

    def event_of(self, row: TargetRow) -> Event:
        """Return the name of the event that *row* tells of; MODIFY when it tells of none."""
        inserted = any(
            row.fields[position] == _encoded(self.pipeline.columns[position], "INSERT") for position in self._events
        )
        return "INSERT" if inserted else "MODIFY"

    def written(self, item: Item, *, version: int, changed_at_ms: int | None, event: Event) -> tuple[Field, ...]:
        """
        Return the fields of the row that the pipeline writes for *item*, if these are the facts about its last change.

        Raises:
            RejectError: The item can never load.
        """
        change = Change(
            event=event,
            event_id="",
            table=self.pipeline.source_table,
            keys=self.keys_of(item),
            image=dict(item),
            changed_at_ms=changed_at_ms,
            # A version below 0 is somebody's own.
            sequence_number=str(max(version, 0) % _SEQUENCES),
            stream_epoch_ms=max(version, 0) // _SEQUENCES,
        )
        return self._mapper.upsert(change).fields

    def _without_item(self, row: TargetRow | None) -> Verdict:
        if row is None or row.is_stamped:
            return Verdict("equal")
        return Verdict(self.kind_of_extra)


def _same_of(column: Column) -> Callable[[Field, Field], bool]:
    """Return what else counts as equal in *column*, beside the same field."""
    if column.source == SEQUENCE_NUMBER and column.type.is_text:
        # A version has lost the zeros in front that a stream may write.
        return lambda ours, theirs: bool(ours and theirs and theirs.isdigit() and int(ours) == int(theirs))
    if column.source == EVENT_NAME:
        # The item does not say whether its last change made it.
        events = {_encoded(column, event) for event in _EVENTS}
        return lambda _, theirs: theirs in events
    return lambda _ours, _theirs: False


def _encoded(column: Column, value: str) -> Field:
    try:
        return encoder_for(column.type)(value)
    except MisfitError:
        return None
