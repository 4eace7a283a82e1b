"""
The tables of a pipeline as data: the target, its tombstones, the ledger and the rejects, and the DDL that makes them.

What is added to the user's table is INVISIBLE, so that `SELECT *` shows what the user declared.
"""

from dataclasses import dataclass
from typing import Final

from ddb2aurora.dialect import OPERATION_COLUMN, SHAPE_COLUMN
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Column, Pipeline
from ddb2aurora.sql import (
    CHANGED_AT_COLUMN,
    DELETED_AT_COLUMN,
    LOADS_TABLE,
    REJECTS_TABLE,
    VERSION_COLUMN,
    quote_name,
    tombstones_table,
)

_TABLE_OPTIONS: Final = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4"
_VERSION_TYPE: Final = "decimal(65,0)"
_ASCII: Final = "CHARACTER SET ascii COLLATE ascii_bin"


class UnsupportedModeError(HaltError):
    """The pipeline asks for a mode that cannot be loaded."""


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column: its *name*, and its type with all that follows it in DDL."""

    name: str
    definition: str
    is_ours: bool = False
    """Whether this project owns the column, so that it has to be exactly as it is defined."""


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table that a pipeline needs."""

    database: str
    name: str
    columns: tuple[ColumnDefinition, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[tuple[str, str], ...] = ()
    """Name and column of each further index."""

    @property
    def quoted(self) -> str:
        """The name with its database, for a statement."""
        return quote_name(self.database, self.name)

    @property
    def create_statement(self) -> str:
        """The statement that makes the table."""
        return f"CREATE TABLE {self.quoted} (\n{self._body()}\n) {_TABLE_OPTIONS}"

    def temporary_statement(self, name: str) -> str:
        """Return the statement that makes an empty temporary table like this one."""
        return f"CREATE TEMPORARY TABLE {quote_name(self.database, name)} (\n{self._body()}\n) {_TABLE_OPTIONS}"

    def _body(self) -> str:
        lines = [f"  {quote_name(column.name)} {column.definition}" for column in self.columns]
        lines.append(f"  PRIMARY KEY ({', '.join(map(quote_name, self.primary_key))})")
        lines += [f"  KEY {quote_name(name)} ({quote_name(column)})" for name, column in self.indexes]
        return ",\n".join(lines)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one pipeline, and the two temporary ones of a load."""

    target: TableDefinition
    tombstones: TableDefinition
    loads: TableDefinition
    rejects: TableDefinition
    staging: TableDefinition
    lines: TableDefinition

    @property
    def lasting(self) -> tuple[TableDefinition, ...]:
        """The tables that `migrate` makes."""
        return self.target, self.tombstones, self.loads, self.rejects


def tables_of(pipeline: Pipeline, *, database: str, key_collation: str) -> Tables:
    """
    Return the tables of *pipeline* in *database*; key columns of text compare by *key_collation*.

    Raises:
        UnsupportedModeError: The pipeline's mode is none that can be loaded.
    """
    if pipeline.mode != "mirror":
        raise UnsupportedModeError(
            f"pipeline {pipeline.name}: mode {pipeline.mode!r} cannot be loaded; set target.mode to mirror"
        )
    keys = tuple(
        ColumnDefinition(column.name, _key_type(column, key_collation) + " NOT NULL") for column in pipeline.key_columns
    )
    key_names = tuple(column.name for column in keys)
    return Tables(
        target=TableDefinition(database, pipeline.target_table, _target(pipeline, keys), key_names),
        tombstones=TableDefinition(
            database,
            tombstones_table(pipeline.target_table),
            (
                *keys,
                ColumnDefinition(VERSION_COLUMN, f"{_VERSION_TYPE} NOT NULL"),
                ColumnDefinition(CHANGED_AT_COLUMN, "bigint NULL"),
                ColumnDefinition(DELETED_AT_COLUMN, "datetime(6) NOT NULL"),
            ),
            key_names,
            ((DELETED_AT_COLUMN, DELETED_AT_COLUMN),),
        ),
        loads=TableDefinition(database, LOADS_TABLE, _LOADS, ("object_id",), (("loaded_at", "loaded_at"),)),
        rejects=TableDefinition(database, REJECTS_TABLE, _REJECTS, ("object_id", "line_number")),
        staging=TableDefinition(database, "_ddb2aurora_staging", _staging(pipeline, key_collation), ("_line",)),
        lines=TableDefinition(database, "_ddb2aurora_lines", _LINES, ("line_number",)),
    )


def _key_type(column: Column, key_collation: str) -> str:
    if column.type.is_text:
        return f"{column.type.sql} CHARACTER SET utf8mb4 COLLATE {key_collation}"
    return column.type.sql


def _target(pipeline: Pipeline, keys: tuple[ColumnDefinition, ...]) -> tuple[ColumnDefinition, ...]:
    by_name = {column.name: column for column in keys}
    user = (
        by_name.get(
            column.name,
            ColumnDefinition(column.name, f"{column.type.sql} {'NULL' if column.nullable else 'NOT NULL'}"),
        )
        for column in pipeline.columns
    )
    return (
        *user,
        ColumnDefinition(VERSION_COLUMN, f"{_VERSION_TYPE} NOT NULL DEFAULT 0 INVISIBLE", is_ours=True),
        ColumnDefinition(CHANGED_AT_COLUMN, "bigint NULL INVISIBLE", is_ours=True),
    )


def _staging(pipeline: Pipeline, key_collation: str) -> tuple[ColumnDefinition, ...]:
    keys = pipeline.key_columns
    user = (
        ColumnDefinition(
            column.name,
            # A delete carries its key and nothing else.
            f"{_key_type(column, key_collation)} NOT NULL" if column in keys else f"{column.type.sql} NULL",
        )
        for column in pipeline.columns
    )
    return (
        # A key in the order of arrival costs what the hidden one would, and servers that demand a key have one.
        ColumnDefinition("_line", "bigint unsigned NOT NULL AUTO_INCREMENT"),
        ColumnDefinition(SHAPE_COLUMN, f"varchar(64) {_ASCII} NOT NULL"),
        ColumnDefinition(OPERATION_COLUMN, f"varchar(1) {_ASCII} NOT NULL"),
        ColumnDefinition(VERSION_COLUMN, f"{_VERSION_TYPE} NOT NULL"),
        ColumnDefinition(CHANGED_AT_COLUMN, "bigint NULL"),
        *user,
    )


_LINES: Final = (
    ColumnDefinition("line_number", "bigint unsigned NOT NULL AUTO_INCREMENT"),
    ColumnDefinition("line", "longblob NOT NULL"),
)

_OBJECT_COLUMNS: Final = (
    ColumnDefinition("object_id", "binary(32) NOT NULL"),
    ColumnDefinition("bucket", "varchar(255) NOT NULL"),
    # S3: a key has at most 1,024 bytes.
    ColumnDefinition("object_key", "varchar(1024) NOT NULL"),
    ColumnDefinition("object_version", "varchar(1024) NOT NULL"),
    ColumnDefinition("pipeline", "varchar(255) NOT NULL"),
    ColumnDefinition("target_table", "varchar(64) NOT NULL"),
)

_LOADS: Final = (
    *_OBJECT_COLUMNS,
    ColumnDefinition("rows_in_file", "bigint unsigned NOT NULL DEFAULT 0"),
    ColumnDefinition("applied", "bigint unsigned NOT NULL DEFAULT 0"),
    ColumnDefinition("stale", "bigint unsigned NOT NULL DEFAULT 0"),
    ColumnDefinition("deleted", "bigint unsigned NOT NULL DEFAULT 0"),
    ColumnDefinition("rejected", "bigint unsigned NOT NULL DEFAULT 0"),
    ColumnDefinition("newest_changed_at_ms", "bigint NULL"),
    ColumnDefinition("bytes", "bigint unsigned NULL"),
    ColumnDefinition("duration_ms", "bigint unsigned NOT NULL DEFAULT 0"),
    ColumnDefinition("loaded_at", "datetime(6) NOT NULL"),
)

_REJECTS: Final = (
    *_OBJECT_COLUMNS,
    ColumnDefinition("line_number", "bigint unsigned NOT NULL"),
    # 0 when the line never reached the database.
    ColumnDefinition("error_code", "int unsigned NOT NULL"),
    ColumnDefinition("reason", "varchar(255) NOT NULL"),
    ColumnDefinition("line", "longblob NOT NULL"),
    ColumnDefinition("rejected_at", "datetime(6) NOT NULL"),
)
