"""Counters of a stand-in: counted by several threads, read as one frozen dataclass."""

from collections import Counter
from dataclasses import fields
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Counters = TypeVar("Counters", bound=DataclassInstance)
else:
    Counters = TypeVar("Counters")


class Tally(Generic[Counters]):
    """Count what several threads do, by the names of a dataclass of counters."""

    def __init__(self, kind: type[Counters]) -> None:
        self._kind = kind
        self._names = tuple(field.name for field in fields(kind))
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def add(self, **amounts: int) -> None:
        """Add to counters by name."""
        with self._lock:
            self._counts.update(amounts)

    @property
    def counters(self) -> Counters:
        """All counts at this moment."""
        with self._lock:
            counts: dict[str, Any] = {name: self._counts[name] for name in self._names}
        return self._kind(**counts)
