"""One batch: what each record becomes, what is answered, and that the counts add up."""

import json

import pytest
from builders import CHANGED_AT_MS, STREAM_EPOCH_MS, a_change, a_pipeline, a_stream_record
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.envelope import decode_change, encode_change
from ddb2aurora.errors import RetryError
from ddb2aurora.failed import FailedRecord, decode_failed
from stream_processor.changes import MAX_RECORD_BYTES
from stream_processor.delivery import Outcome
from stream_processor.processor import LostChangeError, Report, WrongTableError, process

NOW_MS = 1_767_790_000_000
HUGE = "x" * MAX_RECORD_BYTES


def a_report(**members):
    told = {"received": 1, "forwarded": 1, "kept": 0, "oversized": 0, "failed": (), "refused": 0, "codes": ()} | members
    # Each change is a record of its own, and small.
    records = told.setdefault("records", told["forwarded"])
    return Report(**{"billed_bytes": 5120 * records} | told)


def run(records, *, delivery, quarantine):
    return process(records, pipeline=a_pipeline(), deliver=delivery.deliver, quarantine=quarantine, now_ms=NOW_MS)


def huge(sequence_number="7", **members):
    return a_stream_record(item={"id": "a", "note": HUGE}, sequence_number=sequence_number, **members)


def test_changes_of_all_three_kinds_are_forwarded_in_the_order_of_the_stream(make):
    stream = make.stream()
    kinds = ("INSERT", "MODIFY", "REMOVE")
    records = [a_stream_record(kind=kind, sequence_number=number) for number, kind in enumerate(kinds)]

    report = run(records, delivery=make.delivery(stream), quarantine=make.quarantine())

    expected = [encode_change(a_change(kind=kind, sequence_number=number)) for number, kind in enumerate(kinds)]
    assert stream.calls == [expected]
    assert report == a_report(received=3, forwarded=3)


def test_success_is_answered_with_an_empty_list_and_never_with_nothing():
    assert a_report().answer() == {"batchItemFailures": []}


def test_a_batch_without_records_is_a_success(make):
    report = run([], delivery=make.delivery(make.stream()), quarantine=make.quarantine())

    assert report.answer() == {"batchItemFailures": []}


def test_the_lowest_sequence_number_is_that_of_the_smallest_integer_not_of_the_first_text():
    long, short = "1" + "0" * 24, "9" * 21

    answer = a_report(failed=(long, short)).answer()

    assert min(long, short) == long
    assert answer == {"batchItemFailures": [{"itemIdentifier": short}]}


def test_time_that_runs_out_is_answered_with_the_lowest_sequence_number_that_was_not_confirmed(make):
    numbers = ["8" * 21, "1" + "0" * 24, "9" * 21]
    records = [a_stream_record(sequence_number=number) for number in numbers]
    stream = make.stream({1: "InternalFailure", 2: "InternalFailure"})
    time = make.time(0.01)

    report = run(records, delivery=make.delivery(stream, time, random=1.0), quarantine=make.quarantine())

    assert report == a_report(
        received=3, forwarded=1, failed=(numbers[1], numbers[2]), refused=2, codes=("InternalFailure",)
    )
    assert report.answer() == {"batchItemFailures": [{"itemIdentifier": "9" * 21}]}


def test_an_oversized_change_is_kept_whole_under_failed_and_its_neighbours_are_forwarded(make):
    stream, quarantine = make.stream(), make.quarantine()
    records = [a_stream_record(sequence_number=1), huge(sequence_number=2), a_stream_record(sequence_number=3)]

    report = run(records, delivery=make.delivery(stream), quarantine=quarantine)

    assert report == a_report(received=3, forwarded=2, kept=1, oversized=1)
    assert [[decode_change(data).sequence_number for data in call] for call in stream.calls] == [["1", "3"]]
    [(key, content)] = quarantine.objects.items()
    [failed] = decode_failed(content)
    change = a_change(item={"id": "a", "note": HUGE}, sequence_number=2)
    assert key == f"failed/things/oversized/2026/01/06/11/{STREAM_EPOCH_MS}-2.json"
    assert failed == FailedRecord(
        attempts_made=1,
        arrival_timestamp=CHANGED_AT_MS,
        error_code="oversized",
        error_message=f"oversized: {len(encode_change(change))} bytes, a Firehose record holds 1024000",
        attempt_ending_timestamp=NOW_MS,
        raw_data=encode_change(change),
    )


def test_an_oversized_change_without_time_is_filed_under_the_hour_of_its_stream(make):
    quarantine = make.quarantine()

    run([huge(changed_at_ms=None)], delivery=make.delivery(make.stream()), quarantine=quarantine)

    assert list(quarantine.objects) == [f"failed/things/oversized/2026/01/05/10/{STREAM_EPOCH_MS}-7.json"]


