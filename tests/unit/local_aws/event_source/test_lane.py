import pytest

from local_aws.event_source.lane import Discard, Invoke, Lane
from local_aws.event_source.outcome import FailedFrom, FailedWhole, NotRun, Succeeded
from local_aws.event_source.settings import MappingSettings
from local_aws.functions import FunctionError, Invocation

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-05T10:00:00.000"
MIB = 1024 * 1024
DONE = Invocation("done")
BROKEN = Invocation("broken", error=FunctionError("Unhandled", "ValueError", "boom"))


def a_lane(**settings):
    return Lane(MappingSettings(stream_arn=ARN, **settings), delay=lambda failures: 10.0 * failures)


@pytest.fixture
def records(a_record):
    return lambda *sequences, **values: [a_record(sequence, **values) for sequence in sequences]


def numbers(step_or_records):
    batch = getattr(step_or_records, "batch", None)
    return [record.sequence for record in (batch.records if batch else step_or_records)]


def run(lane, *, poison, now=0.0):
    """Let a function that raises on batches with a poisonous record work until nothing is left; return what it saw."""
    seen, discarded = [], []
    while not lane.empty:
        step = lane.step(now=now)
        if step is None:
            now = lane.wakes_at
        elif isinstance(step, Discard):
            discarded.append((numbers(step), step.condition, step.batch.invocations))
            lane.discarded()
        else:
            seen.append(numbers(step))
            bad = poison & set(numbers(step))
            lane.settle(FailedWhole() if bad else Succeeded(), BROKEN if bad else DONE, now=now)
    return seen, discarded


def test_without_a_window_a_batch_is_what_is_there(records):
    lane = a_lane(batch_size=10)
    lane.offer(records(1, 2, 3), now=0)

    assert numbers(lane.step(now=0)) == [1, 2, 3]


def test_a_batch_has_at_most_the_batch_size(records):
    lane = a_lane(batch_size=2)
    lane.offer(records(1, 2, 3), now=0)

    assert run(lane, poison=set()) == ([[1, 2], [3]], [])


def test_a_batch_waits_for_its_window_unless_it_is_full(records):
    lane = a_lane(batch_size=3, maximum_batching_window_seconds=5)
    lane.offer(records(1), now=100)
    lane.offer(records(2), now=104)

    assert (lane.step(now=104.9), lane.wakes_at) == (None, 105)
    assert numbers(lane.step(now=105)) == [1, 2]

    full = a_lane(batch_size=2, maximum_batching_window_seconds=5)
    full.offer(records(1, 2), now=100)
    assert numbers(full.step(now=100)) == [1, 2]


def test_the_end_of_a_shard_does_not_wait_for_a_window(records):
    lane = a_lane(maximum_batching_window_seconds=300)
    lane.offer(records(1), now=0)
    lane.close()

    assert numbers(lane.step(now=0)) == [1]


def test_a_batch_ends_before_6_mb_of_payload_and_does_not_wait_then(records):
    lane = a_lane(maximum_batching_window_seconds=300)
    lane.offer(records(1, 2, 3, 4, size_bytes=2 * MIB), now=0)

    # Three times 2 MiB and what is around the records is more than 6 MiB.
    assert numbers(lane.step(now=0)) == [1, 2]


def test_the_next_batch_waits_until_the_one_before_is_settled(records):
    lane = a_lane(batch_size=1)
    lane.offer(records(1, 2), now=0)

    first = lane.step(now=0)
    again = lane.step(now=0)
    done = lane.settle(Succeeded(), DONE, now=0)
    second = lane.step(now=0)

    assert first == again
    assert (numbers(first), numbers(done), numbers(second)) == ([1], [1], [2])


def test_with_all_defaults_a_poisonous_record_is_tried_for_ever_and_blocks_what_follows(records):
    lane = a_lane(batch_size=1)
    lane.offer(records(1, 2), now=0)

    now = 0.0
    for _ in range(100):
        step = lane.step(now=now)
        assert isinstance(step, Invoke)
        assert numbers(step) == [1]
        lane.settle(FailedWhole(), BROKEN, now=now)
        now = lane.wakes_at


