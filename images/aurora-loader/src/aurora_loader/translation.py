"""
Rows that were written for an older version of the pipeline file: where their fields belong among the columns of today.

Fields go by the names of the columns, never by their places. A column that the older version did not have is NULL: the
item may well have a value, but the row does not say so. A column that today's version does not have is left out. A
changed type takes the field only where that is exact (`ddb2aurora.widening`). Rows of a newer version wait for a newer
loader, since this one would leave out what it does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ddb2aurora.column_types import ColumnType
from ddb2aurora.database.shapes import NotedShape
from ddb2aurora.dialect import Field, Row
from ddb2aurora.errors import HaltError, RetryError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.widening import carries

_ORDER: Final = "a changed pipeline file is rolled out in this order: ddb2aurora migrate, the loader, the transformer"


class UnknownShapeError(RetryError):
    """Rows were written for columns that this loader does not know yet; nothing of their object was loaded."""


class ShapeError(HaltError):
    """Rows were written for columns that do not fit those of today."""


@dataclass(frozen=True, slots=True)
class Translation:
    """How a row of one *shape* becomes one of today's."""

    shape: str
    into: tuple[tuple[str, ColumnType] | None, ...]
    """For each field of such a row the column that it belongs to, None if it is left out."""
    unfilled: tuple[str, ...]
    """Columns that forbid NULL and that no field is for."""
    positions: tuple[int | None, ...]
    """For each column of today the position of its field, None if there is none."""

    def row(self, row: Row, *, shape: str) -> Row:
        """Return *row*, which has a field for each of `into`, with today's fields and today's *shape*."""
        fields: tuple[Field, ...] = tuple(None if place is None else row.fields[place] for place in self.positions)
        return row._replace(shape=shape, fields=fields)


def unchanged(pipeline: Pipeline) -> Translation:
    """Return the translation of rows that were written for *pipeline* as it is."""
    return Translation(
        shape=pipeline.shape,
        into=tuple((column.name, column.type) for column in pipeline.columns),
        unfilled=(),
        positions=tuple(range(len(pipeline.columns))),
    )


def translation(shape: str, *, pipeline: Pipeline, noted: Sequence[NotedShape], where: str) -> Translation:
    """
    Return how rows of *shape* become rows of *pipeline*; *where* is named in errors.

    Raises:
        UnknownShapeError: Nobody noted the shape, or the one of *pipeline*, or it is newer than *pipeline*.
        ShapeError: A column changed in a way in which its values cannot be carried over.
    """
    if shape == pipeline.shape:
        return unchanged(pipeline)
    # An older file may have returned since; its newest generation counts.
    written = _newest(noted, shape)
    today = _newest(noted, pipeline.shape)
    if today is None:
        raise UnknownShapeError(
            f"{where} holds rows of shape {shape[:64]!r}, and the columns of pipeline {pipeline.name} (shape "
            f"{pipeline.shape}) were never noted: run ddb2aurora migrate; {_ORDER}"
        )
    if written is None:
        raise UnknownShapeError(
            f"{where} holds rows of shape {shape[:64]!r}, which was never noted; pipeline {pipeline.name} has shape "
            f"{pipeline.shape}. If the transformer has a newer pipeline file, run ddb2aurora migrate with it and "
            f"deploy the loader; {_ORDER}"
        )
    if written.generation > today.generation:
        raise UnknownShapeError(
            f"{where} holds rows of shape {shape!r}, which is newer than shape {pipeline.shape} of this loader's "
            f"pipeline {pipeline.name}: deploy the loader; {_ORDER}"
        )
    kept = {name for name, _ in written.columns}
    for between in noted:
        if written.generation < between.generation < today.generation:
            # A column that was gone for a while and came back may mean something else by now.
            kept &= {name for name, _ in between.columns}
    return _by_name(written, kept, pipeline=pipeline, where=where)


def _by_name(written: NotedShape, kept: set[str], *, pipeline: Pipeline, where: str) -> Translation:
    today = {column.name: column for column in pipeline.columns if column.name in kept}
    places = {name: place for place, (name, _) in enumerate(written.columns) if name in kept}
    changed = [
        f"{name} was {old.sql} and is {today[name].type.sql}"
        for name, old in written.columns
        if name in today and not carries(old, today[name].type)
    ]
    changed += [f"the key {column.name} is new" for column in pipeline.key_columns if column.name not in kept]
    if changed:
        raise ShapeError(
            f"{where} holds rows of the older shape {written.shape} of pipeline {pipeline.name}, which cannot be "
            f"carried over: {'; '.join(changed)}. Nothing of it was loaded; let the table follow its items with "
            "ddb2aurora verify --repair, or rebuild it from the source records under backup/"
        )
    return Translation(
        shape=written.shape,
        into=tuple((name, today[name].type) if name in today else None for name, _ in written.columns),
        unfilled=tuple(column.name for column in pipeline.columns if column.name not in kept and not column.nullable),
        positions=tuple(places.get(column.name) for column in pipeline.columns),
    )


def _newest(noted: Sequence[NotedShape], shape: str) -> NotedShape | None:
    return max((found for found in noted if found.shape == shape), key=lambda found: found.generation, default=None)
