"""
What a verification writes down in the database of the target: how far it is, and what it found.

Both tables are made when they are first needed. A checkpoint and the findings that belong to it are one transaction, so
that a run which is killed at any point goes on without a finding lost or a page compared in vain twice.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pymysql

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.table_definitions import ColumnDefinition, TableDefinition
from ddb2aurora.errors import HaltError
from ddb2aurora.sql import VERIFY_RUNS_TABLE, VERIFY_TABLE
from operator_cli.verifying.findings import Finding, State

_ASCII: Final = "CHARACTER SET ascii COLLATE ascii_bin"
_BINARY_TEXT: Final = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


class NoRunError(HaltError):
    """There is no run to go on with."""


@dataclass(slots=True)
class Run:
    """
    One verification: its *plan* as it was begun, and how far it is.

    *positions* says where each segment goes on; None that it is done. *seen* are the sums of the keys seen so far.
    """

    run_id: str
    plan: dict[str, Any]
    phase: str = "source"
    positions: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    seen: bytes = b""


def _tables(database: str) -> tuple[TableDefinition, TableDefinition]:
    runs = TableDefinition(
        database,
        VERIFY_RUNS_TABLE,
        (
            ColumnDefinition("run_id", f"varchar(40) {_ASCII} NOT NULL"),
            ColumnDefinition("pipeline", "varchar(255) NOT NULL"),
            ColumnDefinition("target_table", "varchar(64) NOT NULL"),
            ColumnDefinition("plan", "longtext NOT NULL"),
            ColumnDefinition("phase", f"varchar(16) {_ASCII} NOT NULL"),
            ColumnDefinition("positions", "longtext NOT NULL"),
            ColumnDefinition("counts", "longtext NOT NULL"),
            ColumnDefinition("seen", "longblob NULL"),
            ColumnDefinition("started_at", "datetime(6) NOT NULL"),
            ColumnDefinition("updated_at", "datetime(6) NOT NULL"),
        ),
        ("run_id",),
    )
    findings = TableDefinition(
        database,
        VERIFY_TABLE,
        (
            ColumnDefinition("run_id", f"varchar(40) {_ASCII} NOT NULL"),
            ColumnDefinition("key_id", "binary(32) NOT NULL"),
            ColumnDefinition("key_hash", f"varchar(16) {_ASCII} NOT NULL"),
            ColumnDefinition("kind", f"varchar(16) {_ASCII} NOT NULL"),
            ColumnDefinition("state", f"varchar(16) {_ASCII} NOT NULL"),
            ColumnDefinition("columns", f"longtext {_BINARY_TEXT} NOT NULL"),
            ColumnDefinition("note", "varchar(255) NOT NULL"),
            # The row's version and the versions of its tombstone.
            ColumnDefinition("signature", f"varchar(255) {_ASCII} NULL"),
            ColumnDefinition("since_ms", "bigint NOT NULL"),
            ColumnDefinition("checked_ms", "bigint NOT NULL"),
            ColumnDefinition("restarts", "int NOT NULL"),
            ColumnDefinition("item_key", f"longtext {_BINARY_TEXT} NULL"),
            ColumnDefinition("row_key", f"longtext {_BINARY_TEXT} NULL"),
        ),
        ("run_id", "key_id"),
    )
    return runs, findings


class Notebook:
    """The two tables; one thread at a time writes them."""

    def __init__(self, connection: DatabaseConnection, *, database: str, pipeline: str, target_table: str) -> None:
        """
        Write about *pipeline* into *database*; make the tables if they are not there.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        self._connection = connection
        self._pipeline = pipeline
        self._target_table = target_table
        tables = _tables(database)
        # Asked for first: a user who may not make tables can still work with those that are there.
        there = connection.rows(
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN (%s, %s)",
            (database, VERIFY_RUNS_TABLE, VERIFY_TABLE),
        )
        if there != ((len(tables),),):
            for table in tables:
                connection.run(table.ensure_statement)
        self._runs, self._findings = (as_template(table.quoted) for table in tables)

    def begin(self, run: Run) -> None:
        """
        Write down that *run* has begun.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        self._connection.run(
            f"INSERT INTO {self._runs} (run_id, pipeline, target_table, plan, phase, positions, counts, seen, "
            "started_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
            (run.run_id, self._pipeline, self._target_table, json.dumps(run.plan), *_progress_of(run)),
        )

    def newest_unfinished(self) -> Run:
        """
        Return the newest run of this pipeline that has not come to its end.

        Raises:
            NoRunError: There is none.
            pymysql.err.Error: The database did not answer.
        """
        found = self._connection.rows(
            f"SELECT run_id, plan, phase, positions, counts, seen FROM {self._runs} "
            "WHERE pipeline = %s AND target_table = %s AND phase <> 'done' ORDER BY started_at DESC LIMIT 1",
            (self._pipeline, self._target_table),
        )
        if not found:
            raise NoRunError(f"no run of verify for {self._pipeline} is unfinished; leave --resume out to begin one")
        run_id, plan, phase, positions, counts, seen = found[0]
        return Run(
            run_id,
            json.loads(plan),
            phase,
            json.loads(positions),
            json.loads(counts),
            zlib.decompress(seen) if seen else b"",
        )

    def checkpoint(self, run: Run, findings: Iterable[Finding] = ()) -> None:
        """
        Write down how far *run* is, with the *findings* since the last time, or nothing of both.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        self._connection.run("START TRANSACTION")
        try:
            self._write(run.run_id, findings)
            self._connection.run(
                f"UPDATE {self._runs} SET phase = %s, positions = %s, counts = %s, seen = %s, "
                "updated_at = UTC_TIMESTAMP(6) WHERE run_id = %s",
                (*_progress_of(run), run.run_id),
            )
            self._connection.run("COMMIT")
        except pymysql.err.Error:
            self._connection.rollback()
            raise

    def findings(
        self, run_id: str, *, states: Sequence[State], after: bytes = b"", limit: int = 100
    ) -> tuple[Finding, ...]:
        """
        Return findings in one of *states*, in the order of their `key_id`, from behind *after* on.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        rows = self._connection.rows(
            "SELECT item_key, row_key, kind, state, `columns`, note, signature, since_ms, checked_ms, restarts "
            f"FROM {self._findings} WHERE run_id = %s AND key_id > %s "
            f"AND state IN ({', '.join(['%s'] * len(states))}) ORDER BY key_id LIMIT %s",
            (run_id, after, *states, limit),
        )
        return tuple(
            Finding(
                item_key,
                tuple(json.loads(row_key)) if row_key else None,
                kind,
                state,
                tuple(json.loads(columns)),
                *rest,
            )
            for item_key, row_key, kind, state, columns, *rest in rows
        )

    def count(self, run_id: str) -> dict[tuple[str, str], int]:
        """
        Return how many findings there are by kind and state.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        rows = self._connection.rows(
            f"SELECT kind, state, COUNT(*) FROM {self._findings} WHERE run_id = %s GROUP BY kind, state", (run_id,)
        )
        return {(kind, state): int(count) for kind, state, count in rows}

    def reasons(self, run_id: str) -> dict[str, int]:
        """
        Return how many items can never load, by reason.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        rows = self._connection.rows(
            f"SELECT note, COUNT(*) FROM {self._findings} WHERE run_id = %s AND kind = 'unloadable' GROUP BY note",
            (run_id,),
        )
        return {note: int(count) for note, count in rows}

    def _write(self, run_id: str, findings: Iterable[Finding]) -> None:
        rows = [
            (
                run_id,
                found.key_id,
                found.key_hash,
                found.kind,
                found.state,
                json.dumps(found.columns),
                found.note,
                found.signature,
                found.since_ms,
                found.checked_ms,
                found.restarts,
                found.item_key,
                None if found.row_key is None else json.dumps(found.row_key),
            )
            for found in findings
        ]
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(
                    f"REPLACE INTO {self._findings} (run_id, key_id, key_hash, kind, state, `columns`, note, "
                    "signature, since_ms, checked_ms, restarts, item_key, row_key) "
                    f"VALUES ({', '.join(['%s'] * 13)})",
                    rows,
                )


def _progress_of(run: Run) -> tuple[str, str, str, bytes | None]:
    # Level 1: most sums of a run that has just begun are zero.
    seen = zlib.compress(run.seen, 1) if run.seen else None
    return run.phase, json.dumps(run.positions), json.dumps(run.counts), seen
