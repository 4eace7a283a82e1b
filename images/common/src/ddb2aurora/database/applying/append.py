"""
The apply of `append`: an event log, which has a row for each change, a delete's as well, and never changes one.

The key of a row ends in the change's version, so that a repetition meets its own row and leaves it. One statement does
it; nothing has to be looked at, and no delete has to be remembered.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone

from dataclasses import dataclass
from typing import Self

from ddb2aurora.database.applying.staged import Applied, Staged, rows_changed
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.schema import Tables
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, VERSION_COLUMN, quote_name


@dataclass(frozen=True, slots=True)
class AppendStatements:
    """The one statement."""

    insert: str

    @classmethod
    def of(cls, tables: Tables, pipeline: Pipeline) -> Self:
        """Return the statement for *pipeline*."""
        target, version = tables.target.quoted, quote_name(VERSION_COLUMN)
        columns = [*(quote_name(column.name) for column in pipeline.columns), quote_name(CHANGED_AT_COLUMN), version]
        return cls(
            f"INSERT INTO {target} ({', '.join(columns)}) "
            f"SELECT {', '.join(f's.{column}' for column in columns)} FROM {tables.staging.quoted} AS s "
            # Not INSERT IGNORE, which would turn every error of a row into a warning.
            f"ON DUPLICATE KEY UPDATE {version} = {target}.{version}"
        )

    def horizon_ms(self, connection: DatabaseConnection) -> int:  # noqa: ARG002 - an event log has none
        """Return 0: no delete is forgotten where none is remembered."""
        return 0

    def apply(self, connection: DatabaseConnection, *, staged: Staged) -> Applied:
        """See `Statements.apply`."""
        inserted = rows_changed(connection, self.insert) if staged.rows else 0
        return Applied(applied=inserted, stale=staged.rows - inserted)
