"""
The tables of a pipeline as data: the target, its tombstones, the ledger and its companions.

What is added to the user's table is INVISIBLE, so that `SELECT *` shows what the user declared. An event log (`append`)
forgets nothing and deletes nothing, so it has neither tombstones nor a horizon up to which they were purged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ddb2aurora.database.table_definitions import ColumnDefinition, Index, TableDefinition
from ddb2aurora.dialect import OPERATION_COLUMN, SHAPE_COLUMN
from ddb2aurora.paths import ITEM
from ddb2aurora.pipeline import Column, Pipeline
from ddb2aurora.sql import (
    CHANGED_AT_COLUMN,
    DELETED_AT_COLUMN,
    HEARTBEATS_TABLE,
    HORIZONS_TABLE,
    LOADS_TABLE,
    REJECTS_TABLE,
    SHAPES_TABLE,
    SOFT_CHANGED_AT_COLUMN,
    SOFT_VERSION_COLUMN,
    VERSION_COLUMN,
    tombstones_table,
)

_VERSION_TYPE: Final = "decimal(65,0)"
_ASCII: Final = "CHARACTER SET ascii COLLATE ascii_bin"

LINE_COLUMN: Final = "_line"
# No version is below 0, so that any delete is newer than none.
NO_VERSION: Final = -1


@dataclass(frozen=True, slots=True)
class Tables:
    """
    The tables of one pipeline, and the two temporary ones of a load.

    *tombstones* and *horizons* are there in every mode, and made where *remembers_deletes* says that they are used.
    """

    target: TableDefinition
    tombstones: TableDefinition
    loads: TableDefinition
    rejects: TableDefinition
    horizons: TableDefinition
    shapes: TableDefinition
    heartbeats: TableDefinition
    staging: TableDefinition
    lines: TableDefinition
    remembers_deletes: bool

    @property
    def lasting(self) -> tuple[TableDefinition, ...]:
        """The tables that `migrate` makes."""
        if self.remembers_deletes:
            return self.target, self.tombstones, self.loads, self.rejects, self.shapes, self.heartbeats, self.horizons
        return self.target, self.loads, self.rejects, self.shapes, self.heartbeats


def tables_of(pipeline: Pipeline, *, database: str, key_collation: str) -> Tables:
    """Return the tables of *pipeline* in *database*; key columns of text compare by *key_collation*."""
    keys = tuple(
        ColumnDefinition(column.name, _key_type(column, key_collation) + " NOT NULL") for column in pipeline.key_columns
    )
    key_names = tuple(column.name for column in keys)
    is_log = pipeline.mode == "append"
    return Tables(
        target=TableDefinition(
            database,
            pipeline.target_table,
            _target(pipeline, keys),
            (*key_names, VERSION_COLUMN) if is_log else key_names,
        ),
        tombstones=TableDefinition(
            database,
            tombstones_table(pipeline.target_table),
            (
                *keys,
                # The newest hard delete and the newest soft one, and when the newer of them was loaded.
                ColumnDefinition(VERSION_COLUMN, f"{_VERSION_TYPE} NOT NULL DEFAULT {NO_VERSION}"),
                ColumnDefinition(CHANGED_AT_COLUMN, "bigint NULL"),
                ColumnDefinition(SOFT_VERSION_COLUMN, f"{_VERSION_TYPE} NOT NULL DEFAULT {NO_VERSION}"),
                ColumnDefinition(SOFT_CHANGED_AT_COLUMN, "bigint NULL"),
                ColumnDefinition(DELETED_AT_COLUMN, "datetime(6) NOT NULL"),
            ),
            key_names,
            tuple(Index(name, (name,)) for name in _tombstone_indexes(pipeline)),
        ),
        loads=TableDefinition(database, LOADS_TABLE, _LOADS, ("object_id",), _LOADS_INDEXES),
        rejects=TableDefinition(database, REJECTS_TABLE, _REJECTS, ("object_id", "line_number")),
        horizons=TableDefinition(database, HORIZONS_TABLE, _horizons(key_collation), ("target_table",)),
        shapes=TableDefinition(database, SHAPES_TABLE, _shapes(key_collation), ("target_table", "generation")),
        heartbeats=TableDefinition(database, HEARTBEATS_TABLE, _HEARTBEATS, ("pipeline", "version")),
        staging=TableDefinition(database, "_ddb2aurora_staging", _staging(pipeline, key_collation), (LINE_COLUMN,)),
        lines=TableDefinition(database, "_ddb2aurora_lines", _LINES, ("line_number",)),
        remembers_deletes=not is_log,
    )


def _tombstone_indexes(pipeline: Pipeline) -> Iterator[str]:
    # By age they are forgotten; by version a load finds out that none is as new as its rows.
    yield from (DELETED_AT_COLUMN, VERSION_COLUMN)
    if pipeline.keeps_deleted:
        yield SOFT_VERSION_COLUMN


def _key_type(column: Column, key_collation: str) -> str:
    if column.type.is_text:
        return f"{column.type.sql} CHARACTER SET utf8mb4 COLLATE {key_collation}"
    return column.type.sql


def _target(pipeline: Pipeline, keys: tuple[ColumnDefinition, ...]) -> tuple[ColumnDefinition, ...]:
    by_name = {column.name: column for column in keys}
    user = (
        by_name.get(
            column.name,
            ColumnDefinition(
                column.name, f"{column.type.sql} {'NULL' if _takes_null(column, pipeline) else 'NOT NULL'}"
            ),
        )
        for column in pipeline.columns
    )
    deleted_at = ColumnDefinition(DELETED_AT_COLUMN, "datetime(3) NULL INVISIBLE", is_ours=True)
    return (
        *user,
        ColumnDefinition(VERSION_COLUMN, f"{_VERSION_TYPE} NOT NULL DEFAULT 0 INVISIBLE", is_ours=True),
        ColumnDefinition(CHANGED_AT_COLUMN, "bigint NULL INVISIBLE", is_ours=True),
        *((deleted_at,) if pipeline.keeps_deleted and pipeline.mode != "append" else ()),
    )


def _takes_null(column: Column, pipeline: Pipeline) -> bool:
    # In an event log a delete is a row as well, and it has nothing but its key and the facts about the change.
    is_value = not column.is_fact or column.source == ITEM
    return column.nullable or (pipeline.mode == "append" and is_value)


def _target_name(key_collation: str) -> ColumnDefinition:
    # Names of tables differ by case where the server's file system lets them.
    return ColumnDefinition("target_table", f"varchar(64) CHARACTER SET utf8mb4 COLLATE {key_collation} NOT NULL")


def _shapes(key_collation: str) -> tuple[ColumnDefinition, ...]:
    return (
        _target_name(key_collation),
        ColumnDefinition("generation", "int unsigned NOT NULL"),
        ColumnDefinition("shape", f"varchar(64) {_ASCII} NOT NULL"),
        ColumnDefinition("pipeline", "varchar(255) NOT NULL"),
        # [["name", "type"], ...] in the order of the fields of a row.
        ColumnDefinition("columns_json", "mediumtext NOT NULL"),
        ColumnDefinition("noted_at", "datetime(6) NOT NULL"),
    )


def _horizons(key_collation: str) -> tuple[ColumnDefinition, ...]:
    return (
        _target_name(key_collation),
        ColumnDefinition("horizon_ms", "bigint NOT NULL DEFAULT 0"),
        ColumnDefinition("purged_at", "datetime(6) NULL"),
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
        ColumnDefinition(LINE_COLUMN, "bigint unsigned NOT NULL AUTO_INCREMENT"),
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
    # Objects that were loaded by one statement cannot be told apart: their sums stand with the one that is named here.
    ColumnDefinition("counted_in", "binary(32) NULL"),
    # Which attempt it was, so that one whose COMMIT was never answered knows its own entry.
    ColumnDefinition("load_id", "binary(16) NULL"),
    ColumnDefinition("duration_ms", "bigint unsigned NOT NULL DEFAULT 0"),
    ColumnDefinition("loaded_at", "datetime(6) NOT NULL"),
)

_LOADS_INDEXES: Final = (
    Index("loaded_at", ("loaded_at",)),
    # What was loaded last of one pipeline, however much there is of all.
    Index("pipeline_loaded_at", ("pipeline", "loaded_at"), serves_loads=False),
)

_HEARTBEATS: Final = (
    # A pipeline's name has 48 letters, digits and underscores at most.
    ColumnDefinition("pipeline", f"varchar(64) {_ASCII} NOT NULL"),
    ColumnDefinition("version", f"{_VERSION_TYPE} NOT NULL"),
    ColumnDefinition("sent_at_ms", "bigint NOT NULL"),
    # NULL for one that did not pass the stream of the source.
    ColumnDefinition("streamed_at_ms", "bigint NULL"),
    ColumnDefinition("loaded_at", "datetime(6) NOT NULL"),
    ColumnDefinition("lag_ms", "bigint NOT NULL"),
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
