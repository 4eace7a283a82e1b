"""
Rows that were backfilled, from the live table into the shadow: the backup never had them.

They go through the guard as rows of version 0, so whatever the shadow knows of their items beats them.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Callable
from typing import Any, Final

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.described import describe
from ddb2aurora.database.schema import Tables
from ddb2aurora.dialect import HEADER_COLUMNS
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, VERSION_COLUMN, quote_name
from ddb2aurora.version import BACKFILL_VERSION
from operator_cli.rebuilding.shadow import changed_at_condition
from operator_cli.rebuilding.writing import Writer

_PAGE_ROWS: Final = 5000


class OtherColumnsError(HaltError):
    """The live table has not the columns that the rows of the shadow need."""


def carry_backfilled(
    writer: Writer,
    connection: DatabaseConnection,
    pipeline: Pipeline,
    live: Tables,
    *,
    until_ms: int | None,
    carried: Callable[[int], None],
) -> int:
    """
    Copy the backfilled rows of *live*, and return how many; *carried* hears of each page.

    Raises:
        OtherColumnsError: The live table lacks columns of the pipeline file.
        pymysql.err.Error: The database did not answer.
    """
    columns = [column.name for column in pipeline.columns]
    lacking = sorted(set(columns) - describe(connection, live.target).columns.keys())
    if lacking:
        raise OtherColumnsError(
            f"{live.target.name} has no {', '.join(lacking)}, so its backfilled rows cannot be kept as they are; use "
            "--backfilled leave, and run ddb2aurora backfill after the switch"
        )
    names = [_name(column.name) for column in pipeline.key_columns]
    keys, version = ", ".join(names), quote_name(VERSION_COLUMN)
    target, staging = as_template(live.target.quoted), as_template(live.staging.quoted)
    copy = (
        f"INSERT INTO {staging} ({', '.join(map(_name, [*HEADER_COLUMNS, *columns]))}) "
        f"SELECT %s, 'U', {version}, {quote_name(CHANGED_AT_COLUMN)}, {', '.join(map(_name, columns))} FROM {target} "
        f"FORCE INDEX (PRIMARY) WHERE {version} = {BACKFILL_VERSION} AND {changed_at_condition(until_ms)} AND "
    )
    last: tuple[Any, ...] = ()
    total = 0
    while True:
        behind, parameters = _behind(names, last)

        statement = f"{copy}{behind} ORDER BY {keys} LIMIT {_PAGE_ROWS}"
        count = writer.staged(statement, (pipeline.shape, *parameters))
        total += count
        carried(count)
        if count < _PAGE_ROWS:
            return total
        (last,) = connection.rows(f"SELECT {keys} FROM {staging} ORDER BY `_line` DESC LIMIT %s", (1,))


def _behind(names: list[str], last: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the condition for keys behind *last*, each part of which is a range of the primary key."""
    if not last:
        return "TRUE", ()
    parts: list[str] = []
    parameters: list[Any] = []
    for depth in range(len(names), 0, -1):
        same = "".join(f"{name} = %s AND " for name in names[: depth - 1])
        parts.append(f"({same}{names[depth - 1]} > %s)")
        parameters += last[:depth]
    return f"({' OR '.join(parts)})", tuple(parameters)


def _name(name: str) -> str:
    return as_template(quote_name(name))
