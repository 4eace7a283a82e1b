"""
What a backfill writes down in the database of the target: how far each segment is, and what nobody has loaded yet.

Both tables are made when they are first needed. An object is noted in the transaction that moves its segment's
checkpoint, and only after S3 has taken it: so whatever lies before a checkpoint is in S3, and every object in S3 that a
checkpoint covers is noted until the ledger has it.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

import pymysql

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.errors import as_our_error
from ddb2aurora.database.horizon import read_horizon
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import ColumnDefinition, TableDefinition
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import BACKFILL_OBJECTS_TABLE, BACKFILLS_TABLE
from operator_cli.backfilling.errors import BackfillRunningError
from operator_cli.site import Database

State: TypeAlias = Literal["reading", "written", "loaded", "abandoned"]
Place: TypeAlias = Mapping[str, Any] | None
_T = TypeVar("_T")

_ASCII: Final = "CHARACTER SET ascii COLLATE ascii_bin"
_ASKED_AT_ONCE: Final = 500
_MOST_NAMED: Final = 1000


@dataclass(slots=True)
class Segment:
    """
    One segment of a Scan, or one file of an export, and how far it is.

    *resume_at* is where to go on, None for its beginning; *since_ms* is the time that the next object's rows get.
    *reasons* counts the items that do not map.
    """

    number: int
    resume_at: Place = None
    since_ms: int | None = None
    items: int = 0
    objects: int = 0
    read_units: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    state: State = "reading"

    @property
    def rejected(self) -> int:
        """How many of its items do not map."""
        return self.reasons.total()


@dataclass(slots=True)
class Run:
    """One backfill: where it reads from, the *shape* of its rows, and its segments, whose number never changes."""

    run_id: str
    source: str
    shape: str
    segments: tuple[Segment, ...]


class InFlight(NamedTuple):
    """
    What is written and not loaded: how many *objects*, and of these the ones that can never be, by segment.

    *named* are the URLs of the first thousand; *arrived* counts the objects that were found loaded by this process.
    """

    objects: int
    refused: Mapping[int, int]
    named: tuple[str, ...]
    arrived: int


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
            table = _quoted(database)[0]
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
            return Run(run_id, source, shape, tuple(_segment(row) for row in rows))

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
                    f"INSERT INTO {_quoted(database)[0]} (run_id, segment, pipeline, target_table, source, shape, "
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
        self._do(lambda database: _update(database, run, segment))

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
                    f"REPLACE INTO {_quoted(database)[1]} (run_id, object_id, segment, bucket, object_key, at_ms, "
                    "written_at) VALUES (%s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
                    (run.run_id, ref.object_id, segment.number, ref.bucket, ref.key, at_ms),
                )
            _update(database, run, segment)

        self._in_transaction(write)

    def settle(self, run: Run) -> InFlight:
        """
        Take the objects off the list that the ledger has, and return what is left.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses, or the target was not migrated.
        """

        def look(database: Database) -> InFlight:
            connection, objects = database.connection, _quoted(database)[1]
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
                loaded = _loaded(database, [row[0] for row in page])
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
                        f"DELETE FROM {_quoted(database)[1]} WHERE run_id = %s AND segment = %s",
                        (run.run_id, segment.number),
                    )
                    _update(database, run, segment)

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
            backfills, objects = _quoted(database)
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
            self._take_turn(database)
            _make_tables(database)
            self._opened = opening.pop_all()
        self._database = database
        return database

    def _take_turn(self, database: Database) -> None:
        # The lock ends with the connection, however that ends. MySQL: names of locks have at most 64 characters.
        target = f"{database.name}.{self._pipeline.target_table}"
        name = f"ddb2aurora.backfill.{hashlib.sha256(target.encode()).hexdigest()[:32]}"
        ((got,),) = database.connection.rows("SELECT GET_LOCK(%s, %s)", (name, self._lock_wait_seconds))
        if got != 1:
            raise BackfillRunningError(f"{target} is being backfilled by somebody else; wait until that ends")


def _make_tables(database: Database) -> None:
    # Asked for first: a user who may not make tables can still work with those that are there.
    there = database.connection.rows(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN (%s, %s)",
        (database.name, BACKFILLS_TABLE, BACKFILL_OBJECTS_TABLE),
    )
    tables = _tables(database.name)
    if there != ((len(tables),),):
        for table in tables:
            database.connection.run(table.ensure_statement)


def _quoted(database: Database) -> tuple[str, str]:
    backfills, objects = _tables(database.name)
    return as_template(backfills.quoted), as_template(objects.quoted)


def _loaded(database: Database, object_ids: list[bytes]) -> set[bytes]:
    ledger = as_template(database.tables.loads.quoted)
    places = ", ".join(["%s"] * len(object_ids))
    found = database.connection.rows(f"SELECT object_id FROM {ledger} WHERE object_id IN ({places})", tuple(object_ids))
    return {bytes(object_id) for (object_id,) in found}


def _update(database: Database, run: Run, segment: Segment) -> None:
    connection: DatabaseConnection = database.connection
    connection.run(
        f"UPDATE {_quoted(database)[0]} SET resume_key = %s, since_ms = %s, items = %s, rejected = %s, objects = %s, "
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


def _segment(row: tuple[Any, ...]) -> Segment:
    number, resume_key, since_ms, items, objects, read_units, reasons, state = row
    return Segment(
        number=number,
        resume_at=None if resume_key is None else json.loads(resume_key),
        since_ms=since_ms,
        items=items,
        objects=objects,
        read_units=read_units,
        reasons=Counter(json.loads(reasons)),
        state=state,
    )