def test_a_failed_batch_is_tried_again_after_a_growing_delay(records):
    lane = a_lane()
    lane.offer(records(1), now=0)

    lane.step(now=0)
    lane.settle(FailedWhole(), BROKEN, now=100)
    first_wake = lane.wakes_at
    too_early = lane.step(now=109)
    lane.step(now=110)
    lane.settle(FailedWhole(), BROKEN, now=110)

    assert (first_wake, too_early, lane.wakes_at) == (110, None, 130)


@pytest.mark.parametrize("attempts", [0, 1, 3])
def test_a_batch_is_discarded_whole_after_its_retries(records, attempts):
    lane = a_lane(batch_size=2, maximum_retry_attempts=attempts)
    lane.offer(records(1, 2, 3), now=0)

    seen, discarded = run(lane, poison={2})

    assert seen == [[1, 2]] * (1 + attempts) + [[3]]
    assert discarded == [([1, 2], "RetryAttemptsExhausted", 1 + attempts)]


def test_bisection_isolates_a_poisonous_record_and_splitting_uses_up_no_retries(records):
    lane = a_lane(batch_size=8, maximum_retry_attempts=1, bisect_batch_on_function_error=True)
    lane.offer(records(*range(1, 9)), now=0)

    seen, discarded = run(lane, poison={6})

    assert seen == [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4], [5, 6, 7, 8], [5, 6], [5], [6], [6], [7, 8]]
    assert [(numbers, condition) for numbers, condition, _ in discarded] == [([6], "RetryAttemptsExhausted")]


def test_an_answer_with_failures_is_done_before_the_first_and_retried_from_it_on(records):
    lane = a_lane(maximum_retry_attempts=1)
    lane.offer(records(1, 2, 3), now=0)

    lane.step(now=0)
    done = lane.settle(FailedFrom(2), DONE, now=0)
    retried = lane.step(now=10)
    lane.settle(FailedFrom(2), DONE, now=10)

    assert (numbers(done), numbers(retried)) == ([1], [2, 3])
    assert isinstance(lane.step(now=10), Discard)


def test_with_bisection_an_answer_with_failures_splits_there_at_once_and_uses_up_no_retry(records):
    lane = a_lane(maximum_retry_attempts=0, bisect_batch_on_function_error=True)
    lane.offer(records(1, 2, 3), now=0)

    lane.step(now=0)
    lane.settle(FailedFrom(2), DONE, now=0)
    split = lane.step(now=0)
    lane.settle(FailedFrom(2), DONE, now=0)
    given_up = lane.step(now=0)

    assert isinstance(split, Invoke)
    assert numbers(split) == [2, 3]
    # A split before the first record changes nothing, so that it counts.
    assert isinstance(given_up, Discard)
    assert numbers(given_up) == [2, 3]


def test_throttles_do_not_count_as_attempts(records):
    lane = a_lane(maximum_retry_attempts=0)
    lane.offer(records(1), now=0)

    for now in (0, 100, 200):
        assert isinstance(lane.step(now=now), Invoke)
        assert lane.settle(NotRun(), DONE, now=now) == ()

    assert lane.step(now=300).batch.invocations == 0


def test_records_older_than_the_maximum_age_are_discarded_also_before_the_first_try(a_record):
    lane = a_lane(maximum_record_age_seconds=60)
    lane.offer([a_record(1, created_at=100), a_record(2, created_at=110), a_record(3, created_at=150)], now=170)

    step = lane.step(now=170)
    lane.discarded()
    rest = lane.step(now=170)

    assert (numbers(step), step.condition, step.batch.last) == ([1, 2], "RecordAgeExceeded", None)
    assert isinstance(rest, Invoke)
    assert numbers(rest) == [3]


def test_a_retry_that_waits_is_given_up_as_soon_as_it_is_too_old(a_record):
    lane = a_lane(maximum_record_age_seconds=60)
    lane.offer([a_record(1, created_at=100)], now=155)
    lane.step(now=155)
    lane.settle(FailedWhole(), BROKEN, now=155)

    assert lane.wakes_at == 160
    assert lane.step(now=160).condition == "RecordAgeExceeded"


def test_a_lane_is_finished_when_it_is_closed_and_all_is_done(records):
    lane = a_lane()
    lane.offer(records(1), now=0)
    lane.close()

    before = lane.finished
    lane.step(now=0)
    lane.settle(Succeeded(), DONE, now=0)

    assert (before, lane.finished) == (False, True)
