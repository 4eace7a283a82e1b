"""
One object, one transaction: the ledger entry, the rows, the counts, and then the commit.

What may pass is tried again: deadlocks and lock waits on the same connection, a lost one on a new connection. When the
answer to a COMMIT is lost, the next try finds the object in the ledger, or does not; both are right.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import pymysql

from aurora_loader.apply import Applied, MirrorStatements, apply_staged
from aurora_loader.rejects import LineByLine
from aurora_loader.session import Session
from aurora_loader.sources import Source
from aurora_loader.staging import RowsRefusedError, Staging
from ddb2aurora.database.connect import close_quietly
from ddb2aurora.database.connection import DatabaseConnection, LocalFileRefusedError, as_template
from ddb2aurora.database.errors import DatabaseRetryError, Verdict, as_our_error, error_number, verdict_on
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import Tables, tables_of
from ddb2aurora.errors import RetryError
from ddb2aurora.pipeline import Pipeline

_MAX_TRIES: Final = 8
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
_DUPLICATE_ENTRY: Final = 1062


class LoadFailedError(RetryError):
    """An object could not be loaded in the tries and the time there were."""


class TimeSource(Protocol):
    """Time and chance, handed in so that tests decide them."""

    def seconds_left(self) -> float:
        """Return how long loading may still go on."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def random(self) -> float:
        """Return a number from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of an object: *rows* of them were in it, and each was applied, stale, deleted or rejected.

    A *repeated* object had been loaded before; nothing was done.
    """

    rows: int = 0
    applied: int = 0
    stale: int = 0
    deleted: int = 0
    rejected: int = 0
    newest_changed_at_ms: int | None = None
    duration_ms: int = 0
    repeated: bool = False

    @classmethod
    def of(cls, applied: Applied, *, rejected: int = 0, rows: int, newest_changed_at_ms: int | None) -> "Outcome":
        """Return the outcome of a load, whose counts have to add up."""
        accounted = applied.applied + applied.stale + applied.deleted + rejected
        if accounted != rows or applied.stale < 0:
            raise AssertionError(f"{rows} rows in the file, but {accounted} of them accounted for")
        return cls(
            rows=rows,
            applied=applied.applied,
            stale=applied.stale,
            deleted=applied.deleted,
            rejected=rejected,
            newest_changed_at_ms=newest_changed_at_ms,
        )


