"""
One object, one transaction: the ledger entry, the rows, the counts, and then the commit.

What may pass is tried again: deadlocks and lock waits on the same connection, a lost one on a new connection. When the
answer to a COMMIT is lost, the next try finds the object in the ledger, or does not; both are right.

Several objects that were announced together may share one transaction; if anything is wrong with one of them, nothing
of any was loaded, and each is loaded alone.
"""

import contextlib
import secrets
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import pymysql

from aurora_loader.belonging import check_belongs
from aurora_loader.entries import Entries
from aurora_loader.heartbeats import land_heartbeats
from aurora_loader.manifests import Manifests
from aurora_loader.outcome import Outcome
from aurora_loader.rejects import LineByLine
from aurora_loader.session import Session
from aurora_loader.sources import AuroraSource, Source
from aurora_loader.staging import OtherShapesError, Staging, check_age
from aurora_loader.translation import Translation
from ddb2aurora.database.applying.filling import RowsRefusedError
from ddb2aurora.database.applying.modes import statements_of
from ddb2aurora.database.connect import close_quietly
from ddb2aurora.database.connection import DatabaseConnection, LocalFileRefusedError
from ddb2aurora.database.errors import (
    DatabaseRetryError,
    ObjectMissingError,
    Verdict,
    as_our_error,
    verdict_on,
)
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import Tables, tables_of
from ddb2aurora.errors import Ddb2AuroraError, RetryError
from ddb2aurora.pipeline import Pipeline

_MAX_TRIES: Final = 8
_MAX_TRIES_OF_A_MISSING_OBJECT: Final = 2
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0


class LoadFailedError(RetryError):
    """An object could not be loaded in the tries and the time there were."""


class BundleRefusedError(Ddb2AuroraError):
    """One of several objects cannot be loaded as a whole; which one shows when each is loaded alone."""


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


