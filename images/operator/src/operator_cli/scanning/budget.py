"""How many read units of a table may be spent a second, by all threads together."""

import threading
import time
from collections.abc import Callable


class ReadBudget:
    """
    How many read units may be spent a second, by all threads together.

    What a read costs is known after it. So each read waits until the ones before it are paid for.
    """

    def __init__(
        self,
        units_per_second: float | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """Allow *units_per_second*; None allows any number. *wait* waits for some seconds, in tests."""
        self._rate = units_per_second
        self._monotonic = monotonic
        self._hurries = threading.Event()
        self._wait = wait or self._hurries.wait
        self._lock = threading.Lock()
        self._paid_at = monotonic()
        self._spent = 0.0

    def wait_for_turn(self) -> None:
        """Wait until what was read so far is paid for."""
        with self._lock:
            seconds = self._paid_at - self._monotonic()
        if seconds > 0:
            self._wait(seconds)

    def spend(self, units: float) -> None:
        """Note that a read has cost *units*."""
        with self._lock:
            self._spent += units
            if self._rate:
                self._paid_at = max(self._paid_at, self._monotonic()) + units / self._rate

    def hurry(self) -> None:
        """Let nobody wait any more, since the work is about to end."""
        self._hurries.set()

    def take_spent(self) -> float:
        """Return how many units were spent since this was asked last."""
        with self._lock:
            spent, self._spent = self._spent, 0.0
        return spent
