"""What a mapping has done so far."""

from collections import Counter
from dataclasses import dataclass, fields
from threading import Lock


@dataclass(frozen=True, slots=True)
class MappingCounters:
    """Counts since the start; `records_read == records_succeeded + records_discarded + what is under way`."""

    records_read: int = 0
    records_succeeded: int = 0
    records_discarded: int = 0
    batches_succeeded: int = 0
    batches_discarded: int = 0
    batches_duplicated: int = 0
    """Batches that a fault delivered again."""
    invocations: int = 0
    retries: int = 0
    """Invocations that did not make their whole batch succeed, so that something had to be tried again or given up."""
    throttles: int = 0
    destination_errors: int = 0
    read_errors: int = 0


class Tally:
    """Count what several threads do."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def add(self, **amounts: int) -> None:
        """Add to counters by name."""
        with self._lock:
            self._counts.update(amounts)

    @property
    def counters(self) -> MappingCounters:
        """All counts at this moment."""
        with self._lock:
            return MappingCounters(**{field.name: self._counts[field.name] for field in fields(MappingCounters)})
