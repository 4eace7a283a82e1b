"""The temporary tables of a load: rows in their columns, and for the slow path the file's lines as they are."""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import pymysql

from aurora_loader.sources import Source
from aurora_loader.translation import ShapeError, Translation, UnknownShapeError, translation, unchanged
from ddb2aurora.database.applying.filling import Filling, RowsRefusedError, warning_of
from ddb2aurora.database.applying.staged import Staged
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.errors import error_number
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import Tables
from ddb2aurora.database.shapes import read_shapes
from ddb2aurora.dialect import LOAD_DIALECT, OPERATION_COLUMN, SHAPE_COLUMN, Row, load_columns
from ddb2aurora.errors import Ddb2AuroraError, HaltError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, VERSION_COLUMN, quote_name
from ddb2aurora.version import SEQUENCE_DIGITS

_CHANGED_AT: Final = quote_name(CHANGED_AT_COLUMN)
_VERSION: Final = quote_name(VERSION_COLUMN)
# The oldest is what epoch_of gives where there is no time: a row without one is no older than its stream.
_AGES: Final = (
    f"MAX({_CHANGED_AT}), MIN(COALESCE({_CHANGED_AT}, {_VERSION} DIV {10**SEQUENCE_DIGITS})), MIN({_VERSION})"
)
_LONGEST_SHAPE: Final = 64
_TABLE_EXISTS: Final = 1050
# A terminator that no line of ours holds: the dialect escapes NUL and 0x1A. With an empty one LOAD DATA would read
# lines of a fixed width.
_LINES_DIALECT: Final = r"""CHARACTER SET binary
FIELDS TERMINATED BY '\0\Z\0\Z\0\Z' ENCLOSED BY '' ESCAPED BY ''
LINES TERMINATED BY '\n'"""


class BeyondHorizonError(HaltError):
    """An object is older than the deletes that the target remembers."""


class OtherShapesError(Ddb2AuroraError):
    """Rows were written for other columns than those that they were read for; which ones is still to be found out."""


