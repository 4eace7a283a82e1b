"""The two tables of backfills: the segments of each run, and the objects that nobody has loaded yet."""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import json
from typing import Final

from ddb2aurora.database.connection import as_template
from ddb2aurora.database.table_definitions import ColumnDefinition, TableDefinition
from ddb2aurora.sql import BACKFILL_OBJECTS_TABLE, BACKFILLS_TABLE
from operator_cli.backfilling.segments import Run, Segment
from operator_cli.site import Database

_ASCII: Final = "CHARACTER SET ascii COLLATE ascii_bin"


def _tables(database: str) -> tuple[TableDefinition, TableDefinition]:
    run_id = ColumnDefinition("run_id", f"varchar(40) {_ASCII} NOT NULL")
    segment = ColumnDefinition("segment", "int unsigned NOT NULL")
    backfills = TableDefinition(
        database,
        BACKFILLS_TABLE,
        (
            run_id,
            segment,
            ColumnDefinition("pipeline", "varchar(255) NOT NULL"),
            ColumnDefinition("target_table", "varchar(64) NOT NULL"),
            # "scan", or the URL of an export.
            ColumnDefinition("source", "varchar(2048) NOT NULL"),
            ColumnDefinition("shape", f"varchar(64) {_ASCII} NOT NULL"),
            ColumnDefinition("resume_key", "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL"),
            ColumnDefinition("since_ms", "bigint NULL"),
            ColumnDefinition("items", "bigint unsigned NOT NULL"),
            ColumnDefinition("rejected", "bigint unsigned NOT NULL"),
            ColumnDefinition("objects", "bigint unsigned NOT NULL"),
            ColumnDefinition("read_units", "double NOT NULL"),
            ColumnDefinition("reasons", "longtext NOT NULL"),
            ColumnDefinition("state", f"varchar(16) {_ASCII} NOT NULL"),
            ColumnDefinition("started_at", "datetime(6) NOT NULL"),
            ColumnDefinition("updated_at", "datetime(6) NOT NULL"),
        ),
        ("run_id", "segment"),
    )
    objects = TableDefinition(
        database,
        BACKFILL_OBJECTS_TABLE,
        (
            run_id,
            ColumnDefinition("object_id", "binary(32) NOT NULL"),
            segment,
            ColumnDefinition("bucket", "varchar(255) NOT NULL"),
            # S3: a key has at most 1,024 bytes.
            ColumnDefinition("object_key", "varchar(1024) NOT NULL"),
            ColumnDefinition("at_ms", "bigint NOT NULL"),
            ColumnDefinition("written_at", "datetime(6) NOT NULL"),
        ),
        ("run_id", "object_id"),
    )
    return backfills, objects


def make_tables(database: Database) -> None:
    """
    Make both tables where they are not there yet.

    Raises:
        pymysql.err.Error: The server refused it.
    """
    # Asked for first: a user who may not make tables can still work with those that are there.
    there = database.connection.rows(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN (%s, %s)",
        (database.name, BACKFILLS_TABLE, BACKFILL_OBJECTS_TABLE),
    )
    tables = _tables(database.name)
    if there != ((len(tables),),):
        for table in tables:
            database.connection.run(table.ensure_statement)


def quoted(database: Database) -> tuple[str, str]:
    """Return the names of the table of segments and of that of objects, for a statement with arguments."""
    backfills, objects = _tables(database.name)
    return as_template(backfills.quoted), as_template(objects.quoted)


def loaded_among(database: Database, object_ids: list[bytes]) -> set[bytes]:
    """
    Return those of *object_ids* that the ledger has.

    Raises:
        pymysql.err.Error: The database did not answer.
    """
    ledger = as_template(database.tables.loads.quoted)
    places = ", ".join(["%s"] * len(object_ids))
    found = database.connection.rows(f"SELECT object_id FROM {ledger} WHERE object_id IN ({places})", tuple(object_ids))
    return {bytes(object_id) for (object_id,) in found}


def write_segment(database: Database, run: Run, segment: Segment) -> None:
    """
    Write down how far *segment* is.

    Raises:
        pymysql.err.Error: The database did not take it.
    """
    database.connection.run(
        f"UPDATE {quoted(database)[0]} SET resume_key = %s, since_ms = %s, items = %s, rejected = %s, objects = %s, "
        "read_units = %s, reasons = %s, state = %s, updated_at = UTC_TIMESTAMP(6) WHERE run_id = %s AND segment = %s",
        (
            None if segment.resume_at is None else json.dumps(segment.resume_at),
            segment.since_ms,
            segment.items,
            segment.rejected,
            segment.objects,
            segment.read_units,
            json.dumps(segment.reasons),
            segment.state,
            run.run_id,
            segment.number,
        ),
    )
