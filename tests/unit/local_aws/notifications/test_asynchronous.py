import threading

import pytest

from local_aws.functions import FunctionError, Invocation
from local_aws.notifications.asynchronous import AsynchronousInvoker
from local_aws.notifications.counters import NotificationCounters
from local_aws.notifications.delivery import AsynchronousSettings
from local_aws.tally import Tally

PATIENCE_SECONDS = 20
BROKEN = FunctionError("Unhandled", "ValueError", "boom")
BUSY = FunctionError("Throttled", "TooManyRequestsException", "busy")


class ScriptedFunction:
    """Answer each call with the next of a script: None for success, an error, or an exception to raise."""

    name = "loader"
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:loader:$LATEST"

    def __init__(self, *script):
        self.script = list(script)

    def invoke(self, _event):
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Invocation("request", error=answer)


class ScriptedDestination:
    def __init__(self, refusals=0):
        self.refusals = refusals
        self.conditions = []

    def accept(self, failed):
        if self.refusals:
            self.refusals -= 1
            raise OSError
        self.conditions.append(failed.event.condition)


class FastClock:
    """A clock on which every look takes an hour, so that nothing has to be waited for."""

    def __init__(self, step_seconds=3600):
        self.now = 0.0
        self.step_seconds = step_seconds

    def __call__(self):
        self.now += self.step_seconds
        return self.now


@pytest.fixture
def run():
    """Put one event in the queue, wait until it is done, and return the counters."""
    invokers = []

    def until_done(function, *, destination=None, clock=None):
        tally, done = Tally(NotificationCounters), threading.Event()
        invoker = AsynchronousInvoker(
            function=function,
            settings=AsynchronousSettings(),
            on_failure=destination,
            max_concurrency=1,
            tally=tally,
            clock=clock or FastClock(step_seconds=200),
        )
        invokers.append(invoker)
        invoker.start()
        invoker.put({"Records": [1]}, queued_at=0, done=done.set)
        assert done.wait(PATIENCE_SECONDS)
        return tally.counters

    yield until_done
    for invoker in invokers:
        invoker.stop()


def test_an_event_that_succeeds_at_the_third_try_is_a_success(run):
    counters = run(ScriptedFunction(BROKEN, BROKEN, None))

    assert counters == NotificationCounters(succeeded=1, invocations=3, retries=2)


def test_throttles_are_counted_apart_and_use_up_no_retry(run):
    counters = run(ScriptedFunction(BUSY, BROKEN, BUSY, BROKEN, None))

    assert counters == NotificationCounters(succeeded=1, invocations=3, retries=2, throttles=2)


def test_without_a_destination_an_event_that_is_given_up_is_dropped(run):
    counters = run(ScriptedFunction(BROKEN, BROKEN, BROKEN))

    assert counters == NotificationCounters(dropped=1, invocations=3, retries=2)


def test_an_event_stays_until_the_destination_accepts_it(run):
    destination = ScriptedDestination(refusals=2)

    counters = run(ScriptedFunction(BROKEN, BROKEN, BROKEN), destination=destination)

    assert destination.conditions == ["RetriesExhausted"]
    assert counters == NotificationCounters(failed=1, invocations=3, retries=2, destination_errors=2)


def test_an_event_that_is_too_old_goes_to_the_destination_without_a_call(run):
    destination = ScriptedDestination()

    counters = run(ScriptedFunction(), destination=destination, clock=FastClock(step_seconds=21_600))

    assert destination.conditions == ["EventAgeExceeded"]
    assert counters == NotificationCounters(failed=1)


def test_a_function_that_raises_by_mistake_does_not_lose_the_event(run):
    counters = run(ScriptedFunction(RuntimeError("a bug in the caller"), None))

    assert counters == NotificationCounters(succeeded=1, invocations=1, throttles=1)
