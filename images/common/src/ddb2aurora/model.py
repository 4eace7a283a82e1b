"""What the target must hold, said as simply as it can be: a plain dict, the reference for every test of the promise."""

from collections.abc import Iterable
from typing import TypeAlias

from ddb2aurora.dialect import Field, Row
from ddb2aurora.pipeline import Pipeline

Fields: TypeAlias = tuple[Field, ...]


def rows_after(rows: Iterable[Row], *, pipeline: Pipeline) -> dict[Fields, Fields]:
    """
    Return the fields of the target's rows, by key, after *rows* in any order and any repetition.

    The newest version of a key decides: an upsert gives its fields, a delete gives no row.
    """
    positions = [pipeline.columns.index(column) for column in pipeline.key_columns]
    newest: dict[Fields, Row] = {}
    for row in rows:
        key = tuple(row.fields[position] for position in positions)
        if key not in newest or row.version > newest[key].version:
            newest[key] = row
    return {key: row.fields for key, row in newest.items() if row.operation == "U"}
