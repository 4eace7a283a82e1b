"""A table, its columns and its indexes as data, and the DDL that makes it."""

from dataclasses import dataclass
from typing import Final

from ddb2aurora.sql import quote_name

_TABLE_OPTIONS: Final = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4"


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column: its *name*, and its type with all that follows it in DDL."""

    name: str
    definition: str
    is_ours: bool = False
    """Whether this project owns the column, so that it has to be exactly as it is defined."""


@dataclass(frozen=True, slots=True)
class Index:
    """
    A further index of a table.

    Where one that *serves_loads* is missing nothing is loaded; without another only commands take longer.
    """

    name: str
    columns: tuple[str, ...]
    serves_loads: bool = True


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table that a pipeline needs."""

    database: str
    name: str
    columns: tuple[ColumnDefinition, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    @property
    def quoted(self) -> str:
        """The name with its database, for a statement."""
        return quote_name(self.database, self.name)

    @property
    def create_statement(self) -> str:
        """The statement that makes the table."""
        return f"CREATE TABLE {self.quoted} (\n{self._body()}\n) {_TABLE_OPTIONS}"

    @property
    def ensure_statement(self) -> str:
        """The statement that makes the table unless there is one of its name."""
        return f"CREATE TABLE IF NOT EXISTS {self.quoted} (\n{self._body()}\n) {_TABLE_OPTIONS}"

    def temporary_statement(self, name: str) -> str:
        """Return the statement that makes an empty temporary table like this one."""
        return f"CREATE TEMPORARY TABLE {quote_name(self.database, name)} (\n{self._body()}\n) {_TABLE_OPTIONS}"

    def _body(self) -> str:
        lines = [f"  {quote_name(column.name)} {column.definition}" for column in self.columns]
        lines.append(f"  PRIMARY KEY ({', '.join(map(quote_name, self.primary_key))})")
        lines += [
            f"  KEY {quote_name(index.name)} ({', '.join(map(quote_name, index.columns))})" for index in self.indexes
        ]
        return ",\n".join(lines)
