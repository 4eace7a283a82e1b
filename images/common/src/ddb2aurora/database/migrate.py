"""
Bring the tables of a pipeline to what its file says, as far as that is safe while loads go on; show the rest.

Everything is compared before anything is changed. If a difference needs a person, nothing is changed: the file cannot
be rolled out yet, so there is nothing to prepare for. A table that holds more than the file asks for needs nobody.
Each change is a statement of its own, which the server does whole or not at all, so a run that broke off is simply run
again.

An ALTER waits for every transaction that uses the table, and whoever comes after it waits for the ALTER. So it waits
for a few seconds only, gives way to the loads, and comes again.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pymysql

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.described import definitions, describe, describe_expected, kinds_of_tables
from ddb2aurora.database.differences import COPYING, Difference, Mend, differences, not_innodb
from ddb2aurora.database.errors import as_our_error, error_number
from ddb2aurora.database.horizon import note_target
from ddb2aurora.database.plan import Creation, Plan
from ddb2aurora.database.schema import Tables, tables_of
from ddb2aurora.database.server import Server
from ddb2aurora.database.shapes import is_noted, note_shape, read_shapes
from ddb2aurora.database.table_definitions import TableDefinition
from ddb2aurora.errors import HaltError, RetryError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name

_LOCK_WAIT_SECONDS: Final = 3
_PAUSE_SECONDS: Final = 2.0
_MOST_TRIES: Final = 10
_ANOTHER_SECONDS: Final = 10
_LOCK_WAIT_TIMEOUT: Final = 1205
# ALGORITHM or LOCK is not supported, with and without a reason; the table was changed at once too often.
_NOT_THIS_WAY: Final = (1845, 1846, 4092)


class TableMismatchError(HaltError):
    """A table is there but is not what the pipeline needs; the text lists what has to be mended first."""

    def __init__(self, text: str, plan: Plan) -> None:
        """Say what does not match, and keep the whole *plan*."""
        super().__init__(text)
        self.plan = plan


class NotMigratedError(HaltError):
    """A table is missing, or is not what the pipeline needs, and the loader may not mend that."""


class NotOnlineError(HaltError):
    """The server does not do a change while the table is in use, although servers of its kind do."""


class TableBusyError(RetryError):
    """Other sessions use a table for so long that it cannot be changed now."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was *done*, a line each, and the *plan* that it followed."""

    done: tuple[str, ...]
    plan: Plan


def compare(connection: DatabaseConnection, pipeline: Pipeline, *, server: Server, database: str) -> Plan:
    """
    Return what has to be done to *database* for *pipeline*; nothing is changed.

    Raises:
        DatabaseHaltError: The server refuses, for want of a privilege for instance.
        DatabaseRetryError: The server cannot do it now.
    """
    tables = tables_of(pipeline, database=database, key_collation=server.key_collation)
    try:
        return _compare(connection, pipeline, tables)
    except pymysql.err.Error as error:
        raise as_our_error(error, operation="comparing", where=database) from error


