"""The progress of a backfill as a bar."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from operator_cli.backfilling.segments import InFlight

if TYPE_CHECKING:
    from rich.progress import Progress

_MINUTE: Final = 60
_HOUR: Final = 3600


class Display:
    """One bar: items against what DynamoDB counted up to six hours ago; threads share it."""

    def __init__(self, bars: "Progress", *, items: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Show on *bars*; there are about *items* items, 0 when nobody knows."""
        self._bars = bars
        self._items = items
        self._before = 0
        self._done = 0
        self._rejected = 0
        self._in_flight = 0
        self._monotonic = monotonic
        self._started = monotonic()
        self._lock = threading.Lock()
        self._task = bars.add_task("reading items", total=items or None)

    @property
    def items_now(self) -> int:
        """How many items this process has read."""
        return self._done - self._before

    def resume(self, *, items: int, rejected: int) -> None:
        """Begin where *items* were read before."""
        with self._lock:
            self._before, self._done, self._rejected = items, items, rejected
            self._started = self._monotonic()
            self._show()

    def say(self, text: str) -> None:
        """Show *text* until something is read."""
        self._bars.update(self._task, description=text)

    def read(self, *, items: int, rejected: int) -> None:
        """See `copying.Watcher`."""
        with self._lock:
            self._done += items
            self._rejected += rejected
            self._show()

    def flies(self, found: InFlight) -> None:
        """Show how many objects are not loaded."""
        with self._lock:
            self._in_flight = found.objects
            self._show()

    def _show(self) -> None:
        rate = (self._done - self._before) / max(1e-3, self._monotonic() - self._started)
        left = (
            ""
            if self._items <= self._done or not rate
            else f", about {lasting((self._items - self._done) / rate)} left"
        )
        rejected = f", {self._rejected:,} rejected" if self._rejected else ""
        text = f"{rate:,.0f} items/s{rejected}, {self._in_flight} objects to load{left}"
        # The count is up to six hours old: there may be more.
        total = max(self._items, self._done) or None
        self._bars.update(self._task, description=text, completed=self._done, total=total)


def lasting(seconds: float) -> str:
    """Return how long that is, in two units at most."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
