"""Rows that a loader has loaded: written to the new table, looked for there, or left out."""

import pytest
from builders import a_change, a_column, a_pipeline

from ddb2aurora.database.shapes import NotedShape
from ddb2aurora.dialect import Row, encode_row
from ddb2aurora.mapping import Mapper
from operator_cli.rebuilding.recent import MALFORMED_ROW, UNKNOWN_SHAPE, Recent, RecentRows

PIPELINE = a_pipeline()
OLDER = a_pipeline(columns=(a_column("gone", "int"), a_column("id", "varchar(40)")))


def read(line, *, keeps_backfilled=True):
    noted = tuple(
        NotedShape(1, pipeline.shape, tuple((column.name, column.type) for column in pipeline.columns))
        for pipeline in (OLDER, PIPELINE)
    )
    return RecentRows(PIPELINE, noted, keeps_backfilled=keeps_backfilled).read(line)


def test_a_row_of_today_is_written():
    row = Mapper(PIPELINE).row(a_change())

    assert read(encode_row(row)) == Recent(row)


def test_a_row_of_another_shape_is_looked_for_by_its_key():
    row = Row(OLDER.shape, "D", 7, 1000, (None, "a"))

    assert read(encode_row(row)) == Recent(looked_for=Row(PIPELINE.shape, "D", 7, 1000, ("a", None, None)))


def test_a_backfilled_row_is_left_out_unless_such_rows_are_kept():
    row = Row(PIPELINE.shape, "U", 0, 1000, ("a", None, None))

    assert (read(encode_row(row)), read(encode_row(row), keeps_backfilled=False)) == (Recent(row), Recent())


def test_a_heartbeat_is_left_out():
    assert read(encode_row(Row(PIPELINE.shape, "H", 7, None, ("", None, None)))) == Recent()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"what", MALFORMED_ROW),
        (None, MALFORMED_ROW),
        (encode_row(Row(PIPELINE.shape, "U", 7, 1000, ("a",))), MALFORMED_ROW),
        (encode_row(Row("nobody noted", "U", 7, 1000, ("a",))), UNKNOWN_SHAPE),
        (encode_row(Row(OLDER.shape, "U", 7, 1000, ("a",))), UNKNOWN_SHAPE),
    ],
)
def test_what_no_loader_could_load_is_told(line, reason):
    assert read(line) == Recent(reason=reason)
