"""
Changes into the shadow, by the statements that the loader uses on the target.

A chunk is a transaction of its own: what is applied twice changes nothing, so a chunk need not belong to its object.
Rows are in the order of their keys, so that two threads seldom wait for each other both ways. A chunk that the database
refuses is halved until a single row is left, as the loader does it.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

import pymysql

from ddb2aurora.database.applying.filling import Filling, RowsRefusedError
from ddb2aurora.database.applying.modes import statements_of
from ddb2aurora.database.applying.refusals import Refusal, refusal_of
from ddb2aurora.database.applying.staged import Staged
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.errors import Verdict, error_number, verdict_on
from ddb2aurora.database.schema import NO_VERSION, Tables
from ddb2aurora.dialect import Row
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import SOFT_VERSION_COLUMN, VERSION_COLUMN, quote_name

_T = TypeVar("_T")

_CHUNK_ROWS: Final = 2000
# A statement has to fit into max_allowed_packet, at least 16 MiB by default, after quoting.
_CHUNK_BYTES: Final = 2**21
_MOST_TRIES: Final = 8
_LONGEST_PAUSE_SECONDS: Final = 2.0


class Placed(NamedTuple):
    """A row, where it comes from, and a hash of its item's key."""

    row: Row
    where: str
    key: str


class Writer:
    """Write rows into the *tables* of one pipeline, over one connection."""

    def __init__(self, connection: DatabaseConnection, pipeline: Pipeline, tables: Tables) -> None:
        """
        Make the staging table of *connection*.

        Raises:
            pymysql.err.Error: The database refused it.
        """
        self._connection = connection
        self._pipeline = pipeline
        self._tables = tables
        self._filling = Filling(pipeline, tables)
        self._statements = statements_of(tables, pipeline)
        self._unaccounted = _unaccounted(tables, pipeline)
        self._positions = tuple(pipeline.columns.index(column) for column in pipeline.key_columns)
        # A DELETE of several tables resolves its aliases in the selected database, and needs one.
        connection.run(f"USE {quote_name(tables.target.database)}")
        connection.run(f"DROP TEMPORARY TABLE IF EXISTS {tables.staging.quoted}")
        connection.run(tables.staging.temporary_statement(tables.staging.name))

    def write(self, rows: Sequence[Placed]) -> Iterator[tuple[Placed, Refusal]]:
        """
        Write *rows*, and yield those that the database refuses.

        Raises:
            pymysql.err.Error: The database cannot do it now, or not before someone acts.
        """
        ordered = sorted(rows, key=lambda placed: [placed.row.fields[place] or "" for place in self._positions])
        yield from self._write(ordered)

    def staged(self, statement: str, arguments: tuple[object, ...]) -> int:
        """
        Let *statement* put upserts into staging, apply them and return how many they were.

        Raises:
            pymysql.err.Error: The database cannot do it now, or not before someone acts.
        """

        def work() -> int:
            self._connection.run(f"DELETE FROM {self._tables.staging.quoted}")  # noqa: S608 - our names
            count = self._connection.run(statement, arguments).affected
            if count:
                self._statements.apply(self._connection, staged=Staged(upserts=count))
            return count

        return self._patiently(work)

    def unaccounted(self, rows: Sequence[Row]) -> int:
        """
        Return how many of *rows* the tables know nothing of: no row as new, and no delete.

        Of the rows only key, operation and version count.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        if not rows:
            return 0
        self._filling.fill(self._connection, rows)
        ((count,),) = self._connection.rows(self._unaccounted)
        return int(count)

    def _write(self, rows: Sequence[Placed]) -> Iterator[tuple[Placed, Refusal]]:
        if not rows:
            return

        def work() -> None:
            staged = self._filling.fill(self._connection, [placed.row for placed in rows])
            self._statements.apply(self._connection, staged=staged)

        try:
            self._patiently(work)
        except RowsRefusedError as error:
            refusal = self._refusal(error.number, error.message)
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.ROW:
                raise
            refusal = self._refusal(error_number(error), str(error.args[1]))
        else:
            return
        if len(rows) == 1:
            yield rows[0], refusal
            return
        middle = len(rows) // 2
        yield from self._write(rows[:middle])
        yield from self._write(rows[middle:])

    def _patiently(self, work: Callable[[], _T]) -> _T:
        for attempt in range(1, _MOST_TRIES + 1):
            self._connection.run("START TRANSACTION")
            try:
                result = work()
                self._connection.run("COMMIT")
            except BaseException as error:
                with contextlib.suppress(pymysql.err.Error, OSError):
                    self._connection.run("ROLLBACK")
                is_last = attempt == _MOST_TRIES
                if is_last or not isinstance(error, pymysql.err.Error) or verdict_on(error) is not Verdict.RETRY:
                    raise
            else:
                return result
            # Two threads met on the same keys; the server has ended one of them.
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.05 * 2**attempt)))  # noqa: S311 - spreads retries
        raise AssertionError("the last try returns or raises")

    def _refusal(self, number: int, message: str) -> Refusal:
        return refusal_of(number, message, pipeline=self._pipeline, tables=self._tables)


def _unaccounted(tables: Tables, pipeline: Pipeline) -> str:
    version, soft = quote_name(VERSION_COLUMN), quote_name(SOFT_VERSION_COLUMN)
    keys = [quote_name(column.name) for column in pipeline.key_columns]
    on = " AND ".join(f"{{}}.{key} = s.{key}" for key in keys)
    text = f"SELECT COUNT(*) FROM {tables.staging.quoted} AS s LEFT JOIN {tables.target.quoted} AS t ON {on.format(*['t'] * len(keys))}"  # noqa: S608, E501 - our names
    if not tables.remembers_deletes:
        return f"{text} AND t.{version} = s.{version} WHERE t.{version} IS NULL"
    known = [f"t.{version}", f"k.{version}", f"k.{soft}"]
    older = " AND ".join(f"COALESCE({name}, {NO_VERSION}) < s.{version}" for name in known)
    return f"{text} LEFT JOIN {tables.tombstones.quoted} AS k ON {on.format(*['k'] * len(keys))} WHERE {older}"


class Chunks:
    """Rows on their way into a writer, so many or so large at a time."""

    def __init__(self, writer: Writer, *, refused: Callable[[Placed, Refusal], None]) -> None:
        """Give them to *writer*; *refused* hears of each that the database refuses."""
        self._writer = writer
        self._refused = refused
        self._rows: list[Placed] = []
        self._bytes = 0

    def add(self, placed: Placed, *, size: int) -> None:
        """
        Take one more row, whose line had *size* bytes.

        Raises:
            pymysql.err.Error: As of `Writer.write`.
        """
        self._rows.append(placed)
        self._bytes += size
        if len(self._rows) >= _CHUNK_ROWS or self._bytes >= _CHUNK_BYTES:
            self.finish()

    def finish(self) -> None:
        """
        Write what is left.

        Raises:
            pymysql.err.Error: As of `Writer.write`.
        """
        rows, self._rows, self._bytes = self._rows, [], 0
        for placed, refusal in self._writer.write(rows):
            self._refused(placed, refusal)