class Staging:
    """The temporary tables of the loads of one pipeline."""

    def __init__(self, pipeline: Pipeline, tables: Tables) -> None:
        """Stage rows of *pipeline* in the temporary ones of *tables*."""
        self._pipeline = pipeline
        self._tables = tables
        self._as_written_now = unchanged(pipeline)
        self._filling = Filling(pipeline, tables)

    def create(self, connection: DatabaseConnection) -> None:
        """Make both tables, empty; outside a transaction, where every server allows it."""
        try:
            self._create(connection)
        except pymysql.err.OperationalError as error:
            if error_number(error) != _TABLE_EXISTS:
                raise
            # A load before this one was not finished; each statement is a round trip, so they are dropped only then.
            self.drop(connection)
            self._create(connection)

    def drop(self, connection: DatabaseConnection) -> None:
        """Give the space of both tables back."""
        names = ", ".join(table.quoted for table in (self._tables.staging, self._tables.lines))
        connection.run(f"DROP TEMPORARY TABLE IF EXISTS {names}")

    def _create(self, connection: DatabaseConnection) -> None:
        for table in (self._tables.staging, self._tables.lines):
            connection.run(table.temporary_statement(table.name))

    def load(
        self, connection: DatabaseConnection, ref: ObjectRef, source: Source, *, written: Translation | None = None
    ) -> Staged:
        """
        Load the object, whose rows were all *written* for one shape, today's by default, and return what stands there.

        Raises:
            OtherShapesError: A row was written for another shape.
            RowsRefusedError: The server warned, which means that some row is not stored as it was written.
            pymysql.err.Error: The server refused a row, or the connection was lost.
        """
        written = written or self._as_written_now
        into = f"INTO TABLE {self._tables.staging.quoted} {LOAD_DIALECT} {load_columns(written.into)}"
        effect = source.load(connection, ref, into=into)
        if effect.warnings:
            raise warning_of(connection)
        return self._count(connection, shape=written.shape)

    def load_lines(self, connection: DatabaseConnection, ref: ObjectRef, source: Source) -> int:
        """
        Load the object's lines, byte for byte, and return how many there are.

        Raises:
            HaltError: The server warned; a line is not stored as it was written.
            pymysql.err.Error: The connection was lost.
        """
        effect = source.load(connection, ref, into=f"INTO TABLE {self._tables.lines.quoted} {_LINES_DIALECT} (`line`)")
        if effect.warnings:
            raise HaltError(f"the lines of {ref.url} cannot be read one by one; is it a file of rows?")
        return effect.affected

    def older(self, connection: DatabaseConnection, ref: ObjectRef) -> Translation | None:
        """
        Return how the loaded lines become rows of today, None unless all bear one older shape that can be carried over.

        Raises:
            pymysql.err.Error: The connection was lost.
        """
        # A shape is the first field and never quoted. What is no line of ours may begin with anything.
        found = connection.rows(
            f"SELECT DISTINCT SUBSTRING_INDEX(LEFT(`line`, {_LONGEST_SHAPE + 1}), ',', 1) "
            f"FROM {self._tables.lines.quoted} LIMIT 2"
        )
        if len(found) != 1:
            return None
        shape = bytes(found[0][0]).decode("ascii", "replace")
        if shape == self._pipeline.shape:
            return None
        try:
            return self.translation(connection, shape, ref=ref)
        except (UnknownShapeError, ShapeError):
            return None  # the lines decide: what is no row at all is a reject and no reason to halt

    def translation(self, connection: DatabaseConnection, shape: str, *, ref: ObjectRef) -> Translation:
        """
        Return how rows of *shape* become rows of today.

        Raises:
            UnknownShapeError: Nobody noted the shape, or it is newer than this loader.
            ShapeError: Rows of the shape cannot be carried over.
            pymysql.err.Error: The connection was lost.
        """
        noted = read_shapes(connection, self._tables)
        return translation(shape, pipeline=self._pipeline, noted=noted, where=ref.url)

    def fill(self, connection: DatabaseConnection, rows: Sequence[Row]) -> Staged:
        """
        Replace what is staged by *rows*.

        Raises:
            RowsRefusedError: The server warned.
            pymysql.err.Error: The server refused a row, or the connection was lost.
        """
        return self._filling.fill(connection, rows)

    def _count(self, connection: DatabaseConnection, *, shape: str) -> Staged:
        staging = self._tables.staging.quoted
        found_shape, operation = quote_name(SHAPE_COLUMN), quote_name(OPERATION_COLUMN)
        # COUNT leaves out what is NULL. What an object has beside upserts, often nothing, is counted apart: a pass that
        # compares each row with each operation takes a third longer.
        ((rows, lowest, highest, others, newest_ms, oldest_ms, version),) = connection.rows(
            f"SELECT COUNT(*), MIN({found_shape}), MAX({found_shape}), COUNT({operation} <> 'U' OR NULL), {_AGES} "
            f"FROM {staging}"
        )
        if rows and (lowest, highest) != (shape, shape):
            raise OtherShapesError(shape)
        deletes = soft_deletes = heartbeats = 0
        if others:
            counts = ", ".join(f"COUNT({operation} = '{found}' OR NULL)" for found in "DSH")
            ((deletes, soft_deletes, heartbeats),) = connection.rows(
                f"SELECT {counts} FROM {staging} WHERE {operation} <> 'U'"
            )
        if others != deletes + soft_deletes + heartbeats:
            raise RowsRefusedError(0, "an operation that is none of U, D, S and H")
        if heartbeats:
            # A heartbeat is no change of an item: whatever its time, it says nothing about the target's.
            ((newest_ms, oldest_ms, version),) = connection.rows(
                f"SELECT {_AGES} FROM {staging} WHERE {operation} <> 'H'"
            )
        return Staged(
            upserts=rows - others,
            deletes=deletes,
            soft_deletes=soft_deletes,
            heartbeats=heartbeats,
            newest_changed_at_ms=newest_ms,
            oldest_ms=None if oldest_ms is None else int(oldest_ms),
            lowest_version=None if version is None else int(version),
        )


def check_age(staged: Staged, *, horizon_ms: int, pipeline: Pipeline, ref: ObjectRef) -> None:
    """
    Make sure that no staged change is older than the deletes that are still remembered.

    Raises:
        BeyondHorizonError: One is, so that loading it could bring a deleted row back.
    """
    if staged.oldest_ms is not None and staged.oldest_ms < horizon_ms:
        horizon = datetime.fromtimestamp(horizon_ms / 1000, UTC).isoformat(timespec="seconds")
        raise BeyondHorizonError(
            f"{ref.url} holds a change from before {horizon}, or of unknown age, and older deletes of "
            f"{pipeline.target_table} were purged: it could bring deleted rows back, so nothing of it was loaded. Find "
            f"out with ddb2aurora verify whether the table lacks any of it, and mend that with ddb2aurora backfill"
        )
