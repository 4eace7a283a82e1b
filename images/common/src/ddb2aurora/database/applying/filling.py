"""Rows into staging, in statements of many; what the server would store otherwise than it was written is refused."""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Sequence

from ddb2aurora.database.applying.staged import Staged
from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.schema import Tables
from ddb2aurora.dialect import HEADER_COLUMNS, Row
from ddb2aurora.errors import Ddb2AuroraError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name


class RowsRefusedError(Ddb2AuroraError):
    """The database refuses some of the rows; which ones is still to be found out."""

    def __init__(self, number: int, message: str) -> None:
        """Keep the error's *number* and, for this process alone, the server's *message*."""
        super().__init__(number)
        self.number = number
        self.message = message


class Filling:
    """The statement that puts rows of one pipeline into staging."""

    def __init__(self, pipeline: Pipeline, tables: Tables) -> None:
        """Fill the staging table of *tables* with rows of *pipeline*."""
        self._staging = tables.staging.quoted
        names = [*HEADER_COLUMNS, *(column.name for column in pipeline.columns)]
        self._insert = as_template(f"INSERT INTO {self._staging} ({', '.join(map(quote_name, names))}) VALUES ")
        fields = ("UNHEX(%s)" if column.type.is_binary else "%s" for column in pipeline.columns)
        self._values = f"({', '.join(['%s'] * len(HEADER_COLUMNS) + list(fields))})"

    def fill(self, connection: DatabaseConnection, rows: Sequence[Row]) -> Staged:
        """
        Replace what is staged by *rows*.

        Raises:
            RowsRefusedError: The server warned.
            pymysql.err.Error: The server refused a row, or the connection was lost.
        """
        connection.run(f"DELETE FROM {self._staging}")
        arguments: list[object] = []
        for row in rows:
            arguments += (row.shape, row.operation, row.version, row.changed_at_ms, *row.fields)
        effect = connection.run(self._insert + ", ".join([self._values] * len(rows)), tuple(arguments))
        if effect.warnings:
            raise warning_of(connection)
        return Staged.of(rows)


def warning_of(connection: DatabaseConnection) -> RowsRefusedError:
    """
    Return the first warning of the last statement as an error.

    Raises:
        pymysql.err.Error: The connection was lost.
    """
    warnings = connection.rows("SHOW WARNINGS LIMIT 1")
    _, number, message = warnings[0] if warnings else ("", 0, "")
    return RowsRefusedError(int(number), str(message))
