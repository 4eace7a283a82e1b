"""With packing, many changes are one record; each is still accounted for as one change."""

import pytest
from builders import a_pipeline, a_stream_record
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.envelope import decode_change, lines_of
from ddb2aurora.errors import RetryError
from ddb2aurora.packing import PACKED_RECORD_BYTES
from stream_processor.changes import MAX_RECORD_BYTES, Outgoing
from stream_processor.delivery import Delivery, Outcome, Refused, records_of
from stream_processor.processor import process

THROTTLED = "ServiceUnavailableException"
NOW_MS = 1_767_790_000_000
PIPELINE = a_pipeline(packing=True)
# Three of these fit a record, and four do not.
THIRD = PACKED_RECORD_BYTES // 3


def outgoing(count, *, size=THIRD):
    return [Outgoing(str(number), f"{number}\n".encode().rjust(size)) for number in range(count)]


def numbers_in(data):
    return [int(line) for line in data.splitlines()]


class Stream:
    """Refuses, of each call, the positions in *script*; then accepts everything."""

    def __init__(self, *script):
        self.calls = []
        self._script = list(script)

    def put(self, records):
        self.calls.append(list(records))
        step = self._script.pop(0) if self._script else ()
        if isinstance(step, Refused):
            return step
        return [THROTTLED if position in step else None for position in range(len(records))]


def delivery(stream, *, seconds=60.0, packing=True):
    pauses = []
    return Delivery(
        stream,
        seconds_left=lambda: seconds - sum(pauses),
        sleep=pauses.append,
        random=lambda: 0.5,
        packing=packing,
    )


def test_changes_share_records_in_the_order_of_the_batch():
    stream = Stream()

    outcome = delivery(stream).deliver(outgoing(7))

    assert [[numbers_in(record) for record in call] for call in stream.calls] == [[[0, 1, 2], [3, 4, 5], [6]]]
    assert outcome == Outcome(
        accepted=7, left=(), refused=0, codes=(), records=3, billed_bytes=2 * PACKED_RECORD_BYTES + 4 * 5120
    )


def test_a_record_of_one_change_has_the_same_bytes_with_packing_and_without():
    changes = outgoing(1)

    assert [list(records_of(changes, packing=packing)) for packing in (True, False)] == [
        [((changes[0],), changes[0].data)]
    ] * 2


def test_without_packing_each_change_is_a_record():
    stream = Stream()

    outcome = delivery(stream, packing=False).deliver(outgoing(3, size=10))

    assert [[numbers_in(record) for record in call] for call in stream.calls] == [[[0], [1], [2]]]
    assert outcome == Outcome(3, (), 0, (), records=3, billed_bytes=3 * 5120)


def test_a_change_that_is_larger_than_a_packed_record_travels_alone_between_its_neighbours():
    changes = [*outgoing(1, size=10), Outgoing("big", bytes(MAX_RECORD_BYTES)), *outgoing(2, size=10)]

    records = list(records_of(changes, packing=True))

    assert [[change.sequence_number for change in record.changes] for record in records] == [["0"], ["big"], ["0", "1"]]


def test_only_the_refused_record_is_sent_again_with_all_its_changes():
    stream = Stream((1,))

    outcome = delivery(stream).deliver(outgoing(7))

    assert [[numbers_in(record) for record in call] for call in stream.calls[1:]] == [[[3, 4, 5]]]
    assert (outcome.accepted, outcome.left, outcome.refused, outcome.records) == (7, (), 1, 3)


def test_a_refused_record_that_time_leaves_behind_leaves_all_its_changes_behind():
    changes = outgoing(7)

    outcome = delivery(Stream((0, 2)), seconds=0.01).deliver(changes)

    assert (outcome.accepted, outcome.left, outcome.refused, outcome.records) == (3, (*changes[:3], changes[6]), 2, 1)


def test_a_call_that_is_refused_as_a_whole_leaves_every_change():
    changes = outgoing(4)

    outcome = delivery(Stream(Refused("ReadTimeoutError")), seconds=0.01).deliver(changes)

    assert outcome == Outcome(0, tuple(changes), 2, ("ReadTimeoutError",), records=0, billed_bytes=0)


class Quarantine:
    def __init__(self, *, down):
        self.keys = []
        self._down = down

    def write(self, key, _content):
        if self._down:
            raise RetryError("S3 is down")
        self.keys.append(key)


MAKERS = {
    "small": lambda number: a_stream_record(sequence_number=number),
    "third": lambda number: a_stream_record(item={"id": "a", "note": "x" * THIRD}, sequence_number=number),
    "full": lambda number: a_stream_record(item={"id": "a", "note": "x" * 60_000}, sequence_number=number),
    "malformed": lambda number: a_stream_record(sequence_number=number) | {"eventName": "ARCHIVE"},
}


@given(
    kinds=st.lists(st.sampled_from([*MAKERS]), max_size=30),
    refused=st.lists(st.sets(st.integers(0, 8)), max_size=3),
    seconds=st.sampled_from([0.0, 0.01, 0.2, 60.0]),
    down=st.booleans(),
)
def test_every_change_is_forwarded_kept_or_failed_however_records_are_refused(kinds, refused, seconds, down):
    records = [MAKERS[kind](number) for number, kind in enumerate(kinds)]
    stream, quarantine = Stream(*refused), Quarantine(down=down)

    report = process(
        records,
        pipeline=PIPELINE,
        deliver=delivery(stream, seconds=seconds).deliver,
        quarantine=quarantine,
        now_ms=NOW_MS,
    )

    accepted = []
    for step, call in zip([*refused, *[()] * len(stream.calls)], stream.calls, strict=False):
        for position, data in enumerate(call):
            if position not in step:
                accepted += [decode_change(line).sequence_number for line in lines_of(data)]
    good = [str(number) for number, kind in enumerate(kinds) if kind != "malformed"]
    assert report.received == len(records) == report.forwarded + report.kept + len(report.failed)
    assert report.forwarded == len(accepted) == len(set(accepted))
    assert sorted([*accepted, *(number for number in report.failed if number in good)]) == sorted(good)
    assert report.kept == len(quarantine.keys)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_the_lowest_change_of_a_record_that_was_not_confirmed_is_reported(lost):
    records = [MAKERS["third"](number) for number in (11, 10, 21, 20, 31, 30)]
    size = 2
    stream = Stream((lost,))

    report = process(
        records,
        pipeline=PIPELINE,
        deliver=delivery(stream, seconds=0.01).deliver,
        quarantine=Quarantine(down=False),
        now_ms=NOW_MS,
    )

    assert [len(lines_of(data)) for data in stream.calls[0]] == [size] * 3
    assert (report.forwarded, len(report.failed)) == (4, size)
    assert report.answer() == {"batchItemFailures": [{"itemIdentifier": str(10 * (lost + 1))}]}
