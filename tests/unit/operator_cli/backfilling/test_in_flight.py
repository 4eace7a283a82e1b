"""How long a backfill waits for the loader, and what it waits for."""

import threading

import pytest

from operator_cli.backfilling.errors import LoaderIdleError
from operator_cli.backfilling.in_flight import InFlightLimit
from operator_cli.backfilling.segments import InFlight


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


def in_flight(objects, *, refused=None, arrived=0):
    return InFlight(objects, refused or {}, tuple("s3://b/k" for _ in range(objects)), arrived)


def a_limit(*answers, patience_seconds=10.0):
    """Return a limit that gets *answers* one after the other, the last one for ever, and its clock."""
    clock, left = Clock(), list(answers)

    def settle():
        return left.pop(0) if len(left) > 1 else left[0]

    limit = InFlightLimit(
        settle,
        patience_seconds=patience_seconds,
        stopping=threading.Event(),
        monotonic=clock,
        wait=clock.wait,
    )
    return limit, clock


def test_nobody_waits_while_no_more_is_in_flight_than_may_be():
    limit, clock = a_limit(in_flight(3))

    assert (limit.hold(most=3), clock.now) == (in_flight(3), 0.0)


def test_more_than_may_be_is_waited_for():
    limit, clock = a_limit(in_flight(5), in_flight(4, arrived=1), in_flight(3, arrived=2))

    assert (limit.hold(most=3), clock.now) == (in_flight(3, arrived=2), 1.0)


def test_a_loader_that_loads_nothing_for_too_long_is_named_with_an_object():
    limit, clock = a_limit(in_flight(5))

    with pytest.raises(LoaderIdleError, match=r"5 objects are written, such as s3://b/k, and for 10 s none was loaded"):
        limit.hold(most=3)
    assert clock.now == 10.0


def test_a_slow_loader_is_no_idle_one():
    answers = [in_flight(50 - number, arrived=number) for number in range(48)]
    limit, _ = a_limit(*answers, patience_seconds=1.0)

    assert limit.hold(most=3).objects == 3


def test_what_the_loader_refuses_is_not_waited_for():
    limit, clock = a_limit(in_flight(5, refused={1: 2, 4: 3}))

    assert (limit.hold(most=0).objects, clock.now) == (5, 0.0)


def test_the_time_that_a_thread_spent_on_reading_is_no_time_of_an_idle_loader():
    limit, clock = a_limit(in_flight(0), in_flight(5), in_flight(2, arrived=3))
    limit.hold(most=3)
    clock.now += 1000

    assert limit.hold(most=3).objects == 2


def test_time_that_is_up_ends_the_wait():
    limit, clock = a_limit(in_flight(5))

    assert (limit.hold(most=0, seconds=2.0).objects, clock.now) == (5, 2.0)


def test_nothing_is_waited_for_once_the_work_is_stopped():
    stopping = threading.Event()
    stopping.set()
    limit = InFlightLimit(lambda: in_flight(5), patience_seconds=10, stopping=stopping)

    assert limit.hold(most=0).objects == 5
