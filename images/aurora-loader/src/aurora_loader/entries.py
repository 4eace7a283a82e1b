"""
The entries of objects in the ledger: written first, so that nobody else loads the object, and closed with its counts.

Objects that were loaded together cannot be told apart in their rows: the sums stand with one of them, which the others
name in `counted_in`. So the ledger's sums are always those of all rows.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Sequence

import pymysql

from aurora_loader.outcome import Outcome
from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.errors import error_number
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import Tables
from ddb2aurora.pipeline import Pipeline

_DUPLICATE_ENTRY = 1062


class Entries:
    """The entries of one load."""

    def __init__(self, connection: DatabaseConnection, *, pipeline: Pipeline, tables: Tables, load_id: bytes) -> None:
        """Write entries that bear *load_id*, which stays the same when the load is begun again."""
        self._connection = connection
        self._pipeline = pipeline
        self._ledger = as_template(tables.loads.quoted)
        self._load_id = load_id

    def open(self, ref: ObjectRef) -> Outcome | None:
        """
        Write the object into the ledger, and wait for another loader that is about to; None when it was not there.

        Else return what came of it: *repeated*, or the counts when this very load had written them and never heard so.

        Raises:
            pymysql.err.Error: The transaction cannot go on.
        """
        try:
            self._connection.run(
                f"INSERT INTO {self._ledger} (object_id, bucket, object_key, object_version, "
                "pipeline, target_table, bytes, load_id, loaded_at) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
                (
                    ref.object_id,
                    ref.bucket,
                    ref.key,
                    ref.shown_version,
                    self._pipeline.name,
                    self._pipeline.target_table,
                    ref.size,
                    self._load_id,
                ),
            )
        except pymysql.err.IntegrityError as error:
            if error_number(error) != _DUPLICATE_ENTRY:
                raise
            return self._found(ref)
        return None

    def close(self, refs: Sequence[ObjectRef], outcome: Outcome, *, duration_ms: int) -> None:
        """
        Write what came of *refs* together.

        Raises:
            pymysql.err.Error: The transaction cannot go on.
        """
        for ref, counts in zip(refs, outcome.dealt_out(len(refs)), strict=True):
            self._connection.run(
                f"UPDATE {self._ledger} SET rows_in_file = %s, applied = %s, stale = %s, deleted = %s, rejected = %s, "
                "newest_changed_at_ms = %s, counted_in = %s, duration_ms = %s, loaded_at = UTC_TIMESTAMP(6) "
                "WHERE object_id = %s",
                (
                    counts.rows,
                    counts.applied,
                    counts.stale,
                    counts.deleted,
                    counts.rejected,
                    counts.newest_changed_at_ms,
                    None if ref is refs[0] else refs[0].object_id,
                    duration_ms,
                    ref.object_id,
                ),
            )

    def _found(self, ref: ObjectRef) -> Outcome:
        found = self._connection.rows(
            f"SELECT rows_in_file, applied, stale, deleted, rejected, newest_changed_at_ms FROM {self._ledger} "
            "WHERE object_id = %s AND load_id = %s",
            (ref.object_id, self._load_id),
        )
        if not found:
            return Outcome(repeated=True)
        rows, applied, stale, deleted, rejected, newest_changed_at_ms = found[0]
        return Outcome(rows, applied, stale, deleted, rejected, newest_changed_at_ms)
