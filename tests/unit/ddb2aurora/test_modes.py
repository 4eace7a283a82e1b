"""What a delete becomes in each mode and under each policy for deletes by time to live."""

import pytest
from builders import a_change, a_column, a_pipeline

from ddb2aurora.dialect import Row
from ddb2aurora.mapping import Mapper
from ddb2aurora.model import rows_after, stamps_after


@pytest.mark.parametrize(("mode", "operation"), [("mirror", "D"), ("soft_delete", "S"), ("append", "D")], ids=str)
def test_the_mode_decides_what_a_delete_does(mode, operation):
    mapper = Mapper(a_pipeline(mode=mode))

    row = mapper.row(a_change(kind="REMOVE"))

    assert (row.operation, row.fields) == (operation, ("a", None, None))


@pytest.mark.parametrize(("policy", "operation"), [("delete", "D"), ("soft_delete", "S")])
@pytest.mark.parametrize("mode", ["mirror", "soft_delete"])
def test_a_policy_of_its_own_decides_what_a_delete_by_time_to_live_does(mode, policy, operation):
    mapper = Mapper(a_pipeline(mode=mode, on_ttl_delete=policy))

    row = mapper.row(a_change(kind="REMOVE", by_ttl=True))

    assert row.operation == operation


@pytest.mark.parametrize("mode", ["mirror", "soft_delete", "append"])
def test_a_delete_by_time_to_live_leaves_no_trace_when_the_policy_is_to_keep(mode):
    mapper = Mapper(a_pipeline(mode=mode, on_ttl_delete="keep"))

    assert mapper.row(a_change(kind="REMOVE", by_ttl=True)) is None
    assert mapper.row(a_change(kind="REMOVE")) is not None


def test_an_event_log_tells_the_facts_of_a_delete_but_no_values():
    columns = (
        a_column("id", "varchar(100)"),
        a_column("event", "varchar(6)", source="$event_name", nullable=False),
        a_column("item", "json", source="$item"),
        a_column("n"),
    )
    mapper = Mapper(a_pipeline(mode="append", columns=columns))

    row = mapper.row(a_change(kind="REMOVE"))

    assert row.fields == ("a", "REMOVE", None, None)


def a_row(operation: str, version: int, *, n: str | None = None) -> Row:
    return Row("shape", operation, version, version * 1000, ("a", n, None))


def test_the_model_of_soft_delete_keeps_the_newest_values_and_stamps_them():
    rows = [a_row("S", 3), a_row("U", 1, n="1"), a_row("U", 2, n="2")]
    pipeline = a_pipeline(mode="soft_delete")

    assert rows_after(rows, pipeline=pipeline) == {("a",): ("a", "2", None)}
    assert stamps_after(rows, pipeline=pipeline) == {("a",): 3000}


def test_the_model_takes_the_stamp_away_when_the_item_is_made_again():
    rows = [a_row("S", 2), a_row("U", 1, n="1"), a_row("U", 3, n="3")]
    pipeline = a_pipeline(mode="soft_delete")

    assert rows_after(rows, pipeline=pipeline) == {("a",): ("a", "3", None)}
    assert stamps_after(rows, pipeline=pipeline) == {}


def test_the_model_of_an_event_log_has_a_row_for_each_change():
    rows = [a_row("D", 2), a_row("U", 1, n="1"), a_row("U", 1, n="1")]

    found = rows_after(rows, pipeline=a_pipeline(mode="append"))

    assert found == {("a", "1"): ("a", "1", None), ("a", "2"): ("a", None, None)}
