"""What becomes of a line of a backup by today's pipeline file."""

import pytest
from builders import CHANGED_AT_MS, STREAM_EPOCH_MS, a_change, a_column, a_pipeline

from ddb2aurora.envelope import encode_change
from ddb2aurora.heartbeat import Heartbeat, heartbeat_change
from ddb2aurora.mapping import Mapper
from operator_cli.rebuilding.judging import TOO_LONG, Judge, Judged


def judge(line, *, until_ms=None, **parts):
    return Judge(a_pipeline(**parts), until_ms=until_ms).judge(line)


def line_of(change):
    return encode_change(change).removesuffix(b"\n")


def test_a_change_becomes_the_row_that_the_transformer_makes_of_it():
    change = a_change()

    assert judge(line_of(change)) == Judged(Mapper(a_pipeline()).row(change))


def test_a_heartbeat_is_none_of_the_rows():
    beat = heartbeat_change(Heartbeat(1, CHANGED_AT_MS), pipeline=a_pipeline())

    assert judge(line_of(beat)) == Judged(is_heartbeat=True)


def test_a_change_that_leaves_no_trace_leaves_none():
    assert judge(line_of(a_change(kind="REMOVE", by_ttl=True)), on_ttl_delete="keep") == Judged()


def test_a_change_that_does_not_map_is_a_reject_without_its_value():
    judged = judge(line_of(a_change(item={"id": "secret", "n": "no number", "note": ""})))

    assert (judged.row, judged.reason) == (None, "misfit")
    assert "secret" not in f"{judged}"
    assert "no number" not in f"{judged}"


@pytest.mark.parametrize("place", ["item", "document"])
def test_half_of_a_surrogate_pair_is_a_reject(place):
    note = "half" if place == "item" else '{"half": "\\ud800"}'
    line = line_of(a_change(item={"id": "a", "n": 1, "note": note})).replace(b'"half"}', b'"\\ud800"}')
    documents = {} if place == "item" else {"note": "{}"}
    columns = (
        a_column("id", "varchar(9)"),
        a_column("note", "text", source="note" if place == "item" else "note.half"),
    )

    assert judge(line, documents=documents, columns=columns).reason in ("undecodable", "document_not_json")


def test_what_begins_like_a_change_again_and_again_is_given_up():
    assert judge(b'{"v":1,"event":"' * 200 + line_of(a_change())).reason == "undecodable"


@pytest.mark.parametrize("line", [b"what", b"{", b"\xff\xfe", b'{"v":1,"event":"INSERT"}'])
def test_what_is_no_change_is_a_reject(line):
    assert judge(line).reason == "undecodable"


def test_a_line_that_was_too_long_is_a_reject():
    assert judge(None).reason == TOO_LONG


@pytest.mark.parametrize("before", [b"what is this?", b'{"v":1,"event":"INSERT","id":"cut o', b'{"v":1,"event":"' * 40])
def test_a_change_behind_something_else_on_its_line_is_found(before):
    change = a_change()

    judged = judge(before + line_of(change))

    assert judged == Judged(Mapper(a_pipeline()).row(change), garbage_before=True)


def test_a_text_that_looks_like_a_change_is_none():
    inner = line_of(a_change(item={"id": "inner", "n": 1, "note": ""})).decode()
    change = a_change(item={"id": "outer", "n": 1, "note": inner})
    cut = line_of(change)[:-3]

    assert judge(line_of(change)).row.fields == ("outer", "1", inner)
    assert judge(cut).reason == "undecodable"


@pytest.mark.parametrize(
    ("at_ms", "is_later"), [(CHANGED_AT_MS - 1, False), (CHANGED_AT_MS, False), (CHANGED_AT_MS + 1, True)]
)
def test_what_happened_later_than_wanted_is_left_alone(at_ms, is_later):
    judged = judge(line_of(a_change(changed_at_ms=at_ms)), until_ms=CHANGED_AT_MS)

    assert (judged.is_later, judged.row is None) == (is_later, is_later)


@pytest.mark.parametrize(("until_ms", "is_later"), [(STREAM_EPOCH_MS - 1, True), (STREAM_EPOCH_MS, False)])
def test_a_change_without_a_time_is_as_old_as_its_stream(until_ms, is_later):
    assert judge(line_of(a_change(changed_at_ms=None)), until_ms=until_ms).is_later == is_later
