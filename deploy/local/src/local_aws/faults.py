"""
Faults that a stand-in can be told to inject, so that the promise of the pipeline can be attacked.

Each fault has a name that is declared here. A `Faults` draws from one seeded generator, so that a run with the same
seed asks for the same faults, and counts what it struck.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from threading import Lock
from types import MappingProxyType
from typing import Final, TypeVar

T = TypeVar("T")

_CRASHES: Final = {
    "crash_before": "is killed before it has worked",
    "crash_during": "is killed while it works",
    "lose_answer": "finishes its work and dies before its answer is read",
}
_STAGES: Final = ("stream-processor", "firehose-transformer", "aurora-loader")

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "firehose.throttle_call": "a whole PutRecordBatch call is refused with ServiceUnavailableException",
        "firehose.refuse_record": "single records of a PutRecordBatch are refused",
        "firehose.lose_answer": "a call is accepted, then the connection breaks before the answer",
        "firehose.delay_delivery": "an object is written late",
        "firehose.duplicate_object": "the same records are delivered again in an object of another name",
        "firehose.reorder_records": "records reach the object in another order",
        **{f"function.{crash}": f"the process of a function {text}" for crash, text in _CRASHES.items()},
        **{
            f"{stage}.{crash}": f"the process of the {stage} {text}"
            for stage in _STAGES
            for crash, text in _CRASHES.items()
        },
        "stream.duplicate_batch": "a batch is delivered again after it succeeded",
        "notification.lose": "an event about a new object is lost",
        "notification.duplicate": "an event about a new object is delivered twice",
        "notification.delay": "an event about a new object arrives late",
        "loader.same_object": "two loaders are in a transaction for the same object at the same time",
        "database.drop_connection": "the connection of a loader breaks before a statement",
        "database.kill_connection": "an administrator kills the connection of a loader",
        "database.lock_timeout": "a statement is refused because its lock wait timed out",
        "database.lock_wait": "another session holds rows that a loader waits for",
        "database.deadlock": "another session locks rows in another order, and the server ends one transaction",
        "database.slow": "the server takes its time in the middle of a transaction",
        "database.read_only": "the server is read-only for a moment, as after a failover",
        "database.lose_commit": "the connection breaks when COMMIT is sent, and the server never hears it",
        "database.lose_commit_answer": "the server commits, then the connection breaks before the answer",
        "database.restart": "the server is shut down in order and started again",
        "database.crash": "the server is killed and started again",
    }
)

# How likely a fault is that has struck less often than it should have by now.
_CATCH_UP_RATE: Final = 0.5


class Faults:
    """Decide, reproducibly, whether a fault strikes; safe to share between threads."""

    def __init__(
        self,
        *,
        seed: int = 0,
        rates: Mapping[str, float] | None = None,
        pace: Callable[[], float] | None = None,
    ) -> None:
        """
        Inject each fault of *rates* with its probability; a fault that is not named never strikes.

        *pace* says how often each of them should have struck by now; one that is behind becomes likely.

        Raises:
            ValueError: A name is not declared in `FAULTS`, or a probability is outside 0 to 1.
        """
        self._rates = dict(rates or {})
        for name, rate in self._rates.items():
            if name not in FAULTS:
                raise ValueError(f"unknown fault {name!r}; known are {', '.join(sorted(FAULTS))}")
            if not 0 <= rate <= 1:
                raise ValueError(f"the rate of fault {name!r} is {rate}, which is not between 0 and 1")
        self._pace = pace
        self._random = Random(seed)  # noqa: S311 - reproducible faults, not secrets
        self._counts: Counter[str] = Counter()
        self._resting = False
        self._lock = Lock()

    def strikes(self, name: str) -> bool:
        """Say whether fault *name* strikes now, and count it when it does."""
        rate = self._rates.get(name)
        if rate is None or self._resting:
            return False
        if self.behind(name):
            rate = max(rate, _CATCH_UP_RATE)
        if not rate:
            return False
        with self._lock:
            struck = self._random.random() < rate
            if struck:
                self._counts[name] += 1
        return struck

    def struck(self, name: str) -> None:
        """Count a fault that was brought about without `strikes`."""
        with self._lock:
            self._counts[name] += 1

    def behind(self, name: str) -> bool:
        """Say whether *name* should have struck more often by now."""
        if self._pace is None or self._resting or name not in self._rates:
            return False
        return self._counts[name] < self._pace()

    def rest(self, *, resting: bool = True) -> None:
        """Let no fault strike until told otherwise."""
        self._resting = resting

    def of(self, stage: str) -> "Faults":
        """Return these faults as the function of *stage* meets them: `function.…` is then a fault of that stage."""
        return _StageFaults(self, stage) if self._rates else self

    def shuffle(self, values: list[T]) -> None:
        """Put *values* in another order, in place."""
        with self._lock:
            self._random.shuffle(values)

    def choice(self, values: Sequence[T]) -> T:
        """Return one of *values*."""
        with self._lock:
            return self._random.choice(values)

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each fault has struck."""
        with self._lock:
            return dict(self._counts)


class _StageFaults(Faults):
    """The faults of one stage's function, decided and counted by the whole."""

    def __init__(self, whole: Faults, stage: str) -> None:
        super().__init__()
        self._whole = whole
        self._stage = stage

    def strikes(self, name: str) -> bool:
        return self._whole.strikes(f"{self._stage}.{name.removeprefix('function.')}")


NO_FAULTS = Faults()
