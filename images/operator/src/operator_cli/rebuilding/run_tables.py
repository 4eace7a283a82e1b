"""The two tables in which rebuilds are written down."""

from typing import Final

from ddb2aurora.database.table_definitions import ColumnDefinition, TableDefinition
from ddb2aurora.sql import REBUILD_OBJECTS_TABLE, REBUILDS_TABLE

_ASCII: Final = "CHARACTER SET ascii COLLATE ascii_bin"


def run_tables(database: str) -> tuple[TableDefinition, TableDefinition]:
    """Return the table of rebuilds and that of the objects that are through, in *database*."""
    run_id = ColumnDefinition("run_id", f"varchar(40) {_ASCII} NOT NULL")
    rebuilds = TableDefinition(
        database,
        REBUILDS_TABLE,
        (
            run_id,
            ColumnDefinition("pipeline", "varchar(255) NOT NULL"),
            ColumnDefinition("target_table", "varchar(64) NOT NULL"),
            # A hash of the whole pipeline file, its schemas too.
            ColumnDefinition("mapping", f"varchar(64) {_ASCII} NOT NULL"),
            ColumnDefinition("until_ms", "bigint NULL"),
            ColumnDefinition("backfilled", f"varchar(16) {_ASCII} NULL"),
            ColumnDefinition("phase", f"varchar(16) {_ASCII} NOT NULL"),
            ColumnDefinition("old_table", "varchar(64) NULL"),
            ColumnDefinition("started_at", "datetime(6) NOT NULL"),
            ColumnDefinition("updated_at", "datetime(6) NOT NULL"),
        ),
        ("run_id", "target_table"),
    )
    objects = TableDefinition(
        database,
        REBUILD_OBJECTS_TABLE,
        (
            run_id,
            ColumnDefinition("target_table", "varchar(64) NOT NULL"),
            ColumnDefinition("object_id", "binary(32) NOT NULL"),
            ColumnDefinition("kind", f"varchar(16) {_ASCII} NOT NULL"),
            ColumnDefinition("bucket", "varchar(255) NOT NULL"),
            # S3: a key has at most 1,024 bytes.
            ColumnDefinition("object_key", "varchar(1024) NOT NULL"),
            ColumnDefinition("counts_json", "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"),
            ColumnDefinition("noted_at", "datetime(6) NOT NULL"),
        ),
        ("run_id", "target_table", "object_id"),
    )
    return rebuilds, objects
