from builders import CHANGED_AT_MS, a_change, a_pipeline

from ddb2aurora.dialect import Row, decode_row, encode_row
from ddb2aurora.envelope import encode_change
from ddb2aurora.mapping import Mapper
from operator_cli.redriving.examined import examine, examine_row

MAPPER = Mapper(a_pipeline())


def test_a_change_that_fits_becomes_the_row_that_the_transformer_would_write():
    change = a_change()

    [examined] = examine(encode_change(change), MAPPER, horizon_ms=0)

    assert examined.reason is None
    assert decode_row(examined.row) == MAPPER.row(change)


def test_each_change_of_a_packed_record_is_judged_by_itself():
    packed = encode_change(a_change()) + encode_change(a_change(item={"id": "b", "n": "no number"}))

    examined = list(examine(packed, MAPPER, horizon_ms=0))

    assert [each.reason for each in examined] == [None, "misfit"]
    assert b"".join(each.line for each in examined) == packed


def test_a_change_of_which_the_policy_leaves_no_trace_has_neither_a_row_nor_a_reason():
    mapper = Mapper(a_pipeline(on_ttl_delete="keep"))

    [examined] = examine(encode_change(a_change(kind="REMOVE", by_ttl=True)), mapper, horizon_ms=0)

    assert (examined.row, examined.reason) == (None, None)


def test_a_change_from_before_the_horizon_is_held_back_since_the_loader_would_refuse_its_whole_object():
    [before] = examine(encode_change(a_change()), MAPPER, horizon_ms=CHANGED_AT_MS + 1)
    [at] = examine(encode_change(a_change()), MAPPER, horizon_ms=CHANGED_AT_MS)

    assert (before.row, before.reason, at.reason) == (None, "beyond_horizon", None)


def test_garbage_and_nothing_at_all_are_failures_too():
    assert [each.reason for each in examine(b"garbage", MAPPER, horizon_ms=0)] == ["undecodable"]
    assert [each.reason for each in examine(b"", MAPPER, horizon_ms=0)] == ["undecodable"]


def test_no_value_of_an_item_is_told():
    [examined] = examine(encode_change(a_change(item={"id": "a", "n": "secret"})), MAPPER, horizon_ms=0)

    assert "secret" not in examined.detail
    assert examined.key not in {"a", "-"}


def test_a_refused_row_without_a_time_is_as_old_as_its_stream():
    row = encode_row(Row("shape", "U", 5 * 10**40, None, ("a",)))

    assert examine_row(row, horizon_ms=5).row == row
    assert examine_row(row.rstrip(b"\n"), horizon_ms=5).row == row
    assert examine_row(row, horizon_ms=6).reason == "beyond_horizon"


def test_a_refused_line_that_is_no_row_is_never_loaded_again():
    assert examine_row(b"a,b", horizon_ms=0).reason == "malformed_line"
