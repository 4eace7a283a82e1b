"""
The guarded apply of `mirror`: staged rows into the target, so that only the set of changes decides what it holds.

Four statements in one transaction, each guarded by version, so that rows of one key may stand in the file in any order
and number, and no statement has to sort or reduce the file first:

1. *remember*: each delete raises its key's tombstone;
2. *upsert*: each upsert that no tombstone beats is written if it is newer than the row;
3. *look*: a current, locking read of the tombstones of all keys in the file;
4. *bury*: each row that its tombstone beats is deleted.

Why this is right when loaders run at the same time. The isolation level is READ COMMITTED: there is no gap lock, so
loaders of different keys do not wait for each other. The price is that 2 may read the tombstones from a snapshot. So 2
is only a filter, and the decision falls in 3 and 4: write your own first, then look at what the others wrote, under a
lock. Take loader A with an older upsert of a key and loader B with a newer delete of it. B writes its tombstone (1)
before it looks for a row to delete (4); A writes its row (2) before it looks at the tombstone (3).

- B's tombstone is written before A looks: A waits for B's transaction, sees the tombstone, and buries its own row in 4.
- B's tombstone is written after A has looked: then B reaches its 4 after A wrote its row, waits there for A's
  transaction, sees the row and deletes it.

There is no third order, so no dead row is left standing. When each waits for the other, that is a deadlock, which the
server ends and the loader tries again. A tombstone is never lowered and no row goes back to an older version.

What MySQL adds: a TEMPORARY table may be named once in a statement (error 1137), so none names staging twice.
`VALUES()` warns on MySQL and `AS new` is an error on MariaDB; both let ON DUPLICATE KEY UPDATE name the columns of the
SELECT. Assignments run from left to right and later ones see earlier ones, so the version comes last in each.
FORCE INDEX keeps the locking reads on the rows of the file's keys: a scan of a small table would lock all of it.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone

from dataclasses import dataclass
from typing import Self

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.schema import Tables
from ddb2aurora.dialect import OPERATION_COLUMN
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, DELETED_AT_COLUMN, VERSION_COLUMN, quote_name

_VERSION = quote_name(VERSION_COLUMN)
_CHANGED_AT = quote_name(CHANGED_AT_COLUMN)
_DELETED_AT = quote_name(DELETED_AT_COLUMN)
_OPERATION = quote_name(OPERATION_COLUMN)


@dataclass(frozen=True, slots=True)
class Staged:
    """What stands in staging: rows by operation, and the newest time of a change."""

    upserts: int = 0
    deletes: int = 0
    newest_changed_at_ms: int | None = None

    @property
    def rows(self) -> int:
        """All rows."""
        return self.upserts + self.deletes


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


@dataclass(frozen=True, slots=True)
class MirrorStatements:
    """The four statements, in their order."""

    remember: str
    upsert: str
    look: str
    bury: str

    @classmethod
    def of(cls, tables: Tables, pipeline: Pipeline) -> Self:
        """Return the statements for *pipeline*."""
        keys = [quote_name(column.name) for column in pipeline.key_columns]
        values = [quote_name(column.name) for column in pipeline.value_columns]
        staging, target, tombstones = tables.staging.quoted, tables.target.quoted, tables.tombstones.quoted
        on_tombstone = " AND ".join(f"k.{key} = s.{key}" for key in keys)
        on_row = " AND ".join(f"t.{key} = k.{key}" for key in keys)
        return cls(
            remember=(
                f"INSERT INTO {tombstones} ({_list(keys)}, {_CHANGED_AT}, {_DELETED_AT}, {_VERSION}) "
                f"SELECT {_list(keys, 's')}, s.{_CHANGED_AT}, UTC_TIMESTAMP(6), s.{_VERSION} "
                f"FROM {staging} AS s WHERE s.{_OPERATION} = 'D' "
                f"ON DUPLICATE KEY UPDATE {_newer(tombstones, 's', [_CHANGED_AT])}, "
                f"{_DELETED_AT} = IF(s.{_VERSION} > {tombstones}.{_VERSION}, UTC_TIMESTAMP(6), "
                f"{tombstones}.{_DELETED_AT}), "
                f"{_VERSION} = GREATEST({tombstones}.{_VERSION}, s.{_VERSION})"
            ),
            upsert=(
                f"INSERT INTO {target} ({_list(keys + values)}, {_CHANGED_AT}, {_VERSION}) "
                f"SELECT {_list(keys + values, 's')}, s.{_CHANGED_AT}, s.{_VERSION} "
                f"FROM {staging} AS s LEFT JOIN {tombstones} AS k ON {on_tombstone} "
                f"WHERE s.{_OPERATION} = 'U' AND (k.{_VERSION} IS NULL OR k.{_VERSION} < s.{_VERSION}) "
                f"ON DUPLICATE KEY UPDATE {_newer(target, 's', [*values, _CHANGED_AT])}, "
                f"{_VERSION} = GREATEST({target}.{_VERSION}, s.{_VERSION})"
            ),
            look=(
                f"SELECT STRAIGHT_JOIN COUNT(*) FROM {staging} AS s "
                f"JOIN {tombstones} AS k FORCE INDEX (PRIMARY) ON {on_tombstone} LOCK IN SHARE MODE"
            ),
            bury=(
                f"DELETE t FROM {staging} AS s "
                f"STRAIGHT_JOIN {tombstones} AS k FORCE INDEX (PRIMARY) ON {on_tombstone} "
                f"STRAIGHT_JOIN {target} AS t FORCE INDEX (PRIMARY) ON {on_row} "
                f"WHERE t.{_VERSION} <= k.{_VERSION}"
            ),
        )


def _list(names: list[str], alias: str = "") -> str:
    return ", ".join(f"{alias}.{name}" if alias else name for name in names)


def _newer(table: str, source: str, names: list[str]) -> str:
    return ", ".join(
        f"{name} = IF({source}.{_VERSION} > {table}.{_VERSION}, {source}.{name}, {table}.{name})" for name in names
    )


def apply_staged(connection: DatabaseConnection, statements: MirrorStatements, *, staged: Staged) -> Applied:
    """
    Apply what is *staged* and return what it did.

    Raises:
        pymysql.err.Error: The server refused a row, or the transaction cannot go on.
    """
    deleted = _changed(connection, statements.remember) if staged.deletes else 0
    applied = _changed(connection, statements.upsert) if staged.upserts else 0
    if staged.rows:
        connection.rows(statements.look)
        connection.run(statements.bury)
    return Applied(applied=applied, deleted=deleted, stale=staged.rows - applied - deleted)


def _changed(connection: DatabaseConnection, statement: str) -> int:
    # Affected rows count 1 for an insert, 2 for a change and 0 for a row that stayed; duplicates count the changes.
    effect = connection.run(statement)
    return effect.affected - effect.duplicates
