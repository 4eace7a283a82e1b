"""Say what is due when: the buffers of a stream, without a clock, a thread or a destination."""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from local_aws.firehose.records import Part

T = TypeVar("T")
DUE_NOW = float("-inf")


@dataclass(frozen=True, slots=True)
class Hints:
    """When a buffer is due: at this size, or when its oldest entry is this old."""

    size_bytes: int
    interval_seconds: float


class Buffer(Generic[T]):
    """Entries in the order they came, due by size or by age, whichever is first."""

    def __init__(self, hints: Hints, *, most_weight: int | None = None) -> None:
        """Follow *hints*; never take entries that weigh more than *most_weight* together, unless one alone does."""
        self.hints = hints
        self._most_weight = most_weight
        self._entries: deque[tuple[float, int, int, T]] = deque()
        self._size = 0
        self._weight = 0

    def add(self, entry: T, *, size: int, now: float, weight: int = 0) -> None:
        """Append *entry* of *size* bytes."""
        self._entries.append((now, size, weight, entry))
        self._size += size
        self._weight += weight

    def due_at(self) -> float | None:
        """Return the time at which the next take is due, `DUE_NOW` if it is full, None if it is empty."""
        if not self._entries:
            return None
        if self._size >= self.hints.size_bytes or (self._most_weight is not None and self._weight >= self._most_weight):
            return DUE_NOW
        return self._entries[0][0] + self.hints.interval_seconds

    def take(self) -> list[T]:
        """Remove and return the oldest entries, up to the one that reaches the size."""
        taken: list[T] = []
        size = weight = 0
        while self._entries and size < self.hints.size_bytes:
            _, entry_size, entry_weight, entry = self._entries[0]
            if taken and self._most_weight is not None and weight + entry_weight > self._most_weight:
                break
            self._entries.popleft()
            size += entry_size
            weight += entry_weight
            taken.append(entry)
        self._size -= size
        self._weight -= weight
        return taken


@dataclass(frozen=True, slots=True)
class Shipment:
    """The parts of one object; *attempts* counts the ones that failed, *delayed* says that it was held back once."""

    parts: tuple[Part, ...]
    attempts: int = 0
    delayed: bool = False

    @property
    def oldest_arrival_ms(self) -> int:
        """When the oldest of its records arrived."""
        return min(part.arrival_ms for part in self.parts)


class Outbox:
    """What waits to become objects of one kind: a buffer, and shipments that wait for another attempt."""

    def __init__(self, hints: Hints) -> None:
        """Buffer by *hints*."""
        self.buffer: Buffer[Part] = Buffer(hints)
        self._held: list[tuple[float, int, Shipment]] = []
        self._holds = 0

    def add(self, parts: Iterable[Part], *, now: float) -> None:
        """Buffer *parts*."""
        for part in parts:
            self.buffer.add(part, size=len(part.data), now=now)

    def hold(self, shipment: Shipment, *, until: float) -> None:
        """Keep *shipment* until it is time for another attempt."""
        self._holds += 1
        heapq.heappush(self._held, (until, self._holds, shipment))

    def due_at(self, *, flushing: bool) -> float | None:
        """Return when the next shipment is due; what is buffered is due at once while *flushing*."""
        buffered = self.buffer.due_at()
        if flushing and buffered is not None:
            buffered = DUE_NOW
        times: Sequence[float] = [
            time for time in (buffered, self._held[0][0] if self._held else None) if time is not None
        ]
        return min(times, default=None)

    def take(self, *, now: float, flushing: bool) -> Shipment | None:
        """Return the next shipment that is due at *now*, if any."""
        if self._held and self._held[0][0] <= now:
            return heapq.heappop(self._held)[2]
        due = self.buffer.due_at()
        if due is not None and (flushing or due <= now):
            return Shipment(tuple(self.buffer.take()))
        return None
