"""Delivery to Data Firehose: limits of a call, what is sent again, pauses, and the end of the time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.errors import HaltError
from stream_processor.changes import MAX_RECORD_BYTES, Outgoing
from stream_processor.delivery import (
    MAX_CALL_BYTES,
    MAX_CALL_RECORDS,
    Delivery,
    Outcome,
    Refused,
    calls_of,
    records_of,
)

THROTTLED = "ServiceUnavailableException"


def outgoing(count: int, *, size: int = 1) -> list[Outgoing]:
    return [Outgoing(str(number), f"{number}".encode().ljust(size)) for number in range(count)]


def an_outcome(accepted, left=(), refused=0, codes=()):
    """Return the outcome of a delivery of records as small as these, of one change each."""
    return Outcome(accepted, left, refused, codes, records=accepted, billed_bytes=5120 * accepted)


def sizes_of(calls: list[list[bytes]]) -> list[int]:
    return [len(call) for call in calls]


def test_a_batch_that_firehose_accepts_takes_one_call_and_leaves_nothing(make):
    stream = make.stream()

    outcome = make.delivery(stream).deliver(outgoing(3))

    assert outcome == an_outcome(accepted=3, left=(), refused=0, codes=())
    assert stream.calls == [[b"0", b"1", b"2"]]


def test_an_empty_batch_calls_nobody(make):
    stream = make.stream()

    outcome = make.delivery(stream).deliver([])

    assert outcome == an_outcome(accepted=0, left=(), refused=0, codes=())
    assert stream.calls == []


@pytest.mark.parametrize(("count", "calls"), [(499, [499]), (500, [500]), (501, [500, 1]), (1000, [500, 500])])
def test_a_call_holds_at_most_500_records(make, count, calls):
    stream = make.stream()

    make.delivery(stream).deliver(outgoing(count))

    assert sizes_of(stream.calls) == calls


def test_a_call_of_exactly_4_mib_is_one_call(make):
    stream = make.stream()

    make.delivery(stream).deliver(outgoing(8, size=MAX_CALL_BYTES // 8))

    assert sizes_of(stream.calls) == [8]


def test_one_byte_more_than_4_mib_is_two_calls(make):
    stream = make.stream()

    make.delivery(stream).deliver([*outgoing(8, size=MAX_CALL_BYTES // 8), Outgoing("8", b"x")])

    assert sizes_of(stream.calls) == [8, 1]


@given(st.lists(st.sampled_from([1, 999, 262_144, 1_024_000]), max_size=40), st.integers(1, 40), st.booleans())
def test_calls_keep_order_lose_nothing_and_stay_within_all_limits(sizes, repeats, packing):
    blocks = {size: bytes(size) for size in set(sizes)}
    changes = [Outgoing(str(number), blocks[size]) for number, size in enumerate(sizes * repeats)]

    calls = list(calls_of(records_of(changes, packing=packing)))

    assert [change for call in calls for record in call for change in record.changes] == changes
    assert all(1 <= len(call) <= MAX_CALL_RECORDS for call in calls)
    assert all(sum(len(record.data) for record in call) <= MAX_CALL_BYTES for call in calls)
    assert all(len(record.data) <= MAX_RECORD_BYTES for call in calls for record in call)


@given(st.sets(st.integers(0, 19)))
def test_only_refused_records_are_sent_again_whatever_their_positions(refused):
    # A fixture of function scope would be shared by all examples.
    stream = _Scripted(refused)
    changes = outgoing(20)

    outcome = _delivery_to(stream).deliver(changes)

    again = [change.data for number, change in enumerate(changes) if number in refused]
    assert stream.calls == [[change.data for change in changes], *([again] if again else [])]
    assert outcome == an_outcome(20, (), len(refused), (THROTTLED,) if refused else ())


def test_a_record_that_is_refused_again_and_again_is_sent_again_and_again(make):
    stream = make.stream({1: THROTTLED, 2: "InternalFailure"}, {0: THROTTLED}, {0: THROTTLED})

    outcome = make.delivery(stream).deliver(outgoing(3))

    assert stream.calls == [[b"0", b"1", b"2"], [b"1", b"2"], [b"1"], [b"1"]]
    assert outcome == an_outcome(3, (), 4, ("InternalFailure", THROTTLED))


def test_a_call_that_is_refused_as_a_whole_is_sent_again_as_a_whole(make):
    stream = make.stream(Refused("ReadTimeoutError"))

    outcome = make.delivery(stream).deliver(outgoing(2))

    assert stream.calls == [[b"0", b"1"], [b"0", b"1"]]
    assert outcome == an_outcome(2, (), 2, ("ReadTimeoutError",))


def test_what_two_calls_left_is_sent_again_in_one_call(make):
    stream = make.stream({0: THROTTLED}, {0: THROTTLED})

    outcome = make.delivery(stream).deliver(outgoing(501))

    assert stream.calls[2:] == [[b"0", b"500"]]
    assert outcome == an_outcome(501, (), 2, (THROTTLED,))


@pytest.mark.parametrize("random", [0.25, 1.0])
def test_pauses_are_a_drawn_share_of_a_bound_that_doubles_up_to_five_seconds(make, random):
    time = make.time(1000)
    stream = make.stream(*[{0: THROTTLED}] * 9)

    make.delivery(stream, time, random=random).deliver(outgoing(1))

    bounds = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert time.pauses == pytest.approx([random * bound for bound in bounds])


def test_no_pause_goes_beyond_the_remaining_time(make):
    time = make.time(1.0)

    outcome = make.delivery(make.dead_stream(), time, random=1.0).deliver(outgoing(2))

    # 0.1 + 0.2 + 0.4 seconds are over; a fourth pause of 0.8 does not fit into the 0.3 that are left.
    assert time.pauses == pytest.approx([0.1, 0.2, 0.4])
    assert outcome == an_outcome(0, tuple(outgoing(2)), 8, (THROTTLED,))


def test_without_time_nothing_is_offered_and_everything_is_left(make):
    stream = make.stream()

    outcome = make.delivery(stream, make.time(0)).deliver(outgoing(2))

    assert stream.calls == []
    assert outcome == an_outcome(0, tuple(outgoing(2)), 0, ())


def test_time_that_ends_between_two_calls_leaves_the_second_call(make):
    time = make.time(10)
    stream = _Slow(time, seconds=10)

    outcome = make.delivery(stream, time).deliver(outgoing(501))

    assert sizes_of(stream.calls) == [500]
    assert outcome == an_outcome(500, (outgoing(501)[500],), 0, ())


def test_an_error_that_halts_is_not_tried_again(make):
    stream = make.stream(HaltError("no such stream"))

    with pytest.raises(HaltError, match="no such stream"):
        make.delivery(stream).deliver(outgoing(1))

    assert sizes_of(stream.calls) == [1]


class _Scripted:
    def __init__(self, refused):
        self.calls = []
        self._refused = refused

    def put(self, records):
        self.calls.append(list(records))
        first = len(self.calls) == 1
        return [THROTTLED if first and number in self._refused else None for number in range(len(records))]


class _Slow:
    def __init__(self, time, *, seconds):
        self.calls = []
        self._time = time
        self._seconds = seconds

    def put(self, records):
        self.calls.append(list(records))
        self._time.seconds -= self._seconds
        return [None] * len(records)


def _delivery_to(stream):
    return Delivery(stream, seconds_left=lambda: 60.0, sleep=lambda _: None, random=lambda: 0.5)
