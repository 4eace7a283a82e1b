"""Every item becomes a row of version 0, or is kept whole with its reason."""

from builders import CHANGED_AT_MS, a_column, a_pipeline, dynamodb_json

from ddb2aurora.dialect import Row, decode_row
from ddb2aurora.envelope import decode_change
from ddb2aurora.failed import decode_failed
from ddb2aurora.mapping import Mapper
from operator_cli.backfilling.items import Gathering, ItemMapper
from operator_cli.redriving.examined import BEYOND_HORIZON, examine

_PIPELINE = a_pipeline()


def gathered(*items, pipeline=_PIPELINE):
    gathering = Gathering(ItemMapper(pipeline), at_ms=CHANGED_AT_MS)
    gathering.add(map(dynamodb_json, items))
    return gathering


def rows_of(gathering):
    return [decode_row(line) for line in b"".join(gathering.rows).splitlines()]


def failed_of(gathering):
    return list(decode_failed(b"".join(gathering.failed)))


def test_an_item_becomes_a_row_of_version_0_and_of_the_time_before_it_was_read():
    gathering = gathered({"id": "a", "n": 1, "note": "x"}, {"id": "b", "n": 2, "note": "y"})

    assert rows_of(gathering) == [
        Row(_PIPELINE.shape, "U", 0, CHANGED_AT_MS, ("a", "1", "x")),
        Row(_PIPELINE.shape, "U", 0, CHANGED_AT_MS, ("b", "2", "y")),
    ]
    assert (gathering.items, gathering.failed) == (2, [])


def test_the_facts_about_a_change_are_those_of_an_insert_without_a_stream():
    columns = [
        a_column("id", "varchar(9)"),
        a_column("at", "bigint", source="$changed_at_ms"),
        a_column("event", "varchar(9)", source="$event_name"),
        a_column("sequence", "varchar(40)", source="$sequence_number"),
    ]

    gathering = gathered({"id": "a"}, pipeline=a_pipeline(columns=columns))

    assert rows_of(gathering)[0].fields == ("a", str(CHANGED_AT_MS), "INSERT", "0")


def test_an_item_that_does_not_map_costs_no_other_its_place_and_is_counted_with_its_reason():
    gathering = gathered({"id": "a", "n": 2**40}, {"id": "b", "n": 2}, {"id": "c", "n": "text"})

    assert [row.fields[0] for row in rows_of(gathering)] == ["b"]
    assert (gathering.items, dict(gathering.reasons)) == (3, {"misfit": 2})


def test_a_failed_record_keeps_the_whole_item_with_attributes_that_no_column_reads():
    [record] = failed_of(gathered({"id": "a", "n": 2**40, "more": "m", "bytes": b"\0"}))

    change = decode_change(record.raw_data)
    assert (change.image, change.trimmed) == (
        {"id": {"S": "a"}, "n": {"N": str(2**40)}, "more": {"S": "m"}, "bytes": {"B": "AA=="}},
        False,
    )
    assert (record.error_code, record.arrival_timestamp) == ("misfit", CHANGED_AT_MS)


def test_no_value_of_an_item_stands_in_the_reason():
    [record] = failed_of(gathered({"id": "a", "n": "secret"}))

    assert "secret" not in record.error_message


def test_redrive_makes_the_row_of_version_0_of_what_was_kept_once_the_pipeline_takes_it():
    [record] = failed_of(gathered({"id": "a", "n": 2**40}))
    wider = a_pipeline(columns=[a_column("id", "varchar(9)"), a_column("n", "bigint"), a_column("note", "text")])

    [examined] = examine(record.raw_data, Mapper(wider), horizon_ms=CHANGED_AT_MS)

    assert decode_row(examined.row) == Row(wider.shape, "U", 0, CHANGED_AT_MS, ("a", str(2**40), None))


def test_redrive_refuses_what_was_kept_when_the_deletes_since_may_be_forgotten():
    [record] = failed_of(gathered({"id": "a", "n": 2**40}))

    [examined] = examine(
        record.raw_data, Mapper(a_pipeline(columns=[a_column("id", "varchar(9)")])), horizon_ms=CHANGED_AT_MS + 1
    )

    assert examined.reason == BEYOND_HORIZON


def test_half_of_a_surrogate_pair_is_rejected_and_kept():
    gathering = Gathering(ItemMapper(_PIPELINE), at_ms=CHANGED_AT_MS)

    gathering.add([{"id": {"S": "a"}, "n": {"N": "1"}, "note": {"S": "\ud800"}}])

    assert (gathering.rows, dict(gathering.reasons)) == ([], {"undecodable": 1})
    assert b"\\ud800" in failed_of(gathering)[0].raw_data


def test_the_same_failed_records_have_the_same_key_and_others_another():
    key = gathered({"id": "a", "n": "x"}).failed_key()

    assert key.startswith("failed/things/backfill/2026/01/06/11/backfill-")
    assert gathered({"id": "a", "n": "x"}).failed_key() == key
    assert gathered({"id": "b", "n": "x"}).failed_key() != key


def test_the_size_is_that_of_all_that_will_be_written():
    gathering = gathered({"id": "a", "n": 1}, {"id": "b", "n": "x"})

    assert gathering.size == len(b"".join(gathering.rows)) + len(b"".join(gathering.failed))
