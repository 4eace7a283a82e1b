"""
Tables as the server describes them, in a form in which two tables can be compared.

The server itself says what our DDL means to it: a table is made once as an empty temporary table and described like the
one that is there. So `int` and `int(11)`, or `json` and the `longtext` that MariaDB makes of it, are no differences.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.table_definitions import TableDefinition
from ddb2aurora.errors import HaltError
from ddb2aurora.sql import SHAPES_TABLE, quote_name

# MySQL shows the columns of a temporary table only to those who may use a lasting one of the same name. So it has that
# of a table which everybody may read, and which is never read or written under this one's cover.
_EXPECTED: Final = SHAPES_TABLE
_DISPLAY_WIDTH: Final = re.compile(r"^(tinyint|smallint|mediumint|int|bigint)\(\d+\)")


class HiddenColumnsError(HaltError):
    """The server shows this user nothing of our tables."""


class DescribedColumn(NamedTuple):
    """A column as the server describes it."""

    type: str
    collation: str | None
    nullable: bool
    default: str | None
    extra: str

    @property
    def charset(self) -> str | None:
        """The character set, None for what is no text."""
        return self.collation.partition("_")[0] if self.collation else None

    @property
    def must_be_given(self) -> bool:
        """Whether an INSERT that leaves the column out is refused."""
        given_by_server = "GENERATED" in self.extra or "AUTO_INCREMENT" in self.extra
        return not self.nullable and self.default is None and not given_by_server


@dataclass(frozen=True, slots=True)
class DescribedTable:
    """A table as the server describes it: *unique* holds the columns of each unique index, the primary key apart."""

    columns: Mapping[str, DescribedColumn]
    primary_key: tuple[str, ...]
    unique: Mapping[str, tuple[str, ...]]
    others: Mapping[str, tuple[str, ...]]
    """The columns of each index that is not unique."""


def kinds_of_tables(connection: DatabaseConnection, database: str) -> dict[str, str]:
    """
    Return the engine of each table of *database*, or that it is a view.

    Raises:
        pymysql.err.Error: The server refused to say, or the connection was lost.
    """
    rows = connection.rows(
        "SELECT TABLE_NAME, COALESCE(ENGINE, TABLE_TYPE) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s",
        (database,),
    )
    return dict(rows)


def describe_expected(connection: DatabaseConnection, table: TableDefinition) -> Mapping[str, DescribedColumn]:
    """
    Return the columns of *table* as the server would describe them.

    Raises:
        HiddenColumnsError: The user may use none of our tables.
        pymysql.err.Error: The server refused it, or the connection was lost.
    """
    temporary = quote_name(table.database, _EXPECTED)
    connection.run(f"DROP TEMPORARY TABLE IF EXISTS {temporary}")
    connection.run(table.temporary_statement(_EXPECTED))
    try:
        expected = _columns(connection, temporary)
    finally:
        connection.run(f"DROP TEMPORARY TABLE {temporary}")
    if not expected:
        raise HiddenColumnsError(
            f"the user of the database may not see {temporary}; let ddb2aurora migrate grant it what it needs: "
            "--loader-user or --operator-user"
        )
    return expected


def describe(connection: DatabaseConnection, table: TableDefinition) -> DescribedTable:
    """
    Return what is there under the name of *table*.

    Raises:
        pymysql.err.Error: The server refused to say, or the connection was lost.
    """
    unique: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    for _, non_unique, name, _, column, _, _, part, *_ in connection.rows(f"SHOW INDEX FROM {table.quoted}"):
        kind = others if int(non_unique) else unique
        kind.setdefault(name, []).append(f"{column}({part})" if part else str(column))
    key = tuple(unique.pop("PRIMARY", ()))
    return DescribedTable(_columns(connection, table.quoted), key, _in_order(unique), _in_order(others))


def _in_order(indexes: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(columns) for name, columns in sorted(indexes.items())}


def definitions(connection: DatabaseConnection, table: TableDefinition) -> dict[str, str]:
    """
    Return all that the server says of each column in SHOW CREATE TABLE, without the name, ready for an ALTER.

    Raises:
        pymysql.err.Error: The server refused to say, or the connection was lost.
    """
    ((_, text, *_),) = connection.rows(f"SHOW CREATE TABLE {table.quoted}")
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\s+`(?P<name>(?:[^`]|``)+)` (?P<definition>.+?),?", line)
        if match is not None:
            found[match["name"].replace("``", "`")] = match["definition"]
    return found


def _columns(connection: DatabaseConnection, quoted: str) -> dict[str, DescribedColumn]:
    return {
        name: DescribedColumn(
            _DISPLAY_WIDTH.sub(r"\1", type_), collation, null == "YES", _default(default), extra.upper()
        )
        for name, type_, collation, null, _key, default, extra, *_ in connection.rows(
            f"SHOW FULL COLUMNS FROM {quoted}"
        )
    }


def _default(default: object) -> str | None:
    # MariaDB shows the default NULL of a nullable column as a text in places.
    return None if default in (None, "NULL") else str(default)
