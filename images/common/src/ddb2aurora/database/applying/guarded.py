"""
The guarded apply of `mirror` and `soft_delete`: staged rows into the target, by nothing but the set of changes.

Of each key three things are kept, and each of them only grows: the newest upsert (in the row itself), the newest hard
delete and the newest soft delete (in the key's tombstone). What is to be seen follows from the three alone: no row when
the hard delete is newer than the upsert, a stamped row when the soft delete is. So the statements of one transaction,
each guarded by version, take the rows of a key in any order and number, and none has to sort or reduce the file first:

1. *remember*: each hard delete, and each soft one, raises its part of its key's tombstone;
2. *upsert*: each upsert that no hard delete beats is written, without a stamp, if it is newer than the row;
3. *look*: a current, locking read of the tombstones of all keys in the file;
4. *bury*: each row that a hard delete beats is deleted, and *stamp*: each that a soft one beats gets its time.

Why this is right when loaders run at the same time. The isolation level is READ COMMITTED: there is no gap lock, so
loaders of different keys do not wait for each other. The price is that 2 may read the tombstones from a snapshot. So 2
is only a filter, and the decision falls in 3 and 4: write your own first, then look at what the others wrote, under a
lock. Take loader A with an older upsert of a key and loader B with a newer delete of it. B writes its tombstone (1)
before it looks for a row to delete or to stamp (4); A writes its row (2) before it looks at the tombstone (3).

- B's tombstone is written before A looks: A waits for B's transaction, sees the tombstone, and buries or stamps its own
  row in 4.
- B's tombstone is written after A has looked: then B reaches its 4 after A wrote its row, waits there for A's
  transaction, sees the row and deletes or stamps it.

There is no third order, so no dead row is left standing, and none unstamped. Nor is a living row stamped: a newer
upsert takes the stamp away in the same write that raises the row's version, and 4 compares that version under the row's
lock. Of two soft deletes the time of the newer one stays, since 4 reads the tombstone, not the file. When each waits
for the other, that is a deadlock, which the server ends and the loader tries again. A tombstone is never lowered and no
row goes back to an older version.

What is left out, for speed. A file without deletes is spared the tombstones of its keys when no tombstone of the table
is as new as its oldest row, so that none can beat any of them; that takes one probe of an index on their version, a
plain one before 2, whose filter then has nothing to find, and a locking one in place of 3. It stands in for the look by
the same two orders: a tombstone that is written before it is seen, or waited for, and then 3 and 4 follow; one that is
written after it is that of a loader whose 4 is still to come. And when 3 finds no tombstone, 4 has nothing to do.

Rows are written in the order of their keys. An index that is filled in its order takes half the time of one that is
filled at random, and loaders that lock the same rows in one order do not deadlock on them. A sort carries whole rows,
so rows that may hold long values, which would not fit into the sort buffer, are taken as they come; no guarantee needs
the order.

What MySQL adds: a TEMPORARY table may be named once in a statement (error 1137), so none names staging twice.
`VALUES()` warns on MySQL and `AS new` is an error on MariaDB; both let ON DUPLICATE KEY UPDATE name the columns of the
SELECT. Assignments run from left to right and later ones see earlier ones, so the version comes last in each.
FORCE INDEX keeps the locking reads on the rows of the file's keys: a scan of a small table would lock all of it.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone

from dataclasses import dataclass
from typing import Self

from ddb2aurora.database.applying.staged import Applied, Staged, rows_changed
from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.horizon import read_horizon
from ddb2aurora.database.schema import LINE_COLUMN, NO_VERSION, Tables
from ddb2aurora.dialect import OPERATION_COLUMN, Operation
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import (
    CHANGED_AT_COLUMN,
    DELETED_AT_COLUMN,
    SOFT_CHANGED_AT_COLUMN,
    SOFT_VERSION_COLUMN,
    VERSION_COLUMN,
    quote_name,
)

_VERSION = quote_name(VERSION_COLUMN)
_CHANGED_AT = quote_name(CHANGED_AT_COLUMN)
_SOFT_VERSION = quote_name(SOFT_VERSION_COLUMN)
_SOFT_CHANGED_AT = quote_name(SOFT_CHANGED_AT_COLUMN)
_DELETED_AT = quote_name(DELETED_AT_COLUMN)
_OPERATION = quote_name(OPERATION_COLUMN)
_LINE = quote_name(LINE_COLUMN)


@dataclass(frozen=True, slots=True)
class GuardedStatements:
    """The statements, in their order; *stamp* is None when the target has no place for stamps."""

    tables: Tables
    remember: str
    remember_soft: str
    upsert: str
    upsert_all: str
    """The upsert without its filter."""
    probe: str
    """Whether a tombstone is as new as a version, which it takes once for each kind of delete."""
    probe_now: str
    """The same as a current, locking read."""
    look: str
    bury: str
    stamp: str | None

    @classmethod
    def of(cls, tables: Tables, pipeline: Pipeline) -> Self:
        """Return the statements for *pipeline*."""
        keys = [quote_name(column.name) for column in pipeline.key_columns]
        values = [quote_name(column.name) for column in pipeline.value_columns]
        staging, target, tombstones = tables.staging.quoted, tables.target.quoted, tables.tombstones.quoted
        on_tombstone = " AND ".join(f"k.{key} = s.{key}" for key in keys)
        on_row = " AND ".join(f"t.{key} = k.{key}" for key in keys)
        rows_of_the_file = (
            f"{staging} AS s "
            f"STRAIGHT_JOIN {tombstones} AS k FORCE INDEX (PRIMARY) ON {on_tombstone} "
            f"STRAIGHT_JOIN {target} AS t FORCE INDEX (PRIMARY) ON {on_row}"
        )
        is_newer = f"s.{_VERSION} > {target}.{_VERSION}"
        unstamped = f"{_DELETED_AT} = IF({is_newer}, NULL, {target}.{_DELETED_AT}), " if pipeline.keeps_deleted else ""
        insert = (
            f"INSERT INTO {target} ({_list(keys + values)}, {_CHANGED_AT}, {_VERSION}) "
            f"SELECT {_list(keys + values, 's')}, s.{_CHANGED_AT}, s.{_VERSION} FROM {staging} AS s"
        )
        unless_newer = (
            f"{_in_order(keys) if all(column.type.is_short for column in pipeline.columns) else ''}"
            f"ON DUPLICATE KEY UPDATE {_newer(target, 's', [*values, _CHANGED_AT])}, "
            f"{unstamped}{_VERSION} = GREATEST({target}.{_VERSION}, s.{_VERSION})"
        )
        return cls(
            tables=tables,
            remember=_remember("D", tables, keys, version=_VERSION, changed_at=_CHANGED_AT, other=_SOFT_VERSION),
            remember_soft=_remember(
                "S", tables, keys, version=_SOFT_VERSION, changed_at=_SOFT_CHANGED_AT, other=_VERSION
            ),
            upsert=(
                f"{insert} LEFT JOIN {tombstones} AS k ON {on_tombstone} "
                f"WHERE s.{_OPERATION} = 'U' AND (k.{_VERSION} IS NULL OR k.{_VERSION} < s.{_VERSION}) {unless_newer}"
            ),
            upsert_all=f"{insert} WHERE s.{_OPERATION} = 'U' {unless_newer}",
            probe=_probe(tombstones, pipeline),
            probe_now=_probe(tombstones, pipeline, lock=" LOCK IN SHARE MODE"),
            look=(
                f"SELECT STRAIGHT_JOIN COUNT(*) FROM {staging} AS s "
                f"JOIN {tombstones} AS k FORCE INDEX (PRIMARY) ON {on_tombstone} LOCK IN SHARE MODE"
            ),
            bury=f"DELETE t FROM {rows_of_the_file} WHERE t.{_VERSION} <= k.{_VERSION}",
            # FROM_UNIXTIME ends in 2038 on some servers. A delete without a time is stamped 1970: no time, but deleted.
            stamp=(
                f"UPDATE {rows_of_the_file} SET t.{_DELETED_AT} = "
                f"TIMESTAMPADD(MICROSECOND, COALESCE(k.{_SOFT_CHANGED_AT}, 0) * 1000, TIMESTAMP'1970-01-01 00:00:00') "
                f"WHERE t.{_VERSION} <= k.{_SOFT_VERSION}"
            )
            if pipeline.keeps_deleted
            else None,
        )

    def horizon_ms(self, connection: DatabaseConnection) -> int:
        """See `Statements.horizon_ms`."""
        return read_horizon(connection, self.tables)

    def apply(self, connection: DatabaseConnection, *, staged: Staged) -> Applied:
        """See `Statements.apply`."""
        deleted = rows_changed(connection, self.remember) if staged.deletes else 0
        deleted += rows_changed(connection, self.remember_soft) if staged.soft_deletes else 0
        is_spared = not self._may_be_beaten(connection, self.probe, staged)
        upsert = self.upsert_all if is_spared else self.upsert
        applied = rows_changed(connection, upsert) if staged.upserts else 0
        if staged.rows and not (is_spared and not self._may_be_beaten(connection, self.probe_now, staged)):
            self._look_and_bury(connection)
        return Applied(applied=applied, deleted=deleted, stale=staged.rows - applied - deleted)

    def _may_be_beaten(self, connection: DatabaseConnection, probe: str, staged: Staged) -> bool:
        """Return whether a delete may beat one of the rows of a file that holds none itself."""
        if staged.deletes or staged.soft_deletes or staged.lowest_version is None:
            return True
        kinds = 1 if self.stamp is None else 2
        return bool(connection.rows(probe, (staged.lowest_version,) * kinds))

    def _look_and_bury(self, connection: DatabaseConnection) -> None:
        ((tombstones,),) = connection.rows(self.look)
        if tombstones:
            connection.run(self.bury)
            if self.stamp is not None:
                connection.run(self.stamp)


def _probe(tombstones: str, pipeline: Pipeline, *, lock: str = "") -> str:
    """Return the statement that looks for a tombstone that is as new as a version."""
    versions = [VERSION_COLUMN, SOFT_VERSION_COLUMN] if pipeline.keeps_deleted else [VERSION_COLUMN]
    return " UNION ALL ".join(
        f"(SELECT 1 FROM {as_template(tombstones)} FORCE INDEX ({quote_name(version)}) "
        f"WHERE {quote_name(version)} >= %s LIMIT 1{lock})"
        for version in versions
    )


def _remember(
    operation: Operation, tables: Tables, keys: list[str], *, version: str, changed_at: str, other: str
) -> str:
    """Return the statement that raises *version*, one of a tombstone's two; *other* is the other one."""
    tombstones = tables.tombstones.quoted
    is_newer = f"s.{_VERSION} > {tombstones}.{version}"
    return (
        f"INSERT INTO {tombstones} ({_list(keys)}, {changed_at}, {_DELETED_AT}, {other}, {version}) "
        f"SELECT {_list(keys, 's')}, s.{_CHANGED_AT}, UTC_TIMESTAMP(6), {NO_VERSION}, s.{_VERSION} "
        f"FROM {tables.staging.quoted} AS s WHERE s.{_OPERATION} = '{operation}' {_in_order(keys)}"
        f"ON DUPLICATE KEY UPDATE {changed_at} = IF({is_newer}, s.{_CHANGED_AT}, {tombstones}.{changed_at}), "
        f"{_DELETED_AT} = IF({is_newer}, UTC_TIMESTAMP(6), {tombstones}.{_DELETED_AT}), "
        f"{version} = GREATEST({tombstones}.{version}, s.{_VERSION})"
    )


def _in_order(keys: list[str]) -> str:
    # Of two changes of one version the first in the file stays.
    return f"ORDER BY {_list(keys, 's')}, s.{_LINE} "


def _list(names: list[str], alias: str = "") -> str:
    return ", ".join(f"{alias}.{name}" if alias else name for name in names)


def _newer(table: str, source: str, names: list[str]) -> str:
    return ", ".join(
        f"{name} = IF({source}.{_VERSION} > {table}.{_VERSION}, {source}.{name}, {table}.{name})" for name in names
    )
