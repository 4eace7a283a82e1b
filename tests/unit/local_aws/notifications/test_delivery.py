import pytest

from local_aws.functions import FunctionError, Invocation
from local_aws.notifications.delivery import AsynchronousSettings, QueuedEvent, after, before

DONE = Invocation("r")
BROKEN = Invocation("r", error=FunctionError("Unhandled", "ValueError", "boom"))
LATE = Invocation("r", error=FunctionError("TimedOut", "Sandbox.Timedout", "late"))
BUSY = Invocation("r", error=FunctionError("Throttled", "TooManyRequestsException", "busy"))


def an_event(**values):
    return QueuedEvent(**{"event": {"Records": [1]}, "queued_at": 0.0, "due": 0.0, **values})


def story(*answers, settings=None, now=0.0):
    """Let each answer come when its turn is; return when the turns were, and what is left in the end."""
    settings = settings or AsynchronousSettings()
    event, turns = an_event(), []
    for answer in answers:
        turns.append(now)
        event = after(before(event, settings=settings, now=now), answer, settings=settings, now=now)
        if event is None:
            break
        now = event.due
    return turns, event


def test_a_success_ends_the_event():
    assert story(DONE) == ([0], None)


@pytest.mark.parametrize("error", [BROKEN, LATE])
def test_a_function_error_is_retried_twice_after_about_one_and_two_minutes(error):
    turns, left = story(error, error, error)

    assert turns == [0, 60, 180]
    assert left == an_event(due=180, invocations=3, last=error, condition="RetriesExhausted")


@pytest.mark.parametrize(("attempts", "turns"), [(0, [0]), (1, [0, 60])])
def test_the_number_of_retries_can_be_lowered(attempts, turns):
    answers = [BROKEN] * len(turns)

    seen, left = story(*answers, settings=AsynchronousSettings(maximum_retry_attempts=attempts))

    assert seen == turns
    assert (left.condition, left.invocations) == ("RetriesExhausted", len(turns))


def test_a_throttle_is_requeued_from_1_second_to_5_minutes_and_uses_up_no_retry():
    turns, left = story(*[BUSY] * 12)

    assert turns == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111]
    assert (left.invocations, left.condition) == (0, None)


def test_an_event_that_is_too_old_is_given_up_with_its_last_answer():
    settings = AsynchronousSettings(maximum_event_age_seconds=60)
    _, waiting = story(BROKEN, settings=settings)

    assert before(waiting, settings=settings, now=59.9) == waiting
    assert before(waiting, settings=settings, now=60) == an_event(
        due=60, invocations=1, last=BROKEN, condition="EventAgeExceeded"
    )


def test_a_throttled_event_is_given_up_after_six_hours():
    settings = AsynchronousSettings()

    assert before(an_event(), settings=settings, now=21_599).condition is None
    assert before(an_event(), settings=settings, now=21_600).condition == "EventAgeExceeded"


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("MaximumRetryAttempts", "maximum_retry_attempts", [-1, 3]),
        ("MaximumEventAgeInSeconds", "maximum_event_age_seconds", [59, 21_601]),
    ],
)
def test_a_setting_has_the_range_that_aws_gives_it(name, field, values):
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} must be"):
            AsynchronousSettings(**{field: value})


def test_all_wrong_settings_are_reported_at_once():
    with pytest.raises(ValueError, match="must be") as caught:
        AsynchronousSettings(maximum_retry_attempts=3, maximum_event_age_seconds=0, retry_delays_seconds=())

    assert str(caught.value) == (
        "MaximumRetryAttempts must be 0 to 2; MaximumEventAgeInSeconds must be 60 to 21600; "
        "retry_delays_seconds must have at least one delay, and none below 0"
    )
