"""
How many objects may be on their way to the loader: the bound on how old a row can be when it is loaded.

A loader that stands still makes a backfill stand still, instead of letting it fill the bucket with rows that grow older
than the deletes which the target remembers. See docs/decisions/backfill.md.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from operator_cli.backfilling.errors import LoaderIdleError
from operator_cli.backfilling.segments import InFlight

_LOOK_EVERY_SECONDS: Final = 0.5


class InFlightLimit:
    """Hold those who write back while too much is in flight; threads share it."""

    def __init__(
        self,
        settle: Callable[[], InFlight],
        *,
        patience_seconds: float,
        stopping: threading.Event,
        told: Callable[[InFlight], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """
        Ask *settle* for what is in flight; nothing waits any longer when *stopping* is set.

        *told* hears each answer.
        """
        self._settle = settle
        self._patience = patience_seconds
        self._stopping = stopping
        self._told = told
        self._monotonic = monotonic
        self._wait = wait or stopping.wait
        self._lock = threading.Lock()
        self._arrived = 0
        self._moved_at = monotonic()

    def look(self) -> InFlight:
        """
        Return what is in flight.

        Raises:
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """
        found = self._settle()
        self._told(found)
        return found

    def hold(self, *, most: int, seconds: float | None = None) -> InFlight:
        """
        Return once no more than *most* objects are in flight that can be loaded, or time is up, after *seconds*.

        Raises:
            LoaderIdleError: Nothing was loaded for as long as the patience lasts.
            RetryError: The database does not answer.
            HaltError: The database refuses.
        """
        self._note_move()
        ends_at = None if seconds is None else self._monotonic() + seconds
        while True:
            found = self.look()
            if found.objects - sum(found.refused.values()) <= most or self._stopping.is_set():
                return found
            if ends_at is not None and self._monotonic() >= ends_at:
                return found
            idle = self._idle_seconds(found)
            if idle >= self._patience:
                raise LoaderIdleError(
                    f"{found.objects} objects are written, such as {found.named[0]}, and for {idle:.0f} s none was "
                    "loaded; is the loader running? ddb2aurora sweep loads them, or says why it cannot. Then run this "
                    "again: it goes on where it is"
                )
            self._wait(_LOOK_EVERY_SECONDS)

    def _note_move(self) -> None:
        with self._lock:
            self._moved_at = self._monotonic()

    def _idle_seconds(self, found: InFlight) -> float:
        with self._lock:
            if found.arrived != self._arrived:
                self._arrived = found.arrived
                self._moved_at = self._monotonic()
            return self._monotonic() - self._moved_at
