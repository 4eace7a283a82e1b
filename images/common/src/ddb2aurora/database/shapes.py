"""
The shapes of a target: which columns its rows were written for, one generation after the other.

`migrate` notes the columns of a pipeline file when the table is ready for them. So a loader can tell a row of an older
version of the file, which it places by the names of the columns, from one of a newer version, which has to wait for a
newer loader. A generation is never changed: when an older file returns, it is a new generation.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ddb2aurora.column_types import ColumnType, parse_column_type
from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.schema import Tables
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline


class ShapeEntryError(HaltError):
    """A noted shape cannot be read."""


class NotedShape(NamedTuple):
    """The columns, by name, that rows of one *shape* have; a later one has a higher *generation*."""

    generation: int
    shape: str
    columns: tuple[tuple[str, ColumnType], ...]


def read_shapes(connection: DatabaseConnection, tables: Tables) -> tuple[NotedShape, ...]:
    """
    Return the shapes that were noted for the target, the oldest first.

    Raises:
        ShapeEntryError: One was noted by another version of this project.
        pymysql.err.Error: The server refused it, or the connection was lost.
    """
    rows = connection.rows(
        f"SELECT generation, shape, columns_json FROM {as_template(tables.shapes.quoted)} "
        "WHERE target_table = %s ORDER BY generation",
        (tables.target.name,),
    )
    return tuple(NotedShape(int(generation), shape, _columns(text, tables)) for generation, shape, text in rows)


def is_noted(noted: Sequence[NotedShape], pipeline: Pipeline) -> bool:
    """Return whether the newest of *noted*, which are in their order, is the shape of *pipeline*."""
    return bool(noted) and noted[-1].shape == pipeline.shape


def note_shape(connection: DatabaseConnection, tables: Tables, pipeline: Pipeline) -> int | None:
    """
    Note that the target is ready for rows of *pipeline* and return their generation, None if it was noted before.

    Raises:
        ShapeEntryError: One was noted by another version of this project.
        pymysql.err.Error: The server refused it, or the connection was lost.
    """
    noted = read_shapes(connection, tables)
    if is_noted(noted, pipeline):
        return None
    generation = noted[-1].generation + 1 if noted else 1
    columns = [[column.name, column.type.sql] for column in pipeline.columns]
    connection.run(
        f"INSERT INTO {as_template(tables.shapes.quoted)} "
        "(target_table, generation, shape, pipeline, columns_json, noted_at) "
        "VALUES (%s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
        (tables.target.name, generation, pipeline.shape, pipeline.name, msgspec.json.encode(columns).decode()),
    )
    return generation


def _columns(text: str, tables: Tables) -> tuple[tuple[str, ColumnType], ...]:
    try:
        pairs = msgspec.json.decode(text, type=list[tuple[str, str]])
        return tuple((name, parse_column_type(sql)) for name, sql in pairs)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ShapeEntryError(
            f"{tables.shapes.name} holds columns of {tables.target.name} that this version cannot read; deploy the "
            "version of ddb2aurora that wrote them"
        ) from error
