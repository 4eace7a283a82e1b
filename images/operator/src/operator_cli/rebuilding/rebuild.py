"""
One rebuild in its order: the backup, the backfilled rows, what was loaded meanwhile, and the switch.

Objects are read in threads; what came of each is noted by this one, over the connection that also holds the lock of the
rebuild.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, Protocol

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.shapes import note_shape, read_shapes
from ddb2aurora.errors import Ddb2AuroraError
from ddb2aurora.pipeline import Pipeline
from operator_cli.rebuilding.carrying import carry_backfilled
from operator_cli.rebuilding.counts import Counts
from operator_cli.rebuilding.judging import Judge
from operator_cli.rebuilding.objects import BackupBucket
from operator_cli.rebuilding.reading import ObjectReader, OpenDatabase
from operator_cli.rebuilding.recent import RecentRows, loaded_since
from operator_cli.rebuilding.runs import Kind, Run, Runs, id_at
from operator_cli.rebuilding.shadow import Shadow, old_table, tables_named
from operator_cli.rebuilding.switching import switch
from operator_cli.rebuilding.writing import Writer
from operator_cli.site import Database

# A round that was over so soon leaves little to do for the one that loaders have to wait for.
_SHORT_ROUND_SECONDS: Final = 3.0
_MOST_ROUNDS: Final = 50
_POLL_SECONDS: Final = 2.0


class Watcher(Protocol):
    """Who is told how a rebuild gets on."""

    def doing(self, what: str) -> None:
        """Something else begins."""
        ...

    def read(self, counts: Counts) -> None:
        """One more object is through."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many threads, how far back the ledger counts, how long to wait for the backup, and when to stop."""

    threads: int = 4
    overlap: timedelta = timedelta(hours=25)
    patience_seconds: float = 900.0
    ends_at: float | None = None
    """By the monotonic clock."""


class OutOfTimeError(Ddb2AuroraError):
    """The time for this run is up; the next one goes on."""


