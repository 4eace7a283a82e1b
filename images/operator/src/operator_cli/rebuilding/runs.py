"""
What a rebuild writes down in the database of the target: how far it is, and which objects are through.

Both tables are made when they are first needed. An object is noted once all its rows are in the shadow, so whatever is
noted is there; one that was begun and not noted is done again, which changes nothing.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Literal, TypeAlias

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import Tables
from ddb2aurora.errors import RetryError
from ddb2aurora.pipeline import Pipeline, dump_pipeline
from operator_cli.named_locks import Work
from operator_cli.rebuilding.counts import Counts
from operator_cli.rebuilding.run_tables import run_tables

Phase: TypeAlias = Literal["reading", "left", "switching", "switched", "given_up"]
Kind: TypeAlias = Literal["backup", "oversized", "loaded"]
Backfilled: TypeAlias = Literal["keep", "leave"]

_ASKED_AT_ONCE: Final = 500


class RebuildRunningError(RetryError):
    """Somebody else rebuilds the same target."""


REBUILD: Final = Work("rebuild", "rebuilt", RebuildRunningError)


@dataclass(slots=True)
class Run:
    """
    One rebuild: its id, which is when it began, and how far it is.

    *old_table* is the name that the live table gets, or has got, in the switch.
    """

    run_id: str
    started_at: datetime
    backfilled: Backfilled | None
    phase: Phase = "reading"
    old_table: str | None = None


class Runs:
    """The rebuilds of one pipeline, by today's file and up to one point in time or none."""

    def __init__(
        self, connection: DatabaseConnection, *, database: str, pipeline: Pipeline, until_ms: int | None
    ) -> None:
        """
        Write them down in *database*; make the tables if they are not there.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        self._connection = connection
        self._pipeline = pipeline
        self._until_ms = until_ms
        self._mapping = hashlib.sha256(dump_pipeline(pipeline)).hexdigest()
        tables = run_tables(database)
        for table in tables:
            connection.run(table.ensure_statement)
        self._rebuilds, self._objects = (as_template(table.quoted) for table in tables)

    def open(self) -> Run | None:
        """
        Return the newest rebuild that was not switched to or given up; None if there is none.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        found = self._connection.rows(
            f"SELECT run_id, started_at, backfilled, phase, old_table FROM {self._rebuilds} "
            "WHERE pipeline = %s AND target_table = %s AND mapping = %s AND until_ms <=> %s "
            "AND phase NOT IN ('switched', 'given_up') ORDER BY started_at DESC LIMIT 1",
            (self._pipeline.name, self._pipeline.target_table, self._mapping, self._until_ms),
        )
        if not found:
            return None
        run_id, started_at, backfilled, phase, old_table = found[0]
        return Run(run_id, started_at.replace(tzinfo=UTC), backfilled, phase, old_table)

    def others(self, run: Run) -> tuple[str, ...]:
        """
        Return the ids of other rebuilds of the target, by another file or to another time, whose tables are there.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        return tuple(
            run_id
            for (run_id,) in self._connection.rows(
                f"SELECT run_id FROM {self._rebuilds} WHERE target_table = %s AND run_id <> %s "
                "AND phase NOT IN ('switched', 'given_up') ORDER BY started_at",
                (self._pipeline.target_table, run.run_id),
            )
        )

    def begin(self, *, backfilled: Backfilled | None) -> Run:
        """
        Return a new rebuild that begins now, by the clock of the database.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        ((now,),) = self._connection.rows("SELECT UTC_TIMESTAMP(6)")
        run = Run(id_at(now), now.replace(tzinfo=UTC), backfilled)
        self._connection.run(
            f"INSERT INTO {self._rebuilds} (run_id, pipeline, target_table, mapping, until_ms, backfilled, phase, "
            "started_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                run.run_id,
                self._pipeline.name,
                self._pipeline.target_table,
                self._mapping,
                self._until_ms,
                backfilled,
                run.phase,
                now,
                now,
            ),
        )
        return run

    def enter(self, run: Run, phase: Phase, *, old_table: str | None = None) -> None:
        """
        Write down that *run* is in *phase*.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        run.phase, run.old_table = phase, old_table or run.old_table
        self._connection.run(
            f"UPDATE {self._rebuilds} SET phase = %s, old_table = %s, backfilled = %s, updated_at = UTC_TIMESTAMP(6) "
            "WHERE run_id = %s AND target_table = %s",
            (phase, run.old_table, run.backfilled, run.run_id, self._pipeline.target_table),
        )

    def counts(self, run: Run) -> Counts:
        """
        Return the sums over all objects that *run* noted.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        sums, after = Counts(), b""
        while page := self._connection.rows(
            f"SELECT object_id, counts_json FROM {self._objects} WHERE run_id = %s AND target_table = %s "
            "AND object_id > %s AND kind <> 'loaded' ORDER BY object_id LIMIT %s",
            (run.run_id, self._pipeline.target_table, after, _ASKED_AT_ONCE),
        ):
            for _, counts in page:
                sums.add(Counts.from_json(json.loads(counts)))
            after = page[-1][0]
        return sums

    def loaded(self, run: Run) -> Counts:
        """
        Return the sums over the objects that were caught up with.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        sums = Counts()
        for (counts,) in self._connection.rows(
            f"SELECT counts_json FROM {self._objects} WHERE run_id = %s AND target_table = %s AND kind = 'loaded'",
            (run.run_id, self._pipeline.target_table),
        ):
            sums.add(Counts.from_json(json.loads(counts)))
        return sums

    def lacking(self, run: Run, refs: Iterable[ObjectRef]) -> Iterator[ObjectRef]:
        """
        Yield those of *refs* that *run* has not noted.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        remaining = iter(refs)
        while some := tuple(islice(remaining, _ASKED_AT_ONCE)):
            places = ", ".join(["%s"] * len(some))
            rows = self._connection.rows(
                f"SELECT object_id FROM {self._objects} WHERE run_id = %s AND target_table = %s "
                f"AND object_id IN ({places})",
                (run.run_id, self._pipeline.target_table, *(ref.object_id for ref in some)),
            )
            noted = {bytes(object_id) for (object_id,) in rows}
            yield from (ref for ref in some if ref.object_id not in noted)

    def rows_not_noted(self, run: Run, tables: Tables, *, since: datetime) -> int:
        """
        Return how many rows, by the ledger, objects hold that were loaded *since* a time and that *run* has not noted.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        ((count,),) = self._connection.rows(
            f"SELECT COALESCE(SUM(l.rows_in_file), 0) FROM {as_template(tables.loads.quoted)} AS l "
            f"LEFT JOIN {self._objects} AS o ON o.run_id = %s AND o.target_table = %s AND o.object_id = l.object_id "
            "WHERE l.loaded_at >= %s AND l.pipeline = %s AND l.target_table = %s AND o.object_id IS NULL",
            (
                run.run_id,
                self._pipeline.target_table,
                since.replace(tzinfo=None),
                self._pipeline.name,
                self._pipeline.target_table,
            ),
        )
        return int(count)

    def note(self, run: Run, ref: ObjectRef, kind: Kind, counts: Counts) -> None:
        """
        Write down that *ref* is through.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        self._connection.run(
            f"REPLACE INTO {self._objects} (run_id, target_table, object_id, kind, bucket, object_key, counts_json, "
            "noted_at) VALUES (%s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
            (
                run.run_id,
                self._pipeline.target_table,
                ref.object_id,
                kind,
                ref.bucket,
                ref.key,
                json.dumps(counts.as_json()),
            ),
        )


def id_at(moment: datetime) -> str:
    """Return what tells a *moment* from others, to the millisecond, as a part of a name."""
    return f"{moment:%Y%m%d_%H%M%S}_{moment.microsecond // 1000:03}"
