"""
The tables that a rebuild makes beside the live ones: their names, how they are made, and how the two compare.

The shadow of the target is made LIKE it, so that indexes, comments and columns of yours are on it, and then changed to
what the pipeline file says: it is empty, so any change of it is at once and costs no value.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from dataclasses import dataclass, replace
from typing import Final

import pymysql

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.described import definitions, describe, describe_expected, kinds_of_tables
from ddb2aurora.database.differences import Difference, differences
from ddb2aurora.database.errors import Verdict, verdict_on
from ddb2aurora.database.migrate import NotMigratedError
from ddb2aurora.database.schema import NO_VERSION, Tables
from ddb2aurora.database.shapes import read_shapes
from ddb2aurora.database.table_definitions import TableDefinition
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, VERSION_COLUMN, quote_name
from ddb2aurora.version import BACKFILL_VERSION

_VERSION: Final = quote_name(VERSION_COLUMN)
# MySQL: a name has at most 64 characters. What is added to it: an id of 19 characters, and "_t" for tombstones.
_LONGEST_BEFORE_REBUILD: Final = 33
_LONGEST_BEFORE_OLD: Final = 37
_TOMBSTONES: Final = "_t"


def shadow_table(target: str, run_id: str) -> str:
    """Return the name of the shadow of *target*."""
    return f"{target[:_LONGEST_BEFORE_REBUILD]}__rebuild_{run_id}"


def old_table(target: str, moment: str) -> str:
    """Return the name that *target* gets when another takes its place at *moment*."""
    return f"{target[:_LONGEST_BEFORE_OLD]}__old_{moment}"


def tombstones_of(table: str) -> str:
    """Return the name of the tombstones that belong to a shadow, or to an old table."""
    return table + _TOMBSTONES


def tables_named(tables: Tables, target: str) -> Tables:
    """Return *tables* with the table *target*, a shadow or an old one, in place of the target, and its tombstones."""
    return replace(
        tables,
        target=replace(tables.target, name=target),
        tombstones=replace(tables.tombstones, name=tombstones_of(target)),
    )


@dataclass(frozen=True, slots=True)
class Sides:
    """How many rows each table has; *lacking* are rows of the live one of which the shadow knows nothing at all."""

    live_rows: int
    rows: int
    tombstones: int
    lacking: int | None
    """None where that says nothing, or the two have different keys and cannot be compared."""


class Shadow:
    """The shadow of one target."""

    def __init__(self, connection: DatabaseConnection, pipeline: Pipeline, live: Tables, *, run_id: str) -> None:
        """Work on the shadow of *live* over *connection*."""
        self._connection = connection
        self._pipeline = pipeline
        self._live = live
        self.tables = tables_named(live, shadow_table(live.target.name, run_id))

    @property
    def is_there(self) -> bool:
        """Whether the tables are there."""
        needed = [self.tables.target, *([self.tables.tombstones] if self.tables.remembers_deletes else [])]
        return {table.name for table in needed} <= self._kinds().keys()

    def make(self) -> None:
        """
        Make the tables, empty; what is there under their names goes.

        Raises:
            NotMigratedError: The live tables are not there.
            pymysql.err.Error: The database refused it.
        """
        kinds = self._kinds()
        wanted = self._live.lasting
        missing = [table.name for table in wanted if table.name not in kinds]
        if missing:
            raise NotMigratedError(f"{', '.join(missing)}: not there; run ddb2aurora migrate")
        self.drop()
        try:
            self._make_alike()
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.HALT:
                raise
            # What the live table has cannot become what the file says: another key, for instance.
            self._connection.run(f"DROP TABLE IF EXISTS {self.tables.target.quoted}")
            self._connection.run(self.tables.target.create_statement)
        if self.tables.remembers_deletes:
            self._connection.run(self.tables.tombstones.create_statement)

    def drop(self) -> None:
        """
        Remove the tables.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        self._connection.run(f"DROP TABLE IF EXISTS {self.tables.target.quoted}")
        if self.tables.remembers_deletes:
            self._connection.run(f"DROP TABLE IF EXISTS {self.tables.tombstones.quoted}")

    def left_behind(self) -> tuple[str, ...]:
        """
        Return what the live table has and the shadow has not, or would lose by being renamed, a line each.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        live, database = self._live.target, self._live.target.database
        indexes = self._indexes(live) - self._indexes(self.tables.target)
        triggers = self._connection.rows(
            "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS "
            "WHERE EVENT_OBJECT_SCHEMA = %s AND EVENT_OBJECT_TABLE = %s ORDER BY 1",
            (database, live.name),
        )
        keys = self._connection.rows(
            "SELECT DISTINCT TABLE_NAME, CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE "
            "WHERE (TABLE_SCHEMA = %s AND TABLE_NAME = %s AND REFERENCED_TABLE_NAME IS NOT NULL) "
            "OR (REFERENCED_TABLE_SCHEMA = %s AND REFERENCED_TABLE_NAME = %s) ORDER BY 1, 2",
            (database, live.name) * 2,
        )
        return (
            *(f"index {name}" for name in sorted(indexes)),
            *(f"trigger {name}" for (name,) in triggers),
            *(f"foreign key {name} of {table}" for table, name in keys),
        )

    def has_backfilled(self) -> bool:
        """
        Return whether the live table holds rows that were backfilled and never changed.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        found = self._connection.rows(
            f"SELECT 1 FROM {as_template(self._live.target.quoted)} WHERE {_VERSION} = %s LIMIT 1", (BACKFILL_VERSION,)
        )
        return bool(found)

    def compare(self, *, lacking: bool) -> Sides:
        """
        Count the rows of both sides, and those that are *lacking* if that is wanted.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        tombstones = self._count(self.tables.tombstones) if self.tables.remembers_deletes else 0
        return Sides(
            self._count(self._live.target),
            self._count(self.tables.target),
            tombstones,
            self._lacking() if lacking else None,
        )

    def _lacking(self) -> int | None:
        key = self._live.target.primary_key
        if describe(self._connection, self._live.target).primary_key != key:
            return None
        on = [f"{{}}.{quote_name(name)} = live.{quote_name(name)}" for name in key]
        joins, unknown = [("shadow", self.tables.target)], [f"shadow.{_VERSION} IS NULL"]
        if self.tables.remembers_deletes:
            joins.append(("gone", self.tables.tombstones))
            unknown.append(f"COALESCE(gone.{_VERSION}, {NO_VERSION}) = {NO_VERSION}")
        text = " ".join(
            f"LEFT JOIN {table.quoted} AS {alias} ON {' AND '.join(part.format(alias) for part in on)}"
            for alias, table in joins
        )
        ((count,),) = self._connection.rows(
            f"SELECT COUNT(*) FROM {self._live.target.quoted} AS live {text} WHERE {' AND '.join(unknown)}"
        )
        return int(count)

    def _make_alike(self) -> None:
        shadow, connection = self.tables.target, self._connection
        connection.run(f"CREATE TABLE {shadow.quoted} LIKE {self._live.target.quoted}")
        former = {name for shape in read_shapes(connection, self._live) for name, _ in shape.columns}
        former -= {column.name for column in self._pipeline.columns}
        expected = describe_expected(connection, shadow)

        def found() -> list[Difference]:
            return list(
                differences(
                    shadow,
                    expected=expected,
                    actual=describe(connection, shadow),
                    is_target=True,
                    former=former,
                    definitions=definitions(connection, shadow),
                )
            )

        for difference in found():
            for clause in difference.clauses[:1]:
                if not clause.startswith("DROP COLUMN"):
                    # How the server does it matters with rows alone.
                    connection.run(f"ALTER TABLE {shadow.quoted} {clause.partition(', ALGORITHM=')[0]}")
        if any(difference.blocks for difference in found()):
            raise pymysql.err.OperationalError(0, "")

    def _kinds(self) -> dict[str, str]:
        return kinds_of_tables(self._connection, self._live.target.database)

    def _count(self, table: TableDefinition) -> int:
        ((count,),) = self._connection.rows(f"SELECT COUNT(*) FROM {table.quoted}")
        return int(count)

    def _indexes(self, table: TableDefinition) -> set[str]:
        return {str(row[2]) for row in self._connection.rows(f"SHOW INDEX FROM {table.quoted}")}


def rename_statement(live: Tables, *, shadow: Tables, old: Tables) -> str:
    """Return the one statement that puts *shadow* in the place of *live*, which becomes *old*."""
    pairs = [(live.target, old.target), (shadow.target, live.target)]
    if live.remembers_deletes:
        pairs += [(live.tombstones, old.tombstones), (shadow.tombstones, live.tombstones)]
    return "RENAME TABLE " + ", ".join(f"{before.quoted} TO {after.quoted}" for before, after in pairs)


def changed_at_condition(until_ms: int | None) -> str:
    """Return the condition that a row of the live table was written no later than a point in time, if there is one."""
    return "TRUE" if until_ms is None else f"COALESCE({quote_name(CHANGED_AT_COLUMN)}, 0) <= {int(until_ms)}"
