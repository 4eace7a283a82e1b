"""
Faults that a stand-in can be told to inject, so that the promise of the pipeline can be attacked.

Each fault has a name that is declared here. A `Faults` draws from one seeded generator, so that a run with the same
seed asks for the same faults, and counts what it struck.
"""

from collections import Counter
from collections.abc import Mapping
from random import Random
from threading import Lock
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "firehose.throttle_call": "a whole PutRecordBatch call is refused with ServiceUnavailableException",
        "firehose.refuse_record": "single records of a PutRecordBatch are refused",
        "firehose.lose_answer": "a call is accepted, then the connection breaks before the answer",
        "firehose.delay_delivery": "an object is written late",
        "firehose.duplicate_object": "the same records are delivered again in an object of another name",
        "firehose.reorder_records": "records reach the object in another order",
        "function.crash_before": "the function's process is killed before it has worked",
        "function.crash_during": "the function's process is killed while it works",
        "function.lose_answer": "the function finishes its work, and its process dies before the answer is read",
        "stream.duplicate_batch": "a batch is delivered again after it succeeded",
        "notification.lose": "an event about a new object is lost",
        "notification.duplicate": "an event about a new object is delivered twice",
        "notification.delay": "an event about a new object arrives late",
    }
)


class Faults:
    """Decide, reproducibly, whether a fault strikes; safe to share between threads."""

    def __init__(self, *, seed: int = 0, rates: Mapping[str, float] | None = None) -> None:
        """
        Inject each fault of *rates* with its probability; a fault that is not named never strikes.

        Raises:
            ValueError: A name is not declared in `FAULTS`, or a probability is outside 0 to 1.
        """
        self._rates = dict(rates or {})
        for name, rate in self._rates.items():
            if name not in FAULTS:
                raise ValueError(f"unknown fault {name!r}; known are {', '.join(sorted(FAULTS))}")
            if not 0 <= rate <= 1:
                raise ValueError(f"the rate of fault {name!r} is {rate}, which is not between 0 and 1")
        self._random = Random(seed)  # noqa: S311 - reproducible faults, not secrets
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def strikes(self, name: str) -> bool:
        """Say whether fault *name* strikes now, and count it when it does."""
        rate = self._rates.get(name, 0.0)
        if not rate:
            return False
        with self._lock:
            struck = self._random.random() < rate
            if struck:
                self._counts[name] += 1
        return struck

    def shuffle(self, values: list[T]) -> None:
        """Put *values* in another order, in place."""
        with self._lock:
            self._random.shuffle(values)

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each fault has struck."""
        with self._lock:
            return dict(self._counts)


NO_FAULTS = Faults()
