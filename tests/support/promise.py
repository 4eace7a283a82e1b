"""
What tests of the promise share: changes as the stages make them, and the target beside the model.

A change travels as it does in production: envelope, transform, line. So what is compared with the model is what all
of it together did.
"""
# ruff: noqa: S608 - tests name their own tables

import base64
import datetime as dt
from typing import Any, NamedTuple

from builders import CHANGED_AT_MS, STREAM_EPOCH_MS, a_change, a_column, a_pipeline

from ddb2aurora.dialect import Row, decode_row
from ddb2aurora.envelope import encode_change
from ddb2aurora.model import Fields, rows_after, stamps_after
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import HORIZONS_TABLE
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import transform

# What the target does for a delete, and for one by time to live.
MODES = (
    ("mirror", "delete"),
    ("mirror", "soft_delete"),
    ("mirror", "keep"),
    ("soft_delete", "soft_delete"),
    ("soft_delete", "delete"),
    ("append", "delete"),
)
KEYS = ("a", "A", "a ", "é")
_YEAR_1970 = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - MySQL's has none


class Sent(NamedTuple):
    """A change on its way into the target: the *line* of an object, and what it says."""

    line: bytes
    row: Row


class Holds(NamedTuple):
    """What a target holds, or should: rows by key, and the times of the stamped ones."""

    rows: dict[Fields, Fields]
    stamps: dict[Fields, int]


def a_promised_pipeline(mode: str, on_ttl_delete: str) -> Pipeline:
    """Return a pipeline with values of several types and facts about the change."""
    columns = (
        a_column("n", "int"),
        a_column("id", "varchar(20)"),
        a_column("note", "text"),
        a_column("event", "varchar(10)", source="$event_name"),
        a_column("at", "bigint", source="$changed_at_ms"),
    )
    return a_pipeline(mode=mode, on_ttl_delete=on_ttl_delete, max_reject_share=1.0, columns=columns)


class Stream:
    """Tell of puts and deletes, in the order in which they happen, each later one with a greater version."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._row_lines = RowLines(pipeline)
        self._epoch_ms = STREAM_EPOCH_MS
        self._number = 0
        self._count = 0

    def begin_anew(self) -> None:
        """Switch the stream off and on again: it numbers from the start."""
        self._epoch_ms += 1
        self._number = 0

    def tell(self, kind: str, item: dict[str, Any], *, gap: int = 1, by_ttl: bool = False) -> Sent | None:
        """Return what *kind* of change of *item* becomes, None if it is to leave no trace."""
        self._number += gap
        self._count += 1
        change = a_change(
            kind=kind,
            item=item,
            changed_at_ms=None if self._count % 7 == 0 else CHANGED_AT_MS + self._count,
            sequence_number=self._number,
            stream_epoch_ms=self._epoch_ms,
            by_ttl=by_ttl,
        )
        record = {"recordId": "1", "data": base64.b64encode(encode_change(change)).decode()}
        ((result,),) = transform({"records": [record]}, self._row_lines).answer.values()
        if result["result"] == "Dropped":
            return None
        assert result["result"] == "Ok"
        line = base64.b64decode(result["data"])
        return Sent(line, decode_row(line))


def model_of(sent: list[Sent], pipeline: Pipeline) -> Holds:
    """Return what the target must hold after all that was *sent*."""
    rows = [change.row for change in sent]
    # A delete whose time nobody knows is stamped all the same, with 1970.
    stamps = {key: at_ms or 0 for key, at_ms in stamps_after(rows, pipeline=pipeline).items()}
    return Holds(rows_after(rows, pipeline=pipeline), stamps if pipeline.keeps_deleted else {})


def held_by(target: Any) -> Holds:
    """Return what *target* holds."""
    pipeline = target.pipeline
    names = ", ".join(f"`{column.name}`" for column in pipeline.columns)
    stamp = "_deleted_at" if pipeline.keeps_deleted else "NULL"
    holds = Holds({}, {})
    for *values, version, stamped in target.query(f"SELECT {names}, _version, {stamp} FROM {target.name()}"):
        fields = tuple(None if value is None else str(value) for value in values)
        key = tuple(fields[pipeline.columns.index(column)] for column in pipeline.key_columns)
        key += (str(version),) if pipeline.mode == "append" else ()
        holds.rows[key] = fields
        if stamped is not None:
            holds.stamps[key] = (stamped - _YEAR_1970) // dt.timedelta(milliseconds=1)
    return holds


def empty(target: Any) -> None:
    """Make *target* as if nothing had ever been loaded."""
    tables = target.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", target.database.name
    )
    for (table,) in tables:
        # The horizon says that nothing was purged so far, which stays true.
        if table != HORIZONS_TABLE:
            target.query(f"DELETE FROM `{target.database.name}`.`{table}`")