def test_an_oversized_change_that_is_delivered_twice_is_kept_once(make):
    quarantine = make.quarantine()

    for _ in range(2):
        run([huge()], delivery=make.delivery(make.stream()), quarantine=quarantine)

    assert len(quarantine.objects) == 1


def test_an_oversized_change_that_s3_does_not_take_is_reported_as_failed_and_the_rest_is_forwarded(make):
    records = [a_stream_record(sequence_number=1), huge(sequence_number=2), a_stream_record(sequence_number=3)]

    report = run(records, delivery=make.delivery(make.stream()), quarantine=make.quarantine(down=True))

    assert report == a_report(received=3, forwarded=2, failed=("2",))
    assert report.answer() == {"batchItemFailures": [{"itemIdentifier": "2"}]}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(None, id="null"),
        pytest.param({"eventID": "1"}, id="hardly anything"),
        pytest.param(a_stream_record(item={"id": "\ud800"}), id="half of a surrogate pair"),
        pytest.param(a_stream_record() | {"eventName": "ARCHIVE", "size": 10**400}, id="a number beyond 64 bits"),
    ],
)
def test_a_malformed_record_is_kept_as_it_came_and_its_neighbours_are_forwarded(make, record):
    quarantine = make.quarantine()

    report = run([record, a_stream_record()], delivery=make.delivery(make.stream()), quarantine=quarantine)

    assert report == a_report(received=2, forwarded=1, kept=1)
    [(key, content)] = quarantine.objects.items()
    [failed] = decode_failed(content)
    assert key.startswith("failed/things/malformed/2026/01/07/12/")
    assert failed.error_code == "malformed"
    assert json.loads(failed.raw_data) == record


def test_a_malformed_record_that_s3_does_not_take_is_reported_by_its_sequence_number(make):
    record = a_stream_record(sequence_number=5) | {"eventName": "ARCHIVE"}

    report = run([record], delivery=make.delivery(make.stream()), quarantine=make.quarantine(down=True))

    assert report == a_report(forwarded=0, failed=("5",))


@pytest.mark.parametrize("number", [None, "", "abc"])
def test_what_can_neither_be_kept_nor_reported_fails_the_batch_so_that_nothing_is_lost(make, number):
    record = a_stream_record() | {"dynamodb": {"SequenceNumber": number}}

    with pytest.raises(LostChangeError, match="sequence number"):
        run([record], delivery=make.delivery(make.stream()), quarantine=make.quarantine(down=True))


def test_a_delivery_that_forgets_a_change_fails_the_batch():
    with pytest.raises(LostChangeError, match="of 2 changes, 1 were forwarded, 0 kept and 0 failed"):
        process(
            [a_stream_record(), a_stream_record()],
            pipeline=a_pipeline(),
            deliver=lambda _: Outcome(accepted=1, left=(), refused=0, codes=(), records=1, billed_bytes=5120),
            quarantine=None,
            now_ms=NOW_MS,
        )


@given(
    st.lists(st.sampled_from(["good", "huge", "malformed"]), max_size=12),
    st.sets(st.integers(0, 11)),
    st.booleans(),
)
def test_every_change_is_forwarded_or_kept_or_failed_and_none_is_two_of_these(kinds, refused, s3_is_down):
    makers = {
        "good": lambda number: a_stream_record(sequence_number=number),
        "huge": lambda number: huge(sequence_number=number),
        "malformed": lambda number: a_stream_record(sequence_number=number) | {"eventName": "ARCHIVE"},
    }
    records = [makers[kind](number) for number, kind in enumerate(kinds)]
    kept, forwarded = [], []

    def deliver(outgoing):
        left = tuple(change for position, change in enumerate(outgoing) if position in refused)
        forwarded.extend(change.sequence_number for change in outgoing if change not in left)
        return Outcome(len(outgoing) - len(left), left, len(left), (), records=0, billed_bytes=0)

    class Quarantine:
        def write(self, key, content):
            if s3_is_down:
                raise RetryError("S3 is down")
            kept.append(key)
            assert content.endswith(b"\n")

    report = process(records, pipeline=a_pipeline(), deliver=deliver, quarantine=Quarantine(), now_ms=NOW_MS)

    assert report.received == len(records) == report.forwarded + report.kept + len(report.failed)
    assert (report.forwarded, report.kept) == (len(forwarded), len(kept))
    assert not set(forwarded) & set(report.failed)
    lowest = [{"itemIdentifier": min(report.failed, key=int)}] if report.failed else []
    assert report.answer() == {"batchItemFailures": lowest}


def test_a_stream_of_another_table_halts_before_anything_is_forwarded(make):
    stream = make.stream()
    records = [a_stream_record(), a_stream_record(table="others", sequence_number=2)]

    with pytest.raises(WrongTableError, match="table 'others', but pipeline things reads 'things'"):
        run(records, delivery=make.delivery(stream), quarantine=make.quarantine())

    assert stream.calls == []
