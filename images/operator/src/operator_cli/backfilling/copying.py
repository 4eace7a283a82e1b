"""
Read segments, map their items, write objects, move checkpoints: in threads, each with one segment at a time.

The order is the promise: an object is in S3 before the checkpoint moves behind its items, and the checkpoint holds the
time that the rows of the next object get before the first of their items is asked for. So a process that is killed at
any point is gone on with from the last checkpoint; what was written and not noted is written again, under the same name
where the items are the same. What a thread holds is one object, twice while it is sent, and one page.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Final, Protocol, TypeVar

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.errors import RetryError
from operator_cli.backfilling.in_flight import InFlightLimit
from operator_cli.backfilling.items import Gathering, ItemMapper
from operator_cli.backfilling.reading import Portion, Reading
from operator_cli.backfilling.segments import Run, Segment

_T = TypeVar("_T")

# Rows wait no longer for their object to fill, and a checkpoint's time is used no longer than this.
LONGEST_GATHERING_MS: Final = 300_000
_MOST_TRIES: Final = 6
_FIRST_PAUSE_SECONDS: Final = 1.0


class Notes(Protocol):
    """Where checkpoints are kept; see `runs.Runs`."""

    def note_time(self, run: Run, segment: Segment) -> None:
        """Keep the time that the next object's rows get."""
        ...

    def advance(self, run: Run, segment: Segment, ref: ObjectRef | None, *, at_ms: int) -> None:
        """Keep how far a segment is."""
        ...


class Watcher(Protocol):
    """Who is told how a backfill gets on; called by several threads."""

    def read(self, *, items: int, rejected: int) -> None:
        """Some items were read, and some of them do not map."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is done at a time: *threads*, the size of an object, and how many objects may wait for the loader."""

    threads: int
    object_bytes: int
    in_flight: int


class Copying:
    """The copying of one run."""

    def __init__(
        self,
        run: Run,
        *,
        reading: Reading,
        mapper: ItemMapper,
        write: Callable[[Gathering], ObjectRef | None],
        notes: Notes,
        limit: InFlightLimit,
        bounds: Bounds,
        watcher: Watcher,
        stopping: threading.Event,
        now_ms: Callable[[], int],
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """
        Copy what is left of *run*; *write* returns when S3 has what it was given.

        When *stopping* is set, the threads write what they hold and end. *pause* waits for some seconds between tries.
        """
        self._run = run
        self._reading = reading
        self._mapper = mapper
        self._write = write
        self._notes = notes
        self._limit = limit
        self._bounds = bounds
        self._watcher = watcher
        self._stopping = stopping
        self._now_ms = now_ms
        self._pause = pause or stopping.wait

    def run(self, *, seconds: float | None = None) -> None:
        """
        Copy until every segment is written, *stopping* is set, or so many *seconds* are over.

        Raises:
            RetryError: A service does not answer; the run may be gone on with.
            HaltError: Someone has to act; the run may be gone on with then.
        """
        waiting: SimpleQueue[Segment] = SimpleQueue()
        for segment in self._run.segments:
            if segment.state == "reading":
                waiting.put(segment)
        with ThreadPoolExecutor(self._bounds.threads, thread_name_prefix="backfill") as executor:
            try:
                working = [executor.submit(self._work_on, waiting) for _ in range(self._bounds.threads)]
                wait(working, timeout=seconds)
            finally:
                # The time is up, a thread failed, or Ctrl-C: what the others hold is written, and no more is read.
                if any(segment.state == "reading" for segment in self._run.segments):
                    self._stop()
                executor.shutdown(cancel_futures=True)
            for worker in working:
                worker.result()

    def _stop(self) -> None:
        self._stopping.set()
        self._reading.hurry()

    def _work_on(self, waiting: "SimpleQueue[Segment]") -> None:
        while not self._stopping.is_set():
            try:
                segment = waiting.get_nowait()
            except Empty:
                return
            try:
                self._limit.hold(most=self._bounds.in_flight)
                self._copy(segment)
            except BaseException:
                # The others need not go on; what they hold is written first.
                self._stop()
                raise

    def _copy(self, segment: Segment) -> None:
        if self._stopping.is_set():
            return
        gathering = self._begin(segment)
        for portion in self._portions(segment):
            before = gathering.reasons.total()
            gathering.add(portion.items)
            self._watcher.read(items=len(portion.items), rejected=gathering.reasons.total() - before)
            is_last = portion.resume_at is None
            if not (is_last or self._is_full(gathering) or self._stopping.is_set()):
                continue
            self._keep(segment, gathering, portion)
            if is_last or self._stopping.is_set():
                return
            self._limit.hold(most=self._bounds.in_flight)
            if self._stopping.is_set():
                return
            gathering = self._begin(segment)

    def _begin(self, segment: Segment) -> Gathering:
        if self._reading.read_at_ms is not None:
            return Gathering(self._mapper, at_ms=self._reading.read_at_ms)
        now_ms = self._now_ms()
        if segment.since_ms is None or not 0 <= now_ms - segment.since_ms <= LONGEST_GATHERING_MS:
            segment.since_ms = now_ms
            self._patiently(lambda: self._notes.note_time(self._run, segment))
        return Gathering(self._mapper, at_ms=segment.since_ms)

    def _is_full(self, gathering: Gathering) -> bool:
        is_old = self._reading.read_at_ms is None and self._now_ms() - gathering.at_ms > LONGEST_GATHERING_MS
        return is_old or gathering.size >= self._bounds.object_bytes

    def _keep(self, segment: Segment, gathering: Gathering, portion: Portion) -> None:
        ref = self._patiently(lambda: self._write(gathering))
        moved = replace(
            segment,
            resume_at=portion.resume_at,
            # Now, and not when the next page is asked for: it has to be in the checkpoint before that.
            since_ms=self._now_ms(),
            items=segment.items + gathering.items,
            objects=segment.objects + (ref is not None),
            read_units=segment.read_units + self._reading.take_spent(),
            reasons=segment.reasons + gathering.reasons,
            state="written" if portion.resume_at is None else "reading",
        )
        self._patiently(lambda: self._notes.advance(self._run, moved, ref, at_ms=gathering.at_ms))
        for name in ("resume_at", "since_ms", "items", "objects", "read_units", "reasons", "state"):
            setattr(segment, name, getattr(moved, name))

    def _portions(self, segment: Segment) -> Iterator[Portion]:
        """Yield the portions that are left of *segment*, from the last one on again when its source fails."""
        resume_at, tries = segment.resume_at, 0
        while True:
            try:
                for portion in self._reading.portions(segment.number, resume_at=resume_at):
                    tries = 0
                    yield portion
                    resume_at = portion.resume_at
            except RetryError as error:
                tries += 1
                self._pause_or_raise(error, tries)
            else:
                return

    def _patiently(self, action: Callable[[], _T]) -> _T:
        tries = 0
        while True:
            try:
                return action()
            except RetryError as error:
                tries += 1
                self._pause_or_raise(error, tries)

    def _pause_or_raise(self, error: RetryError, tries: int) -> None:
        """Wait before the next try, or raise *error* when there is none."""
        if tries >= _MOST_TRIES or self._stopping.is_set():
            raise error
        self._pause(_FIRST_PAUSE_SECONDS * 2 ** (tries - 1))


def now_ms() -> int:
    """Return the time of this machine (ms since 1970)."""
    return time.time_ns() // 1_000_000