class Loader:
    """Load objects of one pipeline, each once."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        session: Session,
        source: Source,
        on_retry: Callable[[ObjectRef, DatabaseRetryError], None],
        new_load_id: Callable[[], bytes] = lambda: secrets.token_bytes(16),
    ) -> None:
        """Load over *session* by way of *source*; *on_retry* hears of each object that is begun again, and why."""
        self._pipeline = pipeline
        self._session = session
        self._source = source
        self._on_retry = on_retry
        self._new_load_id = new_load_id

    def load(self, ref: ObjectRef, *, time: TimeSource) -> Outcome:
        """
        Load the object and return what came of it.

        Raises:
            LoadFailedError: What stood in the way did not pass in the tries and the time there were.
            RetryError: The object or the database is not there now.
            HaltError: The object cannot be loaded before someone acts.
        """
        return self._load((ref,), None, time=time)[ref]

    def load_together(
        self, refs: tuple[ObjectRef, ...], *, manifests: Manifests, time: TimeSource
    ) -> Mapping[ObjectRef, Outcome]:
        """
        Load *refs*, which differ and lie in one bucket, in one transaction, by one statement for those not loaded yet.

        Raises:
            BundleRefusedError: The database refuses a row of one of them.
            LoadFailedError: As of `load`.
            RetryError: As of `load`, or the manifest cannot be written.
            HaltError: As of `load`.
        """
        return self._load(refs, manifests, time=time)

    def _load(
        self, refs: tuple[ObjectRef, ...], manifests: Manifests | None, *, time: TimeSource
    ) -> Mapping[ObjectRef, Outcome]:
        for ref in refs:
            check_belongs(ref, self._pipeline)
        load_id = self._new_load_id()
        what = refs[0].url if manifests is None else f"{refs[0].url} with {len(refs) - 1} others"
        for attempt in range(_MAX_TRIES):
            pause = time.random() * min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            if attempt:
                time.sleep(pause)
            try:
                return self._try(refs, manifests, what=what, load_id=load_id, time=time)
            except DatabaseRetryError as error:
                failure = error
            tries = _MAX_TRIES_OF_A_MISSING_OBJECT if isinstance(failure, ObjectMissingError) else _MAX_TRIES
            if attempt + 1 >= tries or time.seconds_left() < _LONGEST_PAUSE_SECONDS:
                break
            self._on_retry(refs[0], failure)
        raise LoadFailedError(
            f"{what} is not loaded after {attempt + 1} tries ({failure}); "
            "it is tried again when the event is delivered again"
        ) from failure

    def _try(
        self, refs: tuple[ObjectRef, ...], manifests: Manifests | None, *, what: str, load_id: bytes, time: TimeSource
    ) -> Mapping[ObjectRef, Outcome]:
        try:
            connection, server = self._session.get()
            tables = tables_of(self._pipeline, database=self._session.database, key_collation=server.key_collation)
            entries = Entries(connection, pipeline=self._pipeline, tables=tables, load_id=load_id)
            transaction = _Transaction(connection, pipeline=self._pipeline, tables=tables, entries=entries)
            if manifests is None:
                return transaction.load_one(refs[0], self._source, monotonic=time.monotonic)
            return transaction.load_together(refs, manifests, monotonic=time.monotonic)
        except LocalFileRefusedError:
            self._session.drop()
            raise
        except pymysql.err.Error as error:
            if verdict_on(error) not in (Verdict.RETRY, Verdict.MISSING):
                self._session.drop()
            raise as_our_error(error, operation="loading", where=what) from error


class _Transaction:
    """One try to load one object, or several together."""

    def __init__(self, connection: DatabaseConnection, *, pipeline: Pipeline, tables: Tables, entries: Entries) -> None:
        self._connection = connection
        self._pipeline = pipeline
        self._tables = tables
        self._entries = entries
        self._staging = Staging(pipeline, tables)
        self._statements = statements_of(tables, pipeline)

    def load_one(
        self, ref: ObjectRef, source: Source, *, monotonic: Callable[[], float]
    ) -> Mapping[ObjectRef, Outcome]:
        """Load the object, and keep the rows that the database refuses apart."""
        return self._run((ref,), lambda new: self._rows_of(new[0], source), monotonic=monotonic)

    def load_together(
        self, refs: tuple[ObjectRef, ...], manifests: Manifests, *, monotonic: Callable[[], float]
    ) -> Mapping[ObjectRef, Outcome]:
        """Load the objects as one, or nothing of any."""
        return self._run(refs, lambda new: self._rows_together(manifests.write(new)), monotonic=monotonic)

    def _run(
        self,
        refs: tuple[ObjectRef, ...],
        rows_of: Callable[[tuple[ObjectRef, ...]], Outcome],
        *,
        monotonic: Callable[[], float],
    ) -> Mapping[ObjectRef, Outcome]:
        """Load what is not loaded yet; whatever is raised, nothing of it was loaded, or its COMMIT is in doubt."""
        started = monotonic()
        self._staging.create(self._connection)
        self._connection.run("START TRANSACTION")
        try:
            found = {ref: self._entries.open(ref) for ref in refs}
            new = tuple(ref for ref in refs if found[ref] is None)
            outcomes = {ref: outcome for ref, outcome in found.items() if outcome is not None}
            if new:
                outcome = rows_of(new)
                self._entries.close(new, outcome, duration_ms=round((monotonic() - started) * 1000))
                outcomes.update(zip(new, outcome.dealt_out(len(new)), strict=True))
        except BaseException:
            self._roll_back()
            raise
        self._connection.run("COMMIT" if new else "ROLLBACK")
        with contextlib.suppress(pymysql.err.Error):  # it is loaded; a connection that is lost now is found out later
            self._staging.drop(self._connection)
        return outcomes

    def _roll_back(self) -> None:
        try:
            self._connection.run("ROLLBACK")
        except (pymysql.err.Error, OSError):
            # The server rolls back when the connection ends, and the next use finds it closed.
            close_quietly(self._connection)

    def _rows_of(self, ref: ObjectRef, source: Source) -> Outcome:
        horizon_ms = self._statements.horizon_ms(self._connection)
        self._connection.run("SAVEPOINT entry")
        outcome = self._unless_refused(lambda: self._stage_and_apply(ref, source, horizon_ms=horizon_ms))
        if outcome is not None:
            return outcome
        self._connection.run("ROLLBACK TO SAVEPOINT entry")
        rows = self._staging.load_lines(self._connection, ref, source)
        written = self._staging.older(self._connection, ref)
        # A column that forbids NULL and has no field costs each row its place, or only some: the lines will tell.
        if written is not None and not written.unfilled:
            self._connection.run("SAVEPOINT lines_loaded")
            outcome = self._unless_refused(
                lambda: self._stage_and_apply(ref, source, horizon_ms=horizon_ms, written=written)
            )
            if outcome is not None:
                return outcome
            self._connection.run("ROLLBACK TO SAVEPOINT lines_loaded")
        return self._line_by_line(ref, rows, horizon_ms=horizon_ms)

    def _unless_refused(self, attempt: Callable[[], Outcome]) -> Outcome | None:
        """Return what *attempt* returns, None if the database refuses a row or a row is of another shape."""
        try:
            return attempt()
        except (RowsRefusedError, OtherShapesError):
            return None
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.ROW:
                raise
            return None

    def _rows_together(self, manifest: ObjectRef) -> Outcome:
        horizon_ms = self._statements.horizon_ms(self._connection)
        try:
            return self._stage_and_apply(manifest, AuroraSource(what="MANIFEST"), horizon_ms=horizon_ms)
        except RowsRefusedError as error:
            raise BundleRefusedError(f"a row of those in {manifest.url} is refused") from error
        except OtherShapesError as error:
            raise BundleRefusedError(f"a row of those in {manifest.url} was written for other columns") from error

    def _stage_and_apply(
        self, ref: ObjectRef, source: Source, *, horizon_ms: int, written: Translation | None = None
    ) -> Outcome:
        staged = self._staging.load(self._connection, ref, source, written=written)
        check_age(staged, horizon_ms=horizon_ms, pipeline=self._pipeline, ref=ref)
        landed = land_heartbeats(self._connection, staged, tables=self._tables, pipeline=self._pipeline)
        applied = self._statements.apply(self._connection, staged=staged)
        return Outcome.of(applied, rows=staged.rows, newest_changed_at_ms=staged.newest_changed_at_ms, landed=landed)

    def _line_by_line(self, ref: ObjectRef, rows: int, *, horizon_ms: int) -> Outcome:
        result = LineByLine(
            self._connection,
            ref,
            pipeline=self._pipeline,
            tables=self._tables,
            staging=self._staging,
            statements=self._statements,
            horizon_ms=horizon_ms,
        ).load(rows)
        return Outcome.of(
            result.applied,
            rejected=result.rejected,
            rows=result.rows - result.landed.count,
            newest_changed_at_ms=result.newest_changed_at_ms,
            landed=result.landed,
        )