def migrate(
    connection: DatabaseConnection,
    pipeline: Pipeline,
    *,
    server: Server,
    database: str,
    allow_copy: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Migrated:
    """
    Make and change what is missing of *pipeline*'s tables in *database*, and say what was done.

    Raises:
        TableMismatchError: A table that is there cannot be loaded before a person acts; nothing was done.
        NotOnlineError: The server does a change in no way that lets loads go on; what was done before it stays.
        TableBusyError: A table is in use for too long; what was done before it stays.
        DatabaseHaltError: The server refuses, for want of a privilege for instance.
        DatabaseRetryError: The server cannot do it now.
    """
    tables = tables_of(pipeline, database=database, key_collation=server.key_collation)
    try:
        with _alone(connection, database):
            plan = _compare(connection, pipeline, tables)
            undecided = plan.to_decide(allow_copy=allow_copy)
            if undecided:
                problems = "\n  ".join(found.problem for found in undecided)
                raise TableMismatchError(f"{database} does not match pipeline {pipeline.name}:\n  {problems}", plan)
            done = []
            for creation in plan.creations:
                connection.run(creation.statement)
                done.append(f"created the {creation.what}")
            done += [
                _alter(connection, difference, allow_copy=allow_copy, pause=pause)
                for difference in plan.to_do(allow_copy=allow_copy)
            ]
            if tables.remembers_deletes:
                note_target(connection, tables)
            generation = note_shape(connection, tables, pipeline)
            if generation is not None:
                done.append(f"noted the columns of {pipeline.name} as generation {generation} ({pipeline.shape})")
    except pymysql.err.Error as error:
        raise as_our_error(error, operation="migrating", where=database) from error
    return Migrated(tuple(done), plan)


def check_tables(connection: DatabaseConnection, pipeline: Pipeline, *, server: Server, database: str) -> None:
    """
    Make sure that *pipeline* can be loaded into *database*.

    Raises:
        NotMigratedError: Tables are missing or do not match.
        pymysql.err.Error: The server refused to say, or the connection was lost.
    """
    tables = tables_of(pipeline, database=database, key_collation=server.key_collation)
    kinds = kinds_of_tables(connection, database)
    problems = []
    for table in tables.lasting:
        if table.name in kinds:
            found = _differences(connection, table, kind=kinds[table.name], is_target=table is tables.target)
            problems += [difference.problem for difference in found if difference.blocks]
        else:
            problems.append(f"{table.name}: is missing")
    if problems:
        raise NotMigratedError(
            f"{database} is not ready for pipeline {pipeline.name}; run ddb2aurora migrate:\n  " + "\n  ".join(problems)
        )


@contextmanager
def _alone(connection: DatabaseConnection, database: str) -> Iterator[None]:
    """Keep other migrations of *database* out, and wait for its tables for a few seconds only, as long as it lasts."""
    # GET_LOCK: a name has at most 64 characters.
    name = f"ddb2aurora-{hashlib.sha256(database.encode()).hexdigest()[:32]}"
    ((taken,),) = connection.rows("SELECT GET_LOCK(%s, %s)", (name, _ANOTHER_SECONDS))
    if not taken:
        raise TableBusyError(f"another ddb2aurora migrate works on {database}; run this one again when it has ended")
    connection.run(f"SET SESSION lock_wait_timeout = {_LOCK_WAIT_SECONDS}")
    try:
        yield
    finally:
        with contextlib.suppress(pymysql.err.Error, OSError):  # the lock ends with the connection at the latest
            connection.run("SET SESSION lock_wait_timeout = DEFAULT")
            connection.rows("SELECT RELEASE_LOCK(%s)", (name,))


def _compare(connection: DatabaseConnection, pipeline: Pipeline, tables: Tables) -> Plan:
    database = tables.target.database
    is_there = connection.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", (database,))
    kinds = kinds_of_tables(connection, database) if is_there else {}
    creations = []
    if not is_there:
        statement = f"CREATE DATABASE {quote_name(database)} DEFAULT CHARACTER SET utf8mb4"
        creations.append(Creation(f"database {database}", statement))
    noted = read_shapes(connection, tables) if tables.shapes.name in kinds else ()
    former = frozenset(name for shape in noted for name, _ in shape.columns)
    found: list[Difference] = []
    for table in tables.lasting:
        if table.name not in kinds:
            creations.append(Creation(f"table {database}.{table.name}", table.create_statement))
            continue
        is_target = table is tables.target
        found += _differences(
            connection,
            table,
            kind=kinds[table.name],
            is_target=is_target,
            former=former if is_target else frozenset(),
            mending=True,
        )
    return Plan(tuple(creations), tuple(found), notes_shape=not is_noted(noted, pipeline))


def _differences(
    connection: DatabaseConnection,
    table: TableDefinition,
    *,
    kind: str,
    is_target: bool,
    former: frozenset[str] = frozenset(),
    mending: bool = False,
) -> list[Difference]:
    if kind.lower() != "innodb":
        return [not_innodb(table, kind)]
    return list(
        differences(
            table,
            expected=describe_expected(connection, table),
            actual=describe(connection, table),
            is_target=is_target,
            former=former,
            definitions=definitions(connection, table) if mending else None,
        )
    )


def _alter(
    connection: DatabaseConnection, difference: Difference, *, allow_copy: bool, pause: Callable[[float], None]
) -> str:
    """Mend *difference* in the lightest way that the server knows, and say how."""
    ways = difference.clauses
    if allow_copy and difference.mend is Mend.ONLINE:
        ways = (*ways, f"{ways[-1].partition(', ALGORITHM=')[0]}, {COPYING}")
    for way in ways:
        statement = f"ALTER TABLE {difference.table} {way}"
        try:
            _patiently(connection, statement, difference, pause=pause)
        except pymysql.err.Error as error:
            if error_number(error) not in _NOT_THIS_WAY:
                raise
        else:
            return f"{difference.place} {difference.text}: {statement}"
    raise NotOnlineError(
        f"{difference.place}: {difference.text}, and this server mends it in no way that lets loads go on "
        f"({difference.statement}); run ddb2aurora migrate --allow-copy when loads may wait for a copy of the table"
    )


def _patiently(
    connection: DatabaseConnection, statement: str, difference: Difference, *, pause: Callable[[float], None]
) -> None:
    for attempt in range(_MOST_TRIES):
        if attempt:
            # What queued up behind the ALTER goes first.
            pause(_PAUSE_SECONDS)
        try:
            connection.run(statement)
        except pymysql.err.Error as error:
            if error_number(error) != _LOCK_WAIT_TIMEOUT:
                raise
            failure = error
        else:
            return
    raise TableBusyError(
        f"{difference.table} was in use each time it was to be changed; find the transaction that does not end in "
        "information_schema.INNODB_TRX, end it, and run ddb2aurora migrate again"
    ) from failure
