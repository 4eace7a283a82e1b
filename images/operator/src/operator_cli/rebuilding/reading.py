"""One object after the other: its lines judged and written into the shadow, in a thread of its own."""

import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Final

from ddb2aurora.database.applying.refusals import Refusal
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import Tables
from ddb2aurora.dialect import Row
from ddb2aurora.errors import Ddb2AuroraError, RetryError
from ddb2aurora.pipeline import Pipeline
from operator_cli.rebuilding.counts import Counts, Sample
from operator_cli.rebuilding.judging import NO_KEY, Judge
from operator_cli.rebuilding.lines import DamagedObjectError
from operator_cli.rebuilding.objects import BackupBucket
from operator_cli.rebuilding.recent import RecentRows
from operator_cli.rebuilding.runs import Kind
from operator_cli.rebuilding.writing import Chunks, Placed, Writer
from operator_cli.site import Database

_MOST_TRIES: Final = 6
_LONGEST_PAUSE_SECONDS: Final = 20.0
_LOOKED_FOR_AT_ONCE: Final = 500
GARBAGE: Final = "garbage_before_a_change"

OpenDatabase = Callable[[], AbstractContextManager[Database]]


class StoppedError(Ddb2AuroraError):
    """The rebuild is ending; what this thread was at is begun again next time."""


class ObjectReader:
    """What each thread does with an object."""

    def __init__(
        self,
        bucket: BackupBucket,
        pipeline: Pipeline,
        *,
        judge: Judge,
        recent: RecentRows,
        tables: Tables | None,
        open_database: OpenDatabase,
        stopping: threading.Event,
    ) -> None:
        """Read from *bucket* and write into *tables*, or nothing where they are None; end when *stopping* is set."""
        self._bucket = bucket
        self._pipeline = pipeline
        self._judge = judge
        self._recent = recent
        self._tables = tables
        self._open_database = open_database
        self._stopping = stopping

    def read(self, kind: Kind, ref: ObjectRef) -> Counts:
        """
        Do the whole of *ref*, again from its beginning when something passes that stood in the way.

        Raises:
            StoppedError: The rebuild is ending.
            RetryError: What stood in the way did not pass in the tries there are.
            HaltError: It cannot be read, or written, before someone acts.
        """
        for attempt in range(1, _MOST_TRIES):
            try:
                return self._try(kind, ref)
            except RetryError:
                pause = min(_LONGEST_PAUSE_SECONDS, 0.2 * 3**attempt)
                if self._stopping.wait(pause * random.uniform(0.5, 1)):  # noqa: S311 - spreads retries
                    raise
        return self._try(kind, ref)

    def _try(self, kind: Kind, ref: ObjectRef) -> Counts:
        counts = Counts(objects=1, bytes=ref.size or 0)
        with ExitStack() as stack:
            writer = None
            if self._tables is not None:
                connection = stack.enter_context(self._open_database()).connection
                writer = Writer(connection, self._pipeline, self._tables)
            work = _Object(counts, where=ref.url, writer=writer)
            try:
                for line in self._bucket.lines(kind, ref):
                    if self._stopping.is_set():
                        raise StoppedError
                    if kind == "loaded":
                        work.take_loaded(line, self._recent)
                    else:
                        work.take(line, self._judge)
            except DamagedObjectError as error:
                counts.damaged = 1
                counts.samples.append(Sample(ref.url, NO_KEY, "damaged", str(error)))
            work.finish()
        return counts


class _Object:
    """An object that is being read, and what was found in it so far."""

    def __init__(self, counts: Counts, *, where: str, writer: Writer | None) -> None:
        self._counts = counts
        self._where = where
        self._writer = writer
        self._chunks = None if writer is None else Chunks(writer, refused=self._refused)
        self._looked_for: list[Row] = []

    def take(self, line: bytes | None, judge: Judge) -> None:
        """Do what is to be done with one line of changes."""
        judged, counts = judge.judge(line), self._counts
        if judged.garbage_before:
            counts.reject(Sample(self._where, NO_KEY, GARBAGE, "something that is no change stands before one"))
        if judged.reason is not None:
            counts.reject(Sample(self._where, judged.key, judged.reason, judged.detail))
        elif judged.is_later:
            counts.later += 1
        elif judged.is_heartbeat:
            counts.heartbeats += 1
        elif judged.row is None:
            counts.no_trace += 1
        else:
            self._write(judged.row, key=judged.key, size=len(line or b""))

    def take_loaded(self, line: bytes | None, recent: RecentRows) -> None:
        """Do what is to be done with one line of rows that a loader has loaded."""
        found = recent.read(line)
        if found.reason is not None:
            self._counts.reject(Sample(self._where, NO_KEY, found.reason, "the loader has rejected it too"))
        elif found.row is not None:
            self._write(found.row, key=NO_KEY, size=len(line or b""))
        elif found.looked_for is not None:
            self._looked_for.append(found.looked_for)
            if len(self._looked_for) >= _LOOKED_FOR_AT_ONCE:
                self._look()

    def finish(self) -> None:
        """Do what is left."""
        if self._chunks is not None:
            self._chunks.finish()
        self._look()

    def _write(self, row: Row, *, key: str, size: int) -> None:
        self._counts.rows += 1
        if self._chunks is not None:
            self._chunks.add(Placed(row, self._where, key), size=size)

    def _look(self) -> None:
        rows, self._looked_for = self._looked_for, []
        if self._writer is not None:
            self._counts.unaccounted += self._writer.unaccounted(rows)

    def _refused(self, placed: Placed, refusal: Refusal) -> None:
        self._counts.rows -= 1
        reason = f"database: {refusal.reason}"
        self._counts.reject(Sample(placed.where, placed.key, reason, f"error {refusal.number} of the database"))
