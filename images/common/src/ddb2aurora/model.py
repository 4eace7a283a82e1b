"""What the target must hold, said as simply as it can be: a plain dict, the reference for every test of the promise."""

from collections.abc import Iterable
from typing import TypeAlias

from ddb2aurora.dialect import Field, Row
from ddb2aurora.pipeline import Pipeline

Fields: TypeAlias = tuple[Field, ...]


def rows_after(rows: Iterable[Row], *, pipeline: Pipeline) -> dict[Fields, Fields]:
    """
    Return the fields of the target's rows, by key, after *rows* in any order and any repetition.

    The newest upsert of a key gives its fields, unless a newer delete leaves no row. A soft delete leaves it; see
    `stamps_after`. An event log has a row for each change, and the change's version at the end of its key.
    """
    if pipeline.mode == "append":
        return {(*_key(row, pipeline), str(row.version)): row.fields for row in rows if row.operation != "H"}
    upserts, deletes, _ = _newest(rows, pipeline)
    return {key: row.fields for key, row in upserts.items() if key not in deletes or deletes[key].version < row.version}


def stamps_after(rows: Iterable[Row], *, pipeline: Pipeline) -> dict[Fields, int | None]:
    """Return, for each key whose row stays but is deleted, when that was (ms since 1970)."""
    upserts, _, soft_deletes = _newest(rows := tuple(rows), pipeline)
    standing = rows_after(rows, pipeline=pipeline)
    return {
        key: row.changed_at_ms
        for key, row in soft_deletes.items()
        if key in standing and row.version > upserts[key].version
    }


def _newest(rows: Iterable[Row], pipeline: Pipeline) -> tuple[dict[Fields, Row], dict[Fields, Row], dict[Fields, Row]]:
    # A heartbeat never reaches the target.
    newest: dict[str, dict[Fields, Row]] = {"U": {}, "D": {}, "S": {}, "H": {}}
    for row in rows:
        found, key = newest[row.operation], _key(row, pipeline)
        if key not in found or row.version > found[key].version:
            found[key] = row
    return newest["U"], newest["D"], newest["S"]


def _key(row: Row, pipeline: Pipeline) -> Fields:
    return tuple(row.fields[pipeline.columns.index(column)] for column in pipeline.key_columns)