class Loader:
    """Load objects of one pipeline, each once."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        session: Session,
        source: Source,
        on_retry: Callable[[ObjectRef, DatabaseRetryError], None],
    ) -> None:
        """Load over *session* by way of *source*; *on_retry* hears of each object that is begun again, and why."""
        self._pipeline = pipeline
        self._session = session
        self._source = source
        self._on_retry = on_retry

    def load(self, ref: ObjectRef, *, time: TimeSource) -> Outcome:
        """
        Load the object and return what came of it.

        Raises:
            LoadFailedError: What stood in the way did not pass in the tries and the time there were.
            RetryError: The object or the database is not there now.
            HaltError: The object cannot be loaded before someone acts.
        """
        for attempt in range(_MAX_TRIES):
            pause = time.random() * min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            if attempt:
                time.sleep(pause)
            try:
                return self._try(ref, time=time)
            except DatabaseRetryError as error:
                failure = error
            if attempt + 1 == _MAX_TRIES or time.seconds_left() < _LONGEST_PAUSE_SECONDS:
                break
            self._on_retry(ref, failure)
        raise LoadFailedError(
            f"{ref.url} is not loaded after {attempt + 1} tries ({failure}); "
            "it is tried again when the event is delivered again"
        ) from failure

    def _try(self, ref: ObjectRef, *, time: TimeSource) -> Outcome:
        try:
            connection, server = self._session.get()
            tables = tables_of(self._pipeline, database=self._session.database, key_collation=server.key_collation)
            return _Load(connection, ref, pipeline=self._pipeline, tables=tables, source=self._source).run(
                monotonic=time.monotonic
            )
        except LocalFileRefusedError:
            self._session.drop()
            raise
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.RETRY:
                self._session.drop()
            raise as_our_error(error, operation="loading", where=ref.url) from error


class _Load:
    """One try to load one object."""

    def __init__(
        self, connection: DatabaseConnection, ref: ObjectRef, *, pipeline: Pipeline, tables: Tables, source: Source
    ) -> None:
        self._connection = connection
        self._ref = ref
        self._pipeline = pipeline
        self._tables = tables
        self._source = source
        self._staging = Staging(pipeline, tables)
        self._statements = MirrorStatements.of(tables, pipeline)

    def run(self, *, monotonic: Callable[[], float]) -> Outcome:
        """Load the object; whatever is raised, nothing of it was loaded, or its COMMIT is in doubt."""
        started = monotonic()
        self._staging.create(self._connection)
        self._connection.run("START TRANSACTION")
        try:
            outcome = self._in_transaction()
            if not outcome.repeated:
                duration_ms = round((monotonic() - started) * 1000)
                self._close_entry(outcome, duration_ms)
        except BaseException:
            self._roll_back()
            raise
        if outcome.repeated:
            self._connection.run("ROLLBACK")
            return outcome
        self._connection.run("COMMIT")
        with contextlib.suppress(pymysql.err.Error):  # it is loaded; a connection that is lost now is found out later
            self._staging.drop(self._connection)
        return outcome

    def _roll_back(self) -> None:
        try:
            self._connection.run("ROLLBACK")
        except (pymysql.err.Error, OSError):
            # The server rolls back when the connection ends, and the next use finds it closed.
            close_quietly(self._connection)

    def _in_transaction(self) -> Outcome:
        if not self._open_entry():
            return Outcome(repeated=True)
        self._connection.run("SAVEPOINT entry")
        try:
            staged = self._staging.load(self._connection, self._ref, self._source)
            applied = apply_staged(self._connection, self._statements, staged=staged)
        except RowsRefusedError:
            return self._line_by_line()
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.ROW:
                raise
            return self._line_by_line()
        return Outcome.of(applied, rows=staged.rows, newest_changed_at_ms=staged.newest_changed_at_ms)

    def _line_by_line(self) -> Outcome:
        self._connection.run("ROLLBACK TO SAVEPOINT entry")
        rows = self._staging.load_lines(self._connection, self._ref, self._source)
        result = LineByLine(
            self._connection,
            self._ref,
            pipeline=self._pipeline,
            tables=self._tables,
            staging=self._staging,
            statements=self._statements,
        ).load(rows)
        return Outcome.of(
            result.applied,
            rejected=result.rejected,
            rows=result.rows,
            newest_changed_at_ms=result.newest_changed_at_ms,
        )

    def _open_entry(self) -> bool:
        """Write the object into the ledger, unless it is there; wait for another loader that is about to."""
        ref = self._ref
        try:
            self._connection.run(
                f"INSERT INTO {as_template(self._tables.loads.quoted)} (object_id, bucket, object_key, object_version, "  # noqa: S608
                "pipeline, target_table, bytes, loaded_at) VALUES (%s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
                (
                    ref.object_id,
                    ref.bucket,
                    ref.key,
                    ref.shown_version,
                    self._pipeline.name,
                    self._pipeline.target_table,
                    ref.size,
                ),
            )
        except pymysql.err.IntegrityError as error:
            if error_number(error) != _DUPLICATE_ENTRY:
                raise
            return False
        return True

    def _close_entry(self, outcome: Outcome, duration_ms: int) -> None:
        self._connection.run(
            f"UPDATE {as_template(self._tables.loads.quoted)} SET rows_in_file = %s, applied = %s, stale = %s, "  # noqa: S608
            "deleted = %s, rejected = %s, newest_changed_at_ms = %s, duration_ms = %s, loaded_at = UTC_TIMESTAMP(6) "
            "WHERE object_id = %s",
            (
                outcome.rows,
                outcome.applied,
                outcome.stale,
                outcome.deleted,
                outcome.rejected,
                outcome.newest_changed_at_ms,
                duration_ms,
                self._ref.object_id,
            ),
        )
