"""
Make the tables of a pipeline, or say how those that are there differ. Everything is compared before anything is made.

The server itself says what our DDL means to it: each table is made once as an empty temporary table, and the two are
compared as the server describes them. So `int` and `int(11)`, or `json` and the `longtext` that MariaDB makes of it,
are no differences.
"""

import re
from typing import Final, NamedTuple

import pymysql

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.errors import as_our_error
from ddb2aurora.database.horizon import note_target
from ddb2aurora.database.schema import ColumnDefinition, TableDefinition, tables_of
from ddb2aurora.database.server import Server
from ddb2aurora.database.shapes import note_shape
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name

_EXPECTED: Final = "_ddb2aurora_expected"
_DISPLAY_WIDTH: Final = re.compile(r"^(tinyint|smallint|mediumint|int|bigint)\(\d+\)")


class TableMismatchError(HaltError):
    """A table is there but is not what the pipeline needs; the text lists every difference and its mend."""


class NotMigratedError(HaltError):
    """A table is missing, or is not what the pipeline needs, and the loader may not mend that."""


class _Described(NamedTuple):
    """A column as the server describes it."""

    type: str
    collation: str | None
    nullable: bool
    default: str | None
    extra: str


def migrate(connection: DatabaseConnection, pipeline: Pipeline, *, server: Server, database: str) -> tuple[str, ...]:
    """
    Make what is missing of *pipeline*'s tables in *database* and return what was made; nothing when all is there.

    Raises:
        TableMismatchError: A table that is there does not match; nothing was made.
        DatabaseHaltError: The server refuses, for want of a privilege for instance.
        DatabaseRetryError: The server cannot do it now.
    """
    tables = tables_of(pipeline, database=database, key_collation=server.key_collation)
    try:
        is_there = bool(
            connection.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", (database,))
        )
        found = _existing(connection, database) if is_there else {}
        problems = [
            problem
            for table in tables.lasting
            if table.name in found
            for problem in _differences(connection, table, kind=found[table.name])
        ]
        if problems:
            raise TableMismatchError(f"{database} does not match pipeline {pipeline.name}:\n  " + "\n  ".join(problems))
        done = []
        if not is_there:
            connection.run(f"CREATE DATABASE {quote_name(database)} DEFAULT CHARACTER SET utf8mb4")
            done.append(f"created the database {database}")
        for table in tables.lasting:
            if table.name not in found:
                connection.run(table.create_statement)
                done.append(f"created the table {database}.{table.name}")
        if tables.remembers_deletes:
            note_target(connection, tables)
        generation = note_shape(connection, tables, pipeline)
        if generation is not None:
            done.append(f"noted the columns of {pipeline.name} as generation {generation} ({pipeline.shape})")
    except pymysql.err.Error as error:
        raise as_our_error(error, operation="migrating", where=database) from error
    return tuple(done)


def check_tables(connection: DatabaseConnection, pipeline: Pipeline, *, server: Server, database: str) -> None:
    """
    Make sure that *pipeline* can be loaded into *database*.

    Raises:
        NotMigratedError: Tables are missing or do not match.
        pymysql.err.Error: The server refused to say, or the connection was lost.
    """
    tables = tables_of(pipeline, database=database, key_collation=server.key_collation)
    found = _existing(connection, database)
    problems = []
    for table in tables.lasting:
        if table.name in found:
            problems += _differences(connection, table, kind=found[table.name])
        else:
            problems.append(f"{table.name}: is missing")
    if problems:
        raise NotMigratedError(
            f"{database} is not ready for pipeline {pipeline.name}; run ddb2aurora migrate:\n  " + "\n  ".join(problems)
        )


def _existing(connection: DatabaseConnection, database: str) -> dict[str, str]:
    rows = connection.rows(
        "SELECT TABLE_NAME, COALESCE(ENGINE, TABLE_TYPE) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s",
        (database,),
    )
    return dict(rows)


