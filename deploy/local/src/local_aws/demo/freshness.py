"""How fresh the target is: from the moment an item was written until its row can be selected."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name

if TYPE_CHECKING:
    from pymysql.connections import Connection

_LOOK_EVERY_SECONDS: Final = 0.05
_MOST_AT_ONCE: Final = 500


class FreshnessWatch:
    """Watch a sample of new items until their rows appear; from `start` to `stop`."""

    def __init__(self, pipeline: Pipeline, *, connect: Callable[[], "Connection[Any]"]) -> None:
        """Look for rows of *pipeline* over a connection of its own, made by *connect*."""
        self._pipeline = pipeline
        self._connect = connect
        self._waiting: dict[tuple[Any, ...], float] = {}
        self._seconds: list[float] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="freshness", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join()

    def written(self, key: tuple[Any, ...]) -> None:
        """Say that the item with *key* has just been written for the first time."""
        with self._lock:
            if len(self._waiting) < _MOST_AT_ONCE:
                self._waiting[key] = time.monotonic()

    def percentile(self, share: float) -> float | None:
        """Return the seconds within which *share* of the watched rows appeared; None when none has."""
        with self._lock:
            ordered = sorted(self._seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None

    @property
    def samples(self) -> int:
        """How many rows were seen to appear."""
        with self._lock:
            return len(self._seconds)

    def _watch(self) -> None:
        names = ", ".join(quote_name(column.name) for column in self._pipeline.key_columns)
        table = quote_name(self._pipeline.target_database, self._pipeline.target_table)
        connection = self._connect()
        try:
            while not self._stopping.wait(_LOOK_EVERY_SECONDS):
                with self._lock:
                    keys = tuple(self._waiting)
                if not keys:
                    continue
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT {names} FROM {table} WHERE ({names}) IN %s", (keys,))  # noqa: S608 - quoted
                    seen, now = set(cursor.fetchall()), time.monotonic()
                with self._lock:
                    self._seconds.extend(now - self._waiting.pop(key) for key in keys if key in seen)
        finally:
            connection.close()