class Rebuild:
    """A rebuild that is about to begin, or to go on."""

    def __init__(
        self,
        run: Run,
        *,
        runs: Runs,
        shadow: Shadow,
        bucket: BackupBucket,
        pipeline: Pipeline,
        database: Database,
        open_database: OpenDatabase,
        until_ms: int | None,
        bounds: Bounds,
        watcher: Watcher,
    ) -> None:
        """Go on with *run*; *database* is that of this thread, each other thread opens its own."""
        self._run = run
        self._runs = runs
        self._shadow = shadow
        self._bucket = bucket
        self._pipeline = pipeline
        self._database = database
        self._open_database = open_database
        self._until_ms = until_ms
        self._bounds = bounds
        self._watcher = watcher
        self._stopping = threading.Event()
        noted = read_shapes(database.connection, database.tables)
        self._recent = RecentRows(pipeline, noted, keeps_backfilled=run.backfilled != "leave")
        self._judge = Judge(pipeline, until_ms=until_ms)
        self._reader = self._reader_of(shadow)
        self.unaccounted = 0
        """How many changes that were loaded the shadow knew nothing of, the last time that it was asked."""
        self.carried = 0
        """How many backfilled rows were copied."""

    def build(self) -> None:
        """
        Bring the shadow up to what the backup, and without a point in time the ledger as well, say now.

        Raises:
            OutOfTimeError: The time is up.
            RetryError: A service does not answer; the run goes on when it is begun again.
            HaltError: Someone has to act first.
            pymysql.err.Error: The database does not answer.
        """
        self._watcher.doing("reading the backup")
        self._pass(self._sources())
        if self._run.backfilled == "keep":
            self._watcher.doing("copying backfilled rows")
            with self._open_database() as database:
                self.carried = carry_backfilled(
                    Writer(database.connection, self._pipeline, self._shadow.tables),
                    database.connection,
                    self._pipeline,
                    self._database.tables,
                    until_ms=self._until_ms,
                    carried=lambda _: self._check_time(),
                )
        if self._until_ms is None:
            self._catch_up()

    def rows_to_catch_up_with(self) -> int:
        """
        Return how many rows were loaded into the live table that the shadow need not have yet.

        Raises:
            pymysql.err.Error: The database does not answer.
        """
        return self._runs.rows_not_noted(self._run, self._database.tables, since=self._loaded_from)

    def switch(self, *, even_if_lacking: bool) -> bool:
        """
        Put the shadow in the place of the target; return whether that was done.

        It is not when a change that was loaded is not in the shadow, unless *even_if_lacking*.

        Raises:
            TargetBusyError: The target is in use for too long.
            RetryError: A service does not answer; the run goes on when it is begun again.
            pymysql.err.Error: The database does not answer.
        """
        live = self._database.tables
        ((moment,),) = self._database.connection.rows("SELECT UTC_TIMESTAMP(6)")
        name = self._run.old_table or old_table(live.target.name, id_at(moment))
        self._watcher.doing("switching")
        self._runs.enter(self._run, "switching", old_table=name)

        def last() -> bool:
            if self._until_ms is None:
                self._pass(self._loaded())
            return even_if_lacking or not self.unaccounted

        with ExitStack() as stack:
            fence, renaming = (stack.enter_context(self._open_database()).connection for _ in range(2))
            done = switch(
                fence, renaming, live, shadow=self._shadow.tables, old=tables_named(live, name), catch_up=last
            )
        if done:
            self.finish()
        else:
            self._runs.enter(self._run, "left")
        return done

    def finish(self) -> None:
        """
        Do what comes after the tables have changed names.

        Raises:
            RetryError: A service does not answer; the run goes on when it is begun again.
            pymysql.err.Error: The database does not answer.
        """
        live = self._database.tables
        if not live.remembers_deletes and self._until_ms is None:
            # Nobody was held off. Every load into the old table has ended by now, since the rename waited for it.
            self._reader = self._reader_of(None)
            self._pass(self._loaded())
        note_shape(self._database.connection, live, self._pipeline)
        self._runs.enter(self._run, "switched")

    def _catch_up(self) -> None:
        self._watcher.doing("catching up with the loaders")
        deadline = time.monotonic() + self._bounds.patience_seconds
        for _ in range(_MOST_ROUNDS):
            started = time.monotonic()
            self._pass(self._sources(newer=True))
            self._pass(self._loaded())
            if self.unaccounted and time.monotonic() < deadline:
                self._watcher.doing(f"waiting for the backup of {self.unaccounted} changes")
                self._check_time()
                time.sleep(_POLL_SECONDS)
            elif time.monotonic() - started < _SHORT_ROUND_SECONDS:
                return

    def _sources(self, *, newer: bool = False) -> Iterator[tuple[Kind, ObjectRef]]:
        backup = self._bucket.backup(since=self._run.started_at if newer else None)
        new_ones = self._runs.lacking
        return chain(
            (("backup", ref) for ref in new_ones(self._run, backup)),
            (("oversized", ref) for ref in new_ones(self._run, self._bucket.oversized())),
        )

    def _loaded(self) -> Iterator[tuple[Kind, ObjectRef]]:
        self.unaccounted = 0
        found = loaded_since(self._database.connection, self._pipeline, self._database.tables, since=self._loaded_from)
        return (("loaded", ref) for ref in self._runs.lacking(self._run, found))

    @property
    def _loaded_from(self) -> datetime:
        return self._run.started_at - self._bounds.overlap

    def _pass(self, sources: Iterable[tuple[Kind, ObjectRef]]) -> None:
        running: dict[Future[Counts], tuple[Kind, ObjectRef]] = {}

        def collect() -> None:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                kind, ref = running.pop(future)
                counts = future.result()
                if counts.unaccounted:
                    # Looked at again once the backup has gone on.
                    self.unaccounted += counts.unaccounted
                else:
                    self._runs.note(self._run, ref, kind, counts)
                self._watcher.read(counts)

        threads = self._bounds.threads
        with ThreadPoolExecutor(threads, thread_name_prefix="rebuild") as executor:
            try:
                for kind, ref in sources:
                    self._check_time()
                    if len(running) >= 2 * threads:
                        collect()
                    running[executor.submit(self._reader.read, kind, ref)] = (kind, ref)
                while running:
                    collect()
            except BaseException:
                # Ctrl-C and errors come here: the threads end at their next line.
                self._stopping.set()
                raise
            finally:
                executor.shutdown(cancel_futures=True)

    def _check_time(self) -> None:
        if self._bounds.ends_at is not None and time.monotonic() >= self._bounds.ends_at:
            raise OutOfTimeError

    def _reader_of(self, shadow: Shadow | None) -> ObjectReader:
        return ObjectReader(
            self._bucket,
            self._pipeline,
            judge=self._judge,
            recent=self._recent,
            tables=self._database.tables if shadow is None else shadow.tables,
            open_database=self._open_database,
            stopping=self._stopping,
        )