def _differences(connection: DatabaseConnection, table: TableDefinition, *, kind: str) -> list[str]:
    if kind.lower() != "innodb":
        return [f"{table.name}: is {kind}; only an InnoDB table can be loaded in a transaction"]
    temporary = quote_name(table.database, _EXPECTED)
    connection.run(f"DROP TEMPORARY TABLE IF EXISTS {temporary}")
    connection.run(table.temporary_statement(_EXPECTED))
    expected = _described(connection, temporary)
    connection.run(f"DROP TEMPORARY TABLE {temporary}")
    actual = _described(connection, table.quoted)
    problems = []
    for column in table.columns:
        problems += _column_problems(table, column, expected[column.name], actual.get(column.name))
    for name in actual.keys() - expected.keys():
        if _must_be_given(actual[name]):
            problems.append(
                f"{table.name}.{name}: is NOT NULL without a default and not in the pipeline file; "
                f"give it a default: ALTER TABLE {table.quoted} ALTER {quote_name(name)} SET DEFAULT ..."
            )
    return problems + _index_problems(connection, table)


def _described(connection: DatabaseConnection, quoted: str) -> dict[str, _Described]:
    rows = connection.rows(f"SHOW FULL COLUMNS FROM {quoted}")
    return {
        name: _Described(_DISPLAY_WIDTH.sub(r"\1", type_), collation, null == "YES", _default(default), extra.upper())
        for name, type_, collation, null, _key, default, extra, *_ in rows
    }


def _default(default: object) -> str | None:
    # MariaDB shows the default NULL of a nullable column as a text in places.
    return None if default in (None, "NULL") else str(default)


def _must_be_given(column: _Described) -> bool:
    given_by_server = "GENERATED" in column.extra or "AUTO_INCREMENT" in column.extra
    return not column.nullable and column.default is None and not given_by_server


def _column_problems(
    table: TableDefinition, column: ColumnDefinition, expected: _Described, actual: _Described | None
) -> list[str]:
    where = f"{table.name}.{column.name}"
    mend = f"{quote_name(column.name)} {column.definition}"
    if actual is None:
        return [f"{where}: is missing; ALTER TABLE {table.quoted} ADD COLUMN {mend}"]
    is_key = column.name in table.primary_key
    found = []
    if actual.type != expected.type:
        found.append(f"is {actual.type} instead of {expected.type}")
    if actual.nullable != expected.nullable:
        found.append("allows NULL" if actual.nullable else "forbids NULL")
    if is_key and actual.collation != expected.collation:
        found.append(f"compares by {actual.collation} instead of {expected.collation}, byte for byte")
    elif _charset(actual.collation) != _charset(expected.collation):
        found.append(f"has the character set {_charset(actual.collation)} instead of {_charset(expected.collation)}")
    if "GENERATED" in actual.extra:
        found.append("is a generated column")
    if column.is_ours and actual.default != expected.default:
        found.append(f"has the default {actual.default} instead of {expected.default}")
    if column.is_ours and "INVISIBLE" not in actual.extra:
        found.append("is visible")
    if not found:
        return []
    return [f"{where}: {', '.join(found)}; ALTER TABLE {table.quoted} MODIFY COLUMN {mend}"]


def _charset(collation: str | None) -> str | None:
    return collation.partition("_")[0] if collation else None


def _index_problems(connection: DatabaseConnection, table: TableDefinition) -> list[str]:
    unique: dict[str, list[str]] = {}
    for _, non_unique, name, _, column, _, _, part, *_ in connection.rows(f"SHOW INDEX FROM {table.quoted}"):
        if not int(non_unique):
            unique.setdefault(name, []).append(f"{column}({part})" if part else str(column))
    key = unique.pop("PRIMARY", [])
    problems = []
    if key != list(table.primary_key):
        wanted = ", ".join(map(quote_name, table.primary_key))
        change = "DROP PRIMARY KEY, ADD" if key else "ADD"
        problems.append(
            f"{table.name}: has the primary key ({', '.join(key)}) instead of ({', '.join(table.primary_key)}); "
            f"ALTER TABLE {table.quoted} {change} PRIMARY KEY ({wanted})"
        )
    problems += [
        # An upsert that meets another row's value in a unique index would change that row.
        f"{table.name}: has the unique index {name} ({', '.join(columns)}), by which an upsert could change the wrong "
        f"row; ALTER TABLE {table.quoted} DROP INDEX {quote_name(name)}"
        for name, columns in sorted(unique.items())
    ]
    return problems
