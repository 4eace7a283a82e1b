"""
The objects that loaders loaded since a time, by the ledger: what the shadow has to have before it takes the place.

Their rows of today's shape are written to the shadow. Rows of another shape bear another mapping, so they are only
looked for: their changes have to come by the backup.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.ledger import ObjectRef, make_object_ref
from ddb2aurora.database.schema import Tables
from ddb2aurora.database.shapes import NotedShape
from ddb2aurora.dialect import MalformedLineError, Row, decode_row
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import BACKFILL_VERSION

MALFORMED_ROW: Final = "malformed_row"
UNKNOWN_SHAPE: Final = "row_of_an_unknown_shape"


def loaded_since(
    connection: DatabaseConnection, pipeline: Pipeline, tables: Tables, *, since: datetime
) -> Iterator[ObjectRef]:
    """
    Yield the objects that were loaded into the target *since* a time.

    Raises:
        pymysql.err.Error: The database did not answer.
    """
    for bucket, key, version, size, object_id in connection.rows(
        f"SELECT bucket, object_key, object_version, bytes, object_id FROM {as_template(tables.loads.quoted)} "
        "WHERE loaded_at >= %s AND pipeline = %s AND target_table = %s ORDER BY loaded_at",
        (since.replace(tzinfo=None), pipeline.name, pipeline.target_table),
    ):
        # The ledger shows a version or, in a bucket without versions, an ETag; the identity says which of both.
        versioned = make_object_ref(bucket, key, version=version, size=size)
        is_version = versioned.object_id == bytes(object_id)
        yield versioned if is_version else make_object_ref(bucket, key, etag=version, size=size)


class Recent(NamedTuple):
    """A line of an object that was loaded: a *row* to write, or one only to be *looked_for*, or a *reason*."""

    row: Row | None = None
    looked_for: Row | None = None
    reason: str | None = None


class RecentRows:
    """The lines of loaded objects, read for one pipeline."""

    def __init__(self, pipeline: Pipeline, noted: tuple[NotedShape, ...], *, keeps_backfilled: bool) -> None:
        """Read rows of *pipeline*, older ones by the *noted* shapes; backfilled ones if they are to be kept."""
        self._pipeline = pipeline
        self._keeps_backfilled = keeps_backfilled
        self._places = {shape.shape: _key_places(shape, pipeline) for shape in noted}

    def read(self, line: bytes | None) -> Recent:
        """Return what is to be done with *line*; nothing for a heartbeat."""
        try:
            row = decode_row(line or b"")
        except MalformedLineError:
            # The loader has kept it among its rejects.
            return Recent(reason=MALFORMED_ROW)
        if row.operation == "H" or (row.version == BACKFILL_VERSION and not self._keeps_backfilled):
            return Recent()
        if row.shape == self._pipeline.shape:
            if len(row.fields) != len(self._pipeline.columns):
                return Recent(reason=MALFORMED_ROW)
            return Recent(row)
        places = self._places.get(row.shape)
        if places is None or max(places) >= len(row.fields):
            return Recent(reason=UNKNOWN_SHAPE)
        fields: list[str | None] = [None] * len(self._pipeline.columns)
        for column, place in zip(self._pipeline.key_columns, places, strict=True):
            fields[self._pipeline.columns.index(column)] = row.fields[place]
        return Recent(looked_for=row._replace(shape=self._pipeline.shape, fields=tuple(fields)))


def _key_places(shape: NotedShape, pipeline: Pipeline) -> tuple[int, ...] | None:
    names = [name for name, _ in shape.columns]
    keys = [column.name for column in pipeline.key_columns]
    return tuple(names.index(name) for name in keys) if set(keys) <= set(names) else None
