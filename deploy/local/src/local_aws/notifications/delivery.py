"""
What Lambda does with one event of an asynchronous invocation, after each answer of the function.

This is the part that decides; it reads no clock and calls nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_aws.functions import Invocation

RETRIES_EXHAUSTED = "RetriesExhausted"
TOO_OLD = "EventAgeExceeded"
_RANGES: tuple[tuple[str, str, int, int], ...] = (
    ("MaximumRetryAttempts", "maximum_retry_attempts", 0, 2),
    ("MaximumEventAgeInSeconds", "maximum_event_age_seconds", 60, 21_600),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousSettings:
    """
    The settings of a function's asynchronous invocations; names, ranges and defaults are AWS's.

    The delays are AWS's too: about one minute before the first retry and two before the second; after throttles
    from 1 s, doubling, to 5 minutes. On a laptop they can be shorter.

    Raises:
        ValueError: Settings are out of range; the text names all of them.
    """

    maximum_retry_attempts: int = 2
    maximum_event_age_seconds: int = 21_600
    retry_delays_seconds: tuple[float, ...] = (60, 120)
    throttle_delay_seconds: float = 1
    maximum_throttle_delay_seconds: float = 300

    def __post_init__(self) -> None:
        """Check every setting, then report all that are wrong together."""
        wrong = [
            f"{name} must be {low} to {high}"
            for name, field, low, high in _RANGES
            if not low <= getattr(self, field) <= high
        ]
        if not self.retry_delays_seconds or min(self.retry_delays_seconds) < 0:
            wrong.append("retry_delays_seconds must have at least one delay, and none below 0")
        if wrong:
            raise ValueError("; ".join(wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    """One event in the asynchronous queue, and what became of it so far."""

    event: Mapping[str, Any]
    queued_at: float
    due: float
    invocations: int = 0
    throttles: int = 0
    last: Invocation | None = None
    condition: str | None = None
    """Why the event is given up; it then waits only for the on-failure destination to take it."""


def before(event: QueuedEvent, *, settings: AsynchronousSettings, now: float) -> QueuedEvent:
    """Return the event as it is when its turn comes: given up when it has become too old in the queue."""
    if event.condition is None and now - event.queued_at >= settings.maximum_event_age_seconds:
        return replace(event, condition=TOO_OLD)
    return event


def after(
    event: QueuedEvent, invocation: Invocation, *, settings: AsynchronousSettings, now: float
) -> QueuedEvent | None:
    """Return what stays in the queue after *invocation*: None when the function succeeded."""
    if invocation.error is None:
        return None
    if invocation.error.kind in {"Throttled", "NotFound"}:
        # A throttled event goes back to the queue without using up a retry, until it is too old.
        delay = settings.throttle_delay_seconds * 2 ** min(event.throttles, 32)
        due = now + min(delay, settings.maximum_throttle_delay_seconds)
        return replace(event, throttles=event.throttles + 1, due=due)
    tried = replace(event, invocations=event.invocations + 1, throttles=0, last=invocation)
    if event.invocations >= settings.maximum_retry_attempts:
        return replace(tried, condition=RETRIES_EXHAUSTED, due=now)
    delays = settings.retry_delays_seconds
    return replace(tried, due=now + delays[min(event.invocations, len(delays) - 1)])
