"""The target's side of a comparison: rows by key, their tombstones, and the keys of all rows in order."""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.schema import NO_VERSION, Tables
from ddb2aurora.database.values import field_of, parameter_of
from ddb2aurora.pipeline import Column, Pipeline
from ddb2aurora.sql import (
    CHANGED_AT_COLUMN,
    DELETED_AT_COLUMN,
    SOFT_VERSION_COLUMN,
    VERSION_COLUMN,
    quote_name,
)
from operator_cli.verifying.sides import Key, TargetRow

_KEYS_A_STATEMENT: Final = 500
_KEYS_A_PAGE: Final = 5000
_VERSION: Final = quote_name(VERSION_COLUMN)
_DELETED_AT: Final = quote_name(DELETED_AT_COLUMN)


class Tombstone(NamedTuple):
    """The newest hard delete and the newest soft one that the target remembers of a key."""

    version: int = NO_VERSION
    soft_version: int = NO_VERSION


NO_TOMBSTONE: Final = Tombstone()


class Target:
    """The target of a pipeline as one connection sees it."""

    def __init__(
        self, connection: DatabaseConnection, pipeline: Pipeline, tables: Tables, *, keys_a_page: int = _KEYS_A_PAGE
    ) -> None:
        """Read the target of *pipeline* over *connection*, its keys in pages of *keys_a_page*."""
        self._keys_a_page = keys_a_page
        self._connection = connection
        self._pipeline = pipeline
        self._key_columns = pipeline.key_columns
        self._positions = tuple(pipeline.columns.index(column) for column in self._key_columns)
        self._target = as_template(tables.target.quoted)
        self._tombstones = as_template(tables.tombstones.quoted)
        stamped = f"{_DELETED_AT} IS NOT NULL" if pipeline.keeps_deleted else "FALSE"
        names = ", ".join(_name(column) for column in pipeline.columns)
        self._select = f"SELECT {_VERSION}, {quote_name(CHANGED_AT_COLUMN)}, {stamped}, {names} FROM {self._target}"
        self._keys = ", ".join(_name(column) for column in self._key_columns)
        self._unstamped = f"{_DELETED_AT} IS NULL AND " if pipeline.keeps_deleted else ""

    def rows(self, keys: Collection[Key]) -> dict[Key, TargetRow]:
        """
        Return those of the rows with *keys* that are there.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        found = {}
        columns = self._pipeline.columns
        for where, parameters in self._places(keys):
            for version, changed_at_ms, stamped, *values in self._connection.rows(
                f"{self._select} WHERE {where}", parameters
            ):
                fields = tuple(field_of(value, column.type) for value, column in zip(values, columns, strict=True))
                key = tuple(fields[position] for position in self._positions)
                found[key] = TargetRow(int(version), changed_at_ms, bool(stamped), fields)
        return found

    def tombstones(self, keys: Collection[Key]) -> dict[Key, Tombstone]:
        """
        Return what is remembered of deletes of *keys*; a key of which nothing is remembered is left out.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        found = {}
        for where, parameters in self._places(keys):
            for version, soft_version, *values in self._connection.rows(
                f"SELECT {_VERSION}, {quote_name(SOFT_VERSION_COLUMN)}, {self._keys} FROM {self._tombstones} "
                f"WHERE {where}",
                parameters,
            ):
                found[self._key(values)] = Tombstone(int(version), int(soft_version))
        return found

    def living_keys(self, after: Key | None = None) -> Iterator[list[Key]]:
        """
        Yield the keys of all rows behind *after* that are not stamped as deleted, in the order of the primary key.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        last = after
        while page := self._keys_after(last):
            yield page
            last = page[-1]

    def _keys_after(self, last: Key | None) -> list[Key]:
        names = [_name(column) for column in self._key_columns]
        if last is None:
            return self._page_of_keys("TRUE", (), self._keys_a_page)
        parameters = _parameters(last, self._key_columns)
        # First what shares the hash key, then what lies behind it: each a range of the primary key, which
        # (a, b) > (x, y) would not be.
        page: list[Key] = []
        for depth in range(len(names), 0, -1):
            same = "".join(f"{name} = %s AND " for name in names[: depth - 1])
            where = f"{same}{names[depth - 1]} > %s"
            page += self._page_of_keys(where, parameters[:depth], self._keys_a_page - len(page))
            if len(page) == self._keys_a_page:
                break
        return page

    def _page_of_keys(self, where: str, parameters: tuple[Any, ...], limit: int) -> list[Key]:
        rows = self._connection.rows(
            f"SELECT {self._keys} FROM {self._target} WHERE {self._unstamped}{where} ORDER BY {self._keys} LIMIT %s",
            (*parameters, limit),
        )
        return [self._key(row) for row in rows]

    def _key(self, values: Sequence[Any]) -> Key:
        return tuple(field_of(value, column.type) for value, column in zip(values, self._key_columns, strict=True))

    def _places(self, keys: Collection[Key]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield conditions that together are true for the rows with *keys*, with the parameters of each."""
        wanted = list(keys)
        for start in range(0, len(wanted), _KEYS_A_STATEMENT):
            some = wanted[start : start + _KEYS_A_STATEMENT]
            yield place_of(self._key_columns, some)


def place_of(columns: Sequence[Column], keys: Sequence[Key]) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that is true for the rows with *keys*, which are made of *columns*, and its parameters."""
    parameters = tuple(value for key in keys for value in _parameters(key, columns))
    if len(columns) == 1:
        return f"{_name(columns[0])} IN ({', '.join(['%s'] * len(keys))})", parameters
    # Not (a, b) IN (…): not every server looks each pair up in the index.
    one = "(" + " AND ".join(f"{_name(column)} = %s" for column in columns) + ")"
    return "(" + " OR ".join([one] * len(keys)) + ")", parameters


def _parameters(key: Key, columns: Sequence[Column]) -> tuple[Any, ...]:
    return tuple(parameter_of(field, column.type) for field, column in zip(key, columns, strict=True))


def _name(column: Column) -> str:
    return as_template(quote_name(column.name))
