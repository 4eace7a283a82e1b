"""Offer so many changes a second, and see how many are carried and how fresh their rows are."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name
from paths.processes import cpu_seconds
from paths.writing import BATCH, WRITERS, Writers, Written

SECONDS: Final = 8
_WATCHED: Final = 300
_LOOK_SECONDS: Final = 0.05
_DEADLINE_SECONDS: Final = 60
_WARMING_RATE: Final = 100
_KEPT_UP: Final = 0.95
_LONGEST_TAIL_SECONDS: Final = 3


class Carrier(NamedTuple):
    """What carries changes: the *environment* that reaches its table, a way to its database, its CPU time so far."""

    environment: Mapping[str, str]
    connect: Callable[[], Any]
    cpu_seconds: Callable[[], Mapping[str, float]] = cpu_seconds


class Target:
    """The rows of a pipeline's target, looked at over a connection of its own."""

    def __init__(self, pipeline: Pipeline, connect: Callable[[], Any]) -> None:
        self._table = quote_name(pipeline.target_database, pipeline.target_table)
        self._names = ", ".join(quote_name(column.name) for column in pipeline.key_columns)
        self._connect = connect

    def __enter__(self) -> Self:
        self._connection = self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {self._table}")  # noqa: S608 - quoted
            return int(cursor.fetchone()[0])

    def there(self, keys: Sequence[tuple[str, ...]]) -> set[tuple[str, ...]]:
        with self._connection.cursor() as cursor:
            statement = f"SELECT {self._names} FROM {self._table} WHERE ({self._names}) IN %s"  # noqa: S608 - quoted
            cursor.execute(statement, (tuple(keys),))
            return set(cursor.fetchall())


class Watch:
    """Look for rows until all are there, or until it is ended."""

    def __init__(self, target: Target, keys: Sequence[tuple[str, ...]]) -> None:
        self._target, self._keys = target, list(keys)
        self.seen: dict[tuple[str, ...], float] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join()

    def wait(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _look(self) -> None:
        with self._target as target:
            while self._keys and not self._ending.wait(_LOOK_SECONDS):
                there = target.there(self._keys)
                now = time.monotonic()
                self.seen |= dict.fromkeys(there, now)
                self._keys = [key for key in self._keys if key not in there]


def offer_rising(
    pipeline: Pipeline,
    carrier: Carrier,
    rates: Sequence[int],
    *,
    buffer_seconds: int,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """
    Offer *rates* one after the other, after some changes that warm up, and return the steps, up to the knee.

    The knee is where the table takes less than is offered, or the rows fall behind by more than three seconds beyond
    the buffer.
    """
    first = _offer(pipeline, carrier, rate=_WARMING_RATE, first=0)["count"]
    steps = []
    for rate in rates:
        say(f"{rate} changes a second")
        step = _offer(pipeline, carrier, rate=rate, first=first)
        first += step["count"]
        steps.append(step)
        has_fallen_behind = step["tail_seconds"] > buffer_seconds + _LONGEST_TAIL_SECONDS
        if step["offered"] < _KEPT_UP * rate or has_fallen_behind:
            break
    return steps


def _offer(pipeline: Pipeline, carrier: Carrier, *, rate: int, first: int) -> dict[str, Any]:
    """
    Put new items for some seconds, *rate* a second, numbered from *first*, and wait for the last row.

    Returns what was offered and carried (changes a second), the freshness of a sample of rows in seconds, how long the
    last row took after the last put, and the CPU seconds by what took them.
    """
    step = BATCH * WRITERS
    count = max(step, rate * SECONDS // step * step)
    every = max(1, count // BATCH // _WATCHED)
    writers = Writers(carrier.environment, first=first, count=count, rate=rate, every=every)
    watch = Watch(Target(pipeline, carrier.connect), writers.keys)
    with Target(pipeline, carrier.connect) as target:
        rows, before = target.rows(), carrier.cpu_seconds()
        writers.go()
        written = writers.end()
        in_time = target.rows() - rows
        while (carried := target.rows() - rows) < count and time.monotonic() - written.ended < _DEADLINE_SECONDS:
            time.sleep(_LOOK_SECONDS)
        ended, after = time.monotonic(), carrier.cpu_seconds()
    watch.wait(2)
    watch.end()
    return {
        "rate": rate,
        "count": count,
        "offered": round(count / (written.ended - written.began), 1),
        "carried": round(carried / (ended - written.began), 1),
        "carried_while_offered": round(in_time / (written.ended - written.began), 1),
        "is_complete": carried == count,
        "tail_seconds": round(ended - written.ended, 3),
        "freshness_seconds": _freshness(watch, written),
        "cpu_seconds": {
            **{name: round(spent - before.get(name, 0), 2) for name, spent in after.items()},
            "writers": round(written.cpu_seconds, 2),
        },
    }


def _freshness(watch: Watch, written: Written) -> list[float]:
    return sorted(round(max(0.0, at - written.taken[key]), 3) for key, at in watch.seen.items() if key in written.taken)
