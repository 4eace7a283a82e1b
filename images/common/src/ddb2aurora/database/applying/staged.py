"""What stands in staging, what an apply did to it, and how the modes differ: values that all of the loader shares."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.dialect import Row
from ddb2aurora.version import epoch_of


@dataclass(frozen=True, slots=True)
class Staged:
    """
    What stands in staging: rows by operation, heartbeats, the times of the newest and the oldest change, and a version.

    *oldest_ms* is at most the time of the oldest change: a row without a time counts as old as its stream.
    *lowest_version* is that of no row lower; None when it is not known.
    """

    upserts: int = 0
    deletes: int = 0
    soft_deletes: int = 0
    heartbeats: int = 0
    newest_changed_at_ms: int | None = None
    oldest_ms: int | None = None
    lowest_version: int | None = None

    @property
    def rows(self) -> int:
        """All rows of changes."""
        return self.upserts + self.deletes + self.soft_deletes

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Staged":
        """Return what stands in staging when *rows* do."""
        staged = tuple(rows)
        # A heartbeat is no change of an item: whatever its time, it says nothing about the target's.
        rows = tuple(row for row in staged if row.operation != "H")
        counts = {operation: sum(row.operation == operation for row in rows) for operation in "UDS"}
        times = [row.changed_at_ms for row in rows if row.changed_at_ms is not None]
        ages = [epoch_of(row.version) if row.changed_at_ms is None else row.changed_at_ms for row in rows]
        return cls(
            upserts=counts["U"],
            deletes=counts["D"],
            soft_deletes=counts["S"],
            heartbeats=len(staged) - len(rows),
            newest_changed_at_ms=max(times, default=None),
            oldest_ms=min(ages, default=None),
            lowest_version=min((row.version for row in rows), default=None),
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """
    What an apply did to the rows that were staged.

    *deleted* counts the deletes that made or raised a tombstone, also where a newer row stands; *stale* is the rest.
    """

    applied: int = 0
    deleted: int = 0
    stale: int = 0

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(self.applied + other.applied, self.deleted + other.deleted, self.stale + other.stale)


class Statements(Protocol):
    """The statements of one mode, for one pipeline."""

    def horizon_ms(self, connection: DatabaseConnection) -> int:
        """
        Return the time (ms since 1970) before which deletes are forgotten; it stays until the transaction ends.

        Raises:
            NotMigratedError: Nothing is noted of the target.
            pymysql.err.Error: The transaction cannot go on.
        """
        ...

    def apply(self, connection: DatabaseConnection, *, staged: Staged) -> Applied:
        """
        Apply what is *staged* and return what it did.

        Raises:
            pymysql.err.Error: The server refused a row, or the transaction cannot go on.
        """
        ...


def rows_changed(connection: DatabaseConnection, statement: str) -> int:
    """
    Execute an INSERT … ON DUPLICATE KEY UPDATE and return how many of its rows it inserted or changed.

    Raises:
        pymysql.err.Error: The server refused a row, or the transaction cannot go on.
    """
    # Affected rows count 1 for an insert, 2 for a change and 0 for a row that stayed; duplicates count the changes.
    effect = connection.run(statement)
    return effect.affected - effect.duplicates
