"""
Mend one row, unless anything about it has changed since it was looked at. docs/decisions/repair.md has the argument.

Each repair is a transaction that takes its place among those of the loaders: whatever a loader writes before it is seen
and ends it, and whatever a loader writes after it finds the row or the tombstone with a version that it beats.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import time
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import pymysql

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.errors import Verdict, error_number, verdict_on
from ddb2aurora.database.horizon import read_horizon
from ddb2aurora.database.schema import NO_VERSION, Tables
from ddb2aurora.database.values import parameter_of
from ddb2aurora.errors import RejectError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import (
    CHANGED_AT_COLUMN,
    DELETED_AT_COLUMN,
    SOFT_CHANGED_AT_COLUMN,
    SOFT_VERSION_COLUMN,
    VERSION_COLUMN,
    quote_name,
)
from ddb2aurora.version import BACKFILL_VERSION
from operator_cli.verifying.looking import Sight
from operator_cli.verifying.sides import Comparison, Item, Key, TargetRow
from operator_cli.verifying.target import NO_TOMBSTONE, Tombstone, place_of

Outcome: TypeAlias = Literal["written", "changed"] | int

_MOST_TRIES: Final = 5
_DUPLICATE_ENTRY: Final = 1062
_VERSION: Final = quote_name(VERSION_COLUMN)
_CHANGED_AT: Final = quote_name(CHANGED_AT_COLUMN)
_DELETED_AT: Final = quote_name(DELETED_AT_COLUMN)
_SOFT_VERSION: Final = quote_name(SOFT_VERSION_COLUMN)
_SOFT_CHANGED_AT: Final = quote_name(SOFT_CHANGED_AT_COLUMN)
_NOW: Final = "UTC_TIMESTAMP(6)"


class ChangedMeanwhileError(Exception):
    """What stands in the target is not what was seen."""


class Repairer:
    """Repairs over one connection, which must see what others commit (READ COMMITTED)."""

    def __init__(
        self,
        connection: DatabaseConnection,
        pipeline: Pipeline,
        *,
        tables: Tables,
        comparison: Comparison,
        floor: int,
        before_look: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Repair the target of *pipeline*; no change after what was seen has a version of *floor* or less.

        *before_look* runs between the two steps of a repair, for tests that let others come in between.
        """
        self._connection = connection
        self._pipeline = pipeline
        self._tables = tables
        self._comparison = comparison
        self._floor = floor
        self._before_look = before_look
        self._target = as_template(tables.target.quoted)
        self._tombstones = as_template(tables.tombstones.quoted)
        self._stamped = f"{_DELETED_AT} IS NOT NULL" if pipeline.keeps_deleted else "FALSE"

    def repair(self, key: Key, sight: Sight, *, read_at_ms: int) -> Outcome:
        """
        Make the row with *key* what its item says, and return what came of it; a number is that of a refusal.

        *sight* must be steady, and its item was asked for at *read_at_ms* or later.

        Raises:
            pymysql.err.Error: The database does not answer, or others were in the way for too long.
        """
        for attempt in range(1, _MOST_TRIES + 1):
            try:
                self._connection.run("START TRANSACTION")
                self._check_horizon(read_at_ms)
                self._write(key, sight, read_at_ms)
                self._connection.run("COMMIT")
            except ChangedMeanwhileError:
                self._connection.rollback()
                return "changed"
            except pymysql.err.Error as error:
                self._roll_back()
                verdict = verdict_on(error)
                if error_number(error) == _DUPLICATE_ENTRY:
                    return "changed"
                if verdict is Verdict.ROW:
                    return error_number(error)
                if verdict is not Verdict.RETRY or attempt == _MOST_TRIES:
                    raise
                time.sleep(0.05 * attempt)
            else:
                return "written"
        return "changed"

    def _roll_back(self) -> None:
        if self._connection.open:
            self._connection.rollback()

    def _check_horizon(self, read_at_ms: int) -> None:
        if read_horizon(self._connection, self._tables) > read_at_ms:
            # Deletes of after the item was read may be forgotten already.
            raise ChangedMeanwhileError

    def _write(self, key: Key, sight: Sight, read_at_ms: int) -> None:
        item, row = sight.item, sight.row
        if item is not None:
            self._put(key, item, row, sight.tombstone, read_at_ms)
        elif row is not None:
            self._bury(key, row, read_at_ms)

    def _put(self, key: Key, item: Item, row: TargetRow | None, tombstone: Tombstone, read_at_ms: int) -> None:
        # The item lives, so it has changed since each delete that is remembered of it.
        version = max(tombstone.version, tombstone.soft_version) + 1
        if row is None or row.version <= BACKFILL_VERSION:
            version = max(version, self._floor, BACKFILL_VERSION)
        if row is None:
            self._insert(item, version, read_at_ms)
        else:
            self._update(key, item, row, max(version, row.version), read_at_ms)
        # As the loader: the row first, then a current and locking look at the tombstone. Whoever comes second sees
        # the first.
        self._before_look()
        if self._tombstone_now(key) != tombstone:
            raise ChangedMeanwhileError

    def _insert(self, item: Item, version: int, read_at_ms: int) -> None:
        fields = self._comparison.written(item, version=version, changed_at_ms=read_at_ms, event="INSERT")
        names = [*(_name(column.name) for column in self._pipeline.columns), _CHANGED_AT, _VERSION]
        self._connection.run(
            f"INSERT INTO {self._target} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})",
            (*self._parameters(fields), read_at_ms, version),
        )

    def _update(self, key: Key, item: Item, row: TargetRow, version: int, read_at_ms: int) -> None:
        self._lock_row(key, row)
        event, changed_at_ms = self._comparison.event_of(row), row.changed_at_ms
        try:
            fields = self._comparison.written(item, version=version, changed_at_ms=changed_at_ms, event=event)
        except RejectError:
            # A column forbids the NULL of a time that the row has lost.
            changed_at_ms = read_at_ms
            fields = self._comparison.written(item, version=version, changed_at_ms=changed_at_ms, event=event)
        names = [*(_name(column.name) for column in self._pipeline.columns), _CHANGED_AT, _VERSION]
        unstamp = f", {_DELETED_AT} = NULL" if self._pipeline.keeps_deleted else ""
        where, at_key = self._place(key)
        self._connection.run(
            f"UPDATE {self._target} SET {', '.join(f'{name} = %s' for name in names)}{unstamp} "
            f"WHERE {where} AND {_VERSION} = %s",
            (*self._parameters(fields), changed_at_ms, version, *at_key, row.version),
        )

    def _bury(self, key: Key, row: TargetRow, read_at_ms: int) -> None:
        # As the loader: the tombstone first, then the row. It beats what is as old as the row, and nothing else.
        soft = self._pipeline.mode == "soft_delete"
        version, changed_at = (_SOFT_VERSION, _SOFT_CHANGED_AT) if soft else (_VERSION, _CHANGED_AT)
        other = _VERSION if soft else _SOFT_VERSION
        keys = [_name(column.name) for column in self._pipeline.key_columns]
        is_newer = f"%s > {version}"
        where, at_key = self._place(key)
        self._connection.run(
            f"INSERT INTO {self._tombstones} ({', '.join(keys)}, {changed_at}, {_DELETED_AT}, {other}, {version}) "
            f"VALUES ({', '.join(['%s'] * len(keys))}, %s, {_NOW}, {NO_VERSION}, %s) "
            f"ON DUPLICATE KEY UPDATE {changed_at} = IF({is_newer}, %s, {changed_at}), "
            f"{_DELETED_AT} = IF({is_newer}, {_NOW}, {_DELETED_AT}), {version} = GREATEST({version}, %s)",
            (
                *at_key,
                read_at_ms,
                row.version,
                row.version,
                read_at_ms,
                row.version,
                row.version,
            ),
        )
        self._before_look()
        self._lock_row(key, row)
        if soft:
            self._connection.run(
                f"UPDATE {self._target} SET {_DELETED_AT} = "
                f"TIMESTAMPADD(MICROSECOND, %s, TIMESTAMP'1970-01-01 00:00:00') WHERE {where} AND {_VERSION} = %s",
                (read_at_ms * 1000, *at_key, row.version),
            )
        else:
            self._connection.run(
                f"DELETE FROM {self._target} WHERE {where} AND {_VERSION} = %s", (*at_key, row.version)
            )

    def _lock_row(self, key: Key, row: TargetRow) -> None:
        where, at_key = self._place(key)
        found = self._connection.rows(
            f"SELECT {_VERSION}, {self._stamped} FROM {self._target} WHERE {where} FOR UPDATE", at_key
        )
        if [(int(version), bool(stamped)) for version, stamped in found] != [(row.version, row.is_stamped)]:
            raise ChangedMeanwhileError

    def _tombstone_now(self, key: Key) -> Tombstone:
        where, at_key = self._place(key)
        found = self._connection.rows(
            f"SELECT {_VERSION}, {_SOFT_VERSION} FROM {self._tombstones} WHERE {where} FOR UPDATE", at_key
        )
        return Tombstone(*map(int, found[0])) if found else NO_TOMBSTONE

    def _place(self, key: Key) -> tuple[str, tuple[Any, ...]]:
        return place_of(self._pipeline.key_columns, [key])

    def _parameters(self, fields: tuple[str | None, ...]) -> tuple[Any, ...]:
        return tuple(
            parameter_of(field, column.type) for field, column in zip(fields, self._pipeline.columns, strict=True)
        )


def _name(name: str) -> str:
    return as_template(quote_name(name))
