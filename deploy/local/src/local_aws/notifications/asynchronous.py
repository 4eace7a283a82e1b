"""The queue between an asynchronous invocation and the function, with the threads that empty it."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_aws.functions import Function, FunctionError, Invocation
from local_aws.notifications.counters import NotificationCounters
from local_aws.notifications.delivery import AsynchronousSettings, QueuedEvent, after, before
from local_aws.notifications.on_failure import Destination, FailedEvent
from local_aws.tally import Tally

_LOG = logging.getLogger(__name__)
_DESTINATION_DELAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    due: float
    order: int
    event: QueuedEvent
    done: Callable[[], None]


class AsynchronousInvoker:
    """
    Invoke *function* for events that nobody waits for, with Lambda's retries, up to *max_concurrency* at a time.

    An event is done when the function succeeded, when the on-failure destination has it, or when it is given up and
    there is no destination.
    """

    def __init__(
        self,
        *,
        function: Function,
        settings: AsynchronousSettings,
        on_failure: Destination | None,
        max_concurrency: int,
        tally: Tally[NotificationCounters],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._function = function
        self._settings = settings
        self._on_failure = on_failure
        self._tally = tally
        self._clock = clock
        self._order = itertools.count()
        self._queue: list[_Entry] = []
        self._stopping = False
        self._changed = threading.Condition()
        self._workers = [
            threading.Thread(target=self._work, name=f"{function.name} invoker", daemon=True)
            for _ in range(max_concurrency)
        ]

    def start(self) -> None:
        """Begin to invoke the function."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Start no invocation, and wait for those that run; events that are not done are forgotten."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for worker in self._workers:
            if worker.ident is not None:
                worker.join()

    def put(
        self, event: Mapping[str, Any], *, queued_at: float, done: Callable[[], None], delay_seconds: float = 0
    ) -> None:
        """Add *event*; *done* is called, from another thread, when it is done."""
        queued = QueuedEvent(event=event, queued_at=queued_at, due=self._clock() + delay_seconds)
        self._put(queued, done)

    def _put(self, event: QueuedEvent, done: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._queue, _Entry(event.due, next(self._order), event, done))
            self._changed.notify()

    def _work(self) -> None:
        while (entry := self._next()) is not None:
            kept = self._handle(before(entry.event, settings=self._settings, now=self._clock()))
            if kept is None:
                entry.done()
            else:
                self._put(kept, entry.done)

    def _next(self) -> _Entry | None:
        """Wait for the next event that is due; None when no more will be handled."""
        with self._changed:
            while not self._stopping:
                wait_seconds = self._queue[0].due - self._clock() if self._queue else None
                if wait_seconds is not None and wait_seconds <= 0:
                    return heapq.heappop(self._queue)
                self._changed.wait(wait_seconds)
            return None

    def _handle(self, event: QueuedEvent) -> QueuedEvent | None:
        """Bring *event* one step on; return what stays in the queue of it."""
        if event.condition is not None:
            return self._give_up(event)
        invocation = self._invoke(event)
        kept = after(event, invocation, settings=self._settings, now=self._clock())
        if kept is None:
            self._tally.add(invocations=1, succeeded=1)
        elif kept.invocations == event.invocations:
            self._tally.add(throttles=1)
        elif kept.condition is None:
            self._tally.add(invocations=1, retries=1)
        else:
            self._tally.add(invocations=1)
            return self._give_up(kept)
        return kept

    def _invoke(self, event: QueuedEvent) -> Invocation:
        try:
            return self._function.invoke(event.event)
        except Exception as error:  # noqa: BLE001 - see below
            # As after an error of Lambda itself: the event stays in the queue.
            _LOG.exception("the function could not be invoked", extra={"function": self._function.name})
            return Invocation(request_id="", error=FunctionError("Throttled", type(error).__name__, str(error)))

    def _give_up(self, event: QueuedEvent) -> QueuedEvent | None:
        if self._on_failure is None:
            self._tally.add(dropped=1)
            return None
        failed = FailedEvent(
            event=event, function_name=self._function.name, function_arn=self._function.arn, at=self._clock()
        )
        try:
            self._on_failure.accept(failed)
        except Exception:  # noqa: BLE001 - see below
            # A destination that refuses is asked again: the event is in no other place than this queue.
            _LOG.exception("the on-failure destination refused an event", extra={"function": self._function.name})
            self._tally.add(destination_errors=1)
            return replace(event, due=self._clock() + _DESTINATION_DELAY_SECONDS)
        self._tally.add(failed=1)
        return None
