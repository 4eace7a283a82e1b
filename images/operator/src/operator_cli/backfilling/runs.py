"""
What a backfill writes down in the database of the target: how far each segment is, and what nobody has loaded yet.

Both tables are made when they are first needed. An object is noted in the transaction that moves its segment's
checkpoint, and only after S3 has taken it: so whatever lies before a checkpoint is in S3, and every object in S3 that a
checkpoint covers is noted until the ledger has it.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Final, TypeVar

import pymysql

from ddb2aurora.database.errors import as_our_error
from ddb2aurora.database.horizon import read_horizon
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import BACKFILLS_TABLE
from operator_cli.backfilling.errors import BackfillRunningError
from operator_cli.backfilling.segments import InFlight, Run, Segment, State, segment_of
from operator_cli.backfilling.tables import loaded_among, make_tables, quoted, write_segment
from operator_cli.named_locks import Work, take_turn
from operator_cli.site import Database

_T = TypeVar("_T")

_ASKED_AT_ONCE: Final = 500
_MOST_NAMED: Final = 1000

BACKFILL: Final = Work("backfill", "backfilled", BackfillRunningError)


class Runs:
    """
    The runs of one pipeline, as the database has them; threads may share it, and one after the other is served.

    Whoever has it open is the only one who backfills the target. A connection that is lost is opened again.
    """

    def __init__(
        self,
        open_database: Callable[[], AbstractContextManager[Database]],
        pipeline: Pipeline,
        *,
        lock_wait_seconds: int = 10,
    ) -> None:
        """
        Keep the runs of *pipeline* in the database that *open_database* opens.

        A process that was killed a moment ago may have its connection still: it is waited for *lock_wait_seconds*.
        """
        self._open_database = open_database
        self._pipeline = pipeline
        self._lock_wait_seconds = lock_wait_seconds
        self._lock = threading.RLock()
        self._opened = ExitStack()
        self._database: Database | None = None
        self._arrived = 0

    def close(self) -> None:
        """Let others backfill the target."""
        with self._lock:
            self._opened.close()
            self._database = None

    def newest_unfinished(self) -> Run | None:
        """
        Return the newest run that has not come to its end, None when there is none.

        Raises:
            BackfillRunningError: Somebody else backfills the target.
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """

        def look(database: Database) -> Run | None:
            table = quoted(database)[0]
            found = database.connection.rows(
                f"SELECT run_id, source, shape FROM {table} WHERE pipeline = %s AND target_table = %s "
                "AND state IN ('reading', 'written') ORDER BY started_at DESC, run_id DESC LIMIT 1",
                (self._pipeline.name, self._pipeline.target_table),
            )
            if not found:
                return None
            run_id, source, shape = found[0]
            rows = database.connection.rows(
                "SELECT segment, resume_key, since_ms, items, objects, read_units, reasons, state "
                f"FROM {table} WHERE run_id = %s ORDER BY segment",
                (run_id,),
            )
            return Run(run_id, source, shape, tuple(segment_of(row) for row in rows))

        return self._do(look)

    def begin(self, run: Run) -> None:
        """
        Write down that *run* has begun.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """

        def write(database: Database) -> None:
            rows = [
                (run.run_id, segment.number, self._pipeline.name, self._pipeline.target_table, run.source, run.shape)
                for segment in run.segments
            ]
            with database.connection.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO {quoted(database)[0]} (run_id, segment, pipeline, target_table, source, shape, "
                    "items, rejected, objects, read_units, reasons, state, started_at, updated_at) "
                    "VALUES (%s, %s, %s, %s, %s, %s, 0, 0, 0, 0, '{}', 'reading', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
                    rows,
                )

        self._in_transaction(write)

    def note_time(self, run: Run, segment: Segment) -> None:
        """
        Write down the time that the rows of *segment*'s next object get, before the first of its items is asked for.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """
        self._do(lambda database: write_segment(database, run, segment))

    def advance(self, run: Run, segment: Segment, ref: ObjectRef | None, *, at_ms: int) -> None:
        """
        Move the checkpoint of *segment* behind what S3 has, and note its new object *ref*, whose rows are of *at_ms*.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """

        def write(database: Database) -> None:
            if ref is not None:
                database.connection.run(
                    # It is there already when the answer to the COMMIT was lost.
                    f"REPLACE INTO {quoted(database)[1]} (run_id, object_id, segment, bucket, object_key, at_ms, "
                    "written_at) VALUES (%s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
                    (run.run_id, ref.object_id, segment.number, ref.bucket, ref.key, at_ms),
                )
            write_segment(database, run, segment)

        self._in_transaction(write)

    def settle(self, run: Run) -> InFlight:
        """
        Take the objects off the list that the ledger has, and return what is left.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses, or the target was not migrated.
        """

        def look(database: Database) -> InFlight:
            connection, objects = database.connection, quoted(database)[1]
            horizon_ms = read_horizon(connection, database.tables) if database.tables.remembers_deletes else 0
            refused: Counter[int] = Counter()
            named: list[str] = []
            count, after = 0, b""
            while page := connection.rows(
                f"SELECT object_id, segment, bucket, object_key, at_ms FROM {objects} "
                "WHERE run_id = %s AND object_id > %s ORDER BY object_id LIMIT %s",
                (run.run_id, after, _ASKED_AT_ONCE),
            ):
                after = page[-1][0]
                loaded = loaded_among(database, [row[0] for row in page])
                if loaded:
                    places = ", ".join(["%s"] * len(loaded))
                    connection.run(
                        f"DELETE FROM {objects} WHERE run_id = %s AND object_id IN ({places})", (run.run_id, *loaded)
                    )
                    self._arrived += len(loaded)
                for object_id, segment, bucket, key, at_ms in page:
                    if bytes(object_id) in loaded:
                        continue
                    count += 1
                    if at_ms < horizon_ms:
                        refused[segment] += 1
                    if len(named) < _MOST_NAMED:
                        named.append(f"s3://{bucket}/{key}")
            return InFlight(count, refused, tuple(named), self._arrived)

        return self._do(look)

    def read_again(self, run: Run, numbers: Iterable[int]) -> None:
        """
        Let the segments with these *numbers* begin anew: the loader refuses what was read of them.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """
        wanted = set(numbers)
        again = [Segment(segment.number) if segment.number in wanted else segment for segment in run.segments]

        def write(database: Database) -> None:
            for segment in again:
                if segment.number in wanted:
                    database.connection.run(
                        f"DELETE FROM {quoted(database)[1]} WHERE run_id = %s AND segment = %s",
                        (run.run_id, segment.number),
                    )
                    write_segment(database, run, segment)

        self._in_transaction(write)
        run.segments = tuple(again)

    def end(self, run: Run, state: State) -> None:
        """
        Write down that *run* has come to its end, in *state*.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """

        def write(database: Database) -> None:
            backfills, objects = quoted(database)
            database.connection.run(
                f"UPDATE {backfills} SET state = %s, updated_at = UTC_TIMESTAMP(6) WHERE run_id = %s",
                (state, run.run_id),
            )
            database.connection.run(f"DELETE FROM {objects} WHERE run_id = %s", (run.run_id,))

        self._in_transaction(write)

    def horizon_ms(self) -> int:
        """
        Return the time before which deletes may be forgotten, 0 when none are.

        Raises:
            HorizonMissingError: The target was not migrated.
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """
        return self._do(
            lambda database: (
                read_horizon(database.connection, database.tables) if database.tables.remembers_deletes else 0
            )
        )

    def _in_transaction(self, write: Callable[[Database], None]) -> None:
        def do(database: Database) -> None:
            database.connection.run("START TRANSACTION")
            write(database)
            database.connection.run("COMMIT")

        self._do(do)

    def _do(self, action: Callable[[Database], _T]) -> _T:
        with self._lock:
            database = self._database or self._reopened()
            try:
                return action(database)
            except pymysql.err.Error as error:
                # Whatever it was in the midst of, the server rolls it back.
                self.close()
                raise as_our_error(
                    error, operation="a checkpoint", where=f"{database.name}.{BACKFILLS_TABLE}"
                ) from error

    def _reopened(self) -> Database:
        with ExitStack() as opening:
            database = opening.enter_context(self._open_database())
            take_turn(
                database.connection,
                BACKFILL,
                target=f"{database.name}.{self._pipeline.target_table}",
                wait_seconds=self._lock_wait_seconds,
            )
            make_tables(database)
            self._opened = opening.pop_all()
        self._database = database
        return database
