"""An item and its row are compared by what the row must hold, exactly."""

import pytest
from builders import a_column, a_pipeline, dynamodb_json

from ddb2aurora.errors import Reason
from operator_cli.scanning.table import as_in_a_stream
from operator_cli.verifying.sides import Comparison, NotComparableError, TargetRow, Verdict

_ITEM = {"id": "a", "n": 1, "note": "boring"}


def a_row(*fields, version=7, changed_at_ms=5, is_stamped=False):
    return TargetRow(version, changed_at_ms, is_stamped, fields or ("a", "1", "boring"))


def judge(item, row, **parts):
    return Comparison(a_pipeline(**parts)).judge(None if item is None else dynamodb_json(item), row)


@pytest.mark.parametrize(
    ("item", "row", "verdict"),
    [
        (_ITEM, a_row(), Verdict("equal")),
        (_ITEM, None, Verdict("missing")),
        (None, a_row(), Verdict("extra")),
        (None, None, Verdict("equal")),
        (_ITEM, a_row("a", "2", "boring"), Verdict("different", ("n",))),
        (_ITEM, a_row("a", None, "boring "), Verdict("different", ("n", "note"))),
        ({**_ITEM, "n": "one"}, a_row(), Verdict("unloadable", reason=Reason.MISFIT)),
        ({**_ITEM, "n": "one"}, None, Verdict("unloadable", reason=Reason.MISFIT)),
        (_ITEM, a_row(is_stamped=True), Verdict("different", ("_deleted_at",))),
        (None, a_row(is_stamped=True), Verdict("equal")),
    ],
)
def test_item_and_row_are_judged(item, row, verdict):
    assert judge(item, row) == verdict


def test_a_row_without_an_item_is_kept_where_expired_items_leave_their_rows():
    assert judge(None, a_row(), on_ttl_delete="keep") == Verdict("kept")


def test_json_that_is_written_in_another_way_is_equal():
    columns = (a_column("id", "varchar(10)"), a_column("doc", "json"))
    item = {"id": "a", "doc": {"b": 1, "a": [True, None]}}

    assert judge(item, a_row("a", '{"a":[true,null],"b":1}'), columns=columns) == Verdict("equal")
    assert judge(item, a_row("a", '{"a":[1,null],"b":1}'), columns=columns) == Verdict("different", ("doc",))


def test_the_time_of_the_change_is_that_which_the_row_was_loaded_with():
    columns = (a_column("id", "varchar(10)"), a_column("at", "bigint", source="$changed_at_ms", nullable=False))

    assert judge({"id": "a"}, a_row("a", "5", changed_at_ms=5), columns=columns) == Verdict("equal")
    assert judge({"id": "a"}, a_row("a", "6", changed_at_ms=5), columns=columns) == Verdict("different", ("at",))


def test_a_time_that_the_row_has_lost_is_no_fault_of_the_item():
    columns = (a_column("id", "varchar(10)"), a_column("at", "bigint", source="$changed_at_ms", nullable=False))

    assert judge({"id": "a"}, a_row("a", "6", changed_at_ms=None), columns=columns) == Verdict("different", ("at",))


@pytest.mark.parametrize("event", ["INSERT", "MODIFY"])
def test_either_event_may_have_written_the_row(event):
    columns = (a_column("id", "varchar(10)"), a_column("event", "varchar(10)", source="$event_name"))

    assert judge({"id": "a"}, a_row("a", event), columns=columns) == Verdict("equal")


@pytest.mark.parametrize("event", ["REMOVE", None])
def test_no_other_event_leaves_a_living_row(event):
    columns = (a_column("id", "varchar(10)"), a_column("event", "varchar(10)", source="$event_name"))

    assert judge({"id": "a"}, a_row("a", event), columns=columns) == Verdict("different", ("event",))


@pytest.mark.parametrize("written", ["12", "0000012"])
def test_a_sequence_number_is_that_of_the_version_however_many_zeros_it_begins_with(written):
    columns = (a_column("id", "varchar(10)"), a_column("seq", "varchar(40)", source="$sequence_number"))
    row = a_row("a", written, version=3 * 10**40 + 12)

    assert judge({"id": "a"}, row, columns=columns) == Verdict("equal")


def test_another_sequence_number_is_a_difference():
    columns = (a_column("id", "varchar(10)"), a_column("seq", "varchar(40)", source="$sequence_number"))

    assert judge({"id": "a"}, a_row("a", "13", version=12), columns=columns) == Verdict("different", ("seq",))


def test_a_version_that_somebody_set_below_0_is_not_the_items_fault():
    assert judge(_ITEM, a_row(version=-5)) == Verdict("equal")


def test_the_event_of_a_row_stays_what_it_was_when_the_row_is_written_again():
    columns = (a_column("id", "varchar(10)"), a_column("event", "varchar(10)", source="$event_name"))
    comparison = Comparison(a_pipeline(columns=columns))

    assert [comparison.event_of(a_row("a", event)) for event in ("INSERT", "MODIFY", "x")] == [
        "INSERT",
        "MODIFY",
        "MODIFY",
    ]


def test_what_is_written_is_what_the_pipeline_writes():
    columns = (
        a_column("id", "varchar(10)"),
        a_column("doc", "json"),
        a_column("at", "bigint", source="$changed_at_ms"),
        a_column("seq", "varchar(40)", source="$sequence_number"),
    )
    comparison = Comparison(a_pipeline(columns=columns))
    item = dynamodb_json({"id": "a", "doc": {"b": 1, "a": 2}})

    assert comparison.written(item, version=10**40 + 3, changed_at_ms=9, event="INSERT") == (
        "a",
        '{"b":1,"a":2}',
        "9",
        "3",
    )


def test_the_key_of_the_row_of_an_item_that_fits_no_row_is_none():
    comparison = Comparison(a_pipeline(columns=(a_column("id", "varchar(3)"),)))

    assert comparison.row_key(dynamodb_json({"id": "abc"})) == ("abc",)
    assert comparison.row_key(dynamodb_json({"id": "abcd"})) is None


def test_binary_is_base64_as_in_a_stream():
    item = {"a": {"B": b"\x00\xff"}, "b": {"L": [{"BS": [b"\x01"]}]}, "c": {"S": "x"}}

    assert as_in_a_stream(item) == {"a": {"B": "AP8="}, "b": {"L": [{"BS": ["AQ=="]}]}, "c": {"S": "x"}}


def test_an_event_log_cannot_be_compared():
    with pytest.raises(NotComparableError, match="writes an event log"):
        Comparison(a_pipeline(mode="append"))
