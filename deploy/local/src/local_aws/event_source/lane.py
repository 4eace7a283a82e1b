"""
The records of some items of one shard, on their way through a function: one batch at a time, in order.

A shard has as many lanes as its mapping's parallelisation factor. This is the part that decides; it reads no clock and
calls nobody.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from local_aws.event_source.outcome import FailedFrom, FailedWhole, NotRun, Outcome, Succeeded
from local_aws.event_source.records import MAX_EVENT_BYTES, StreamRecord, event_bytes
from local_aws.event_source.settings import MappingSettings
from local_aws.functions import Invocation

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are given to the function together, and what became of that so far."""

    records: tuple[StreamRecord, ...]
    invocations: int = 0
    failures: int = 0
    """How many invocations count against the retry limit: splitting a batch uses up none."""
    throttles: int = 0
    not_before: float = 0
    last: Invocation | None = None


@dataclass(frozen=True, slots=True)
class Invoke:
    """Give *batch* to the function, then settle it."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Discard:
    """Hand *batch* to the on-failure destination, then say that it is discarded."""

    batch: Batch
    condition: str


class Lane:
    """Cut batches, and decide after each answer what comes next. Not safe to share between threads."""

    def __init__(self, settings: MappingSettings, *, delay: Callable[[int], float]) -> None:
        """Wait *delay*(n) seconds before the try that follows n failures in a row."""
        self._settings = settings
        self._delay = delay
        self._waiting: deque[StreamRecord] = deque()
        self._waiting_bytes = 0
        self._window_ends = 0.0
        self._batches: deque[Batch] = deque()
        self._closed = False

    @property
    def empty(self) -> bool:
        """Whether every record that was offered is done or discarded."""
        return not self._waiting and not self._batches

    @property
    def finished(self) -> bool:
        """Whether nothing is left and nothing will come."""
        return self._closed and self.empty

    def offer(self, records: Iterable[StreamRecord], *, now: float) -> None:
        """Take *records*, which follow all that came before."""
        for record in records:
            if not self._waiting:
                self._window_ends = now + self._settings.maximum_batching_window_seconds
            self._waiting.append(record)
            self._waiting_bytes += record.size_bytes

    def close(self) -> None:
        """Say that no record follows, so that the last batch need not wait for its window."""
        self._closed = True

    def step(self, *, now: float) -> Invoke | Discard | None:
        """Return what to do now; the same answer until it is settled. None: wait, at most until `wakes_at`."""
        if not self._batches:
            if not self._ready(now):
                return None
            self._batches.append(Batch(self._cut()))
        batch = self._batches[0]
        expired = self._expired(batch, now)
        if expired:
            if expired < len(batch.records):
                self._batches[0] = replace(batch, records=batch.records[expired:])
                batch = replace(batch, records=batch.records[:expired])
                self._batches.appendleft(batch)
            return Discard(batch, TOO_OLD)
        if 0 <= self._settings.maximum_retry_attempts < batch.failures:
            return Discard(batch, RETRIES_EXHAUSTED)
        return Invoke(batch) if now >= batch.not_before else None

    @property
    def wakes_at(self) -> float | None:
        """When `step` has something to do at the latest, if nothing is offered before; None: never."""
        if self._batches:
            age = self._settings.maximum_record_age_seconds
            retry_at = self._batches[0].not_before
            return retry_at if age < 0 else min(retry_at, self._batches[0].records[0].created_at + age)
        return self._window_ends if self._waiting else None

    def settle(self, outcome: Outcome, invocation: Invocation, *, now: float) -> tuple[StreamRecord, ...]:
        """Take the *outcome* of the batch in hand and return the records that are done."""
        tried = self._batches.popleft()
        batch = replace(tried, last=invocation, invocations=tried.invocations + 1, throttles=0)
        match outcome:
            case Succeeded():
                return batch.records
            case NotRun():
                throttles = tried.throttles + 1
                self._batches.appendleft(replace(tried, throttles=throttles, not_before=now + self._delay(throttles)))
                return ()
            case FailedFrom(sequence):
                done = tuple(record for record in batch.records if record.sequence < sequence)
                rest = replace(batch, records=batch.records[len(done) :])
                # With bisection on, an answer with failures splits the batch there, and a split is no retry. A split
                # before the first record leaves the same batch, so that one counts.
                split = bool(done) and self._settings.bisect_batch_on_function_error
                self._batches.appendleft(rest if split else self._failed(rest, now))
                return done
            case FailedWhole():
                if self._settings.bisect_batch_on_function_error and len(batch.records) > 1:
                    middle = len(batch.records) // 2
                    self._batches.appendleft(replace(batch, records=batch.records[middle:]))
                    self._batches.appendleft(replace(batch, records=batch.records[:middle]))
                else:
                    self._batches.appendleft(self._failed(batch, now))
                return ()

    def discarded(self) -> tuple[StreamRecord, ...]:
        """Say that the batch in hand is discarded, and return its records."""
        return self._batches.popleft().records

    def _failed(self, batch: Batch, now: float) -> Batch:
        failures = batch.failures + 1
        return replace(batch, failures=failures, not_before=now + self._delay(failures))

    def _expired(self, batch: Batch, now: float) -> int:
        """Return how many records at the start of *batch* are older than allowed."""
        age = self._settings.maximum_record_age_seconds
        if age < 0:
            return 0
        expired = 0
        for record in batch.records:
            if now - record.created_at < age:
                break
            expired += 1
        return expired

    def _ready(self, now: float) -> bool:
        if not self._waiting:
            return False
        full = len(self._waiting) >= self._settings.batch_size
        heavy = event_bytes(len(self._waiting), self._waiting_bytes) >= MAX_EVENT_BYTES
        return full or heavy or self._closed or now >= self._window_ends

    def _cut(self) -> tuple[StreamRecord, ...]:
        taken: list[StreamRecord] = []
        taken_bytes = 0
        while self._waiting and len(taken) < self._settings.batch_size:
            grown = taken_bytes + self._waiting[0].size_bytes
            if taken and event_bytes(len(taken) + 1, grown) > MAX_EVENT_BYTES:
                break
            taken.append(self._waiting.popleft())
            taken_bytes = grown
        self._waiting_bytes -= taken_bytes
        return tuple(taken)
