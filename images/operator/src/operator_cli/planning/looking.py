"""Look at every item that is read: count it in, try it, and tell how far it has come."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from operator_cli.planning.checking import Trial
from operator_cli.planning.profile import Profile
from operator_cli.planning.reading import Items, Part, Readers, Sample, limited, thinned
from operator_cli.scanning.table import Item

if TYPE_CHECKING:
    from rich.progress import Progress

_SHOW_EVERY_SECONDS: Final = 0.5


class Look:
    """What looks at the items of one table."""

    def __init__(
        self,
        profile: Profile,
        trial: Trial | None,
        *,
        is_heartbeat: Callable[[Item], bool],
        take_spent: Callable[[], float],
    ) -> None:
        """Count items into *profile* and try them by *trial*; one that *is_heartbeat* is no part of the data."""
        self.profile = profile
        self._trial = trial
        self._is_heartbeat = is_heartbeat
        self._take_spent = take_spent
        self.read_units = 0.0
        self.was_interrupted = False

    def at(self, parts: list[Part], sample: Sample, *, threads: int, thin: bool, display: "Display") -> None:
        """
        Look at the items of *parts*, or as many as *sample* says; *thin* leaves out some of each part.

        Ctrl-C ends the look, and what was found stays.

        Raises:
            RetryError: The source cannot be read now.
            HaltError: It cannot be read before someone acts.
        """
        try:
            with Readers(parts, threads=threads) as readers:
                batches = thinned(readers.batches(), sample.share if thin else None)
                for batch in limited(batches, sample.items):
                    self._add(batch)
                    self.read_units += self._take_spent()
                    display.seen(self.profile.items, read_units=self.read_units)
        except KeyboardInterrupt:
            self.was_interrupted = True
        self.read_units += self._take_spent()

    def _add(self, batch: Items) -> None:
        items = [item for item in batch if not self._is_heartbeat(item)]
        self.profile.add(items)
        if self._trial is not None:
            for item in items:
                self._trial.add(item)


class Display:
    """A bar with the items and the read units that it took, at which rate."""

    def __init__(self, bars: "Progress", table: str, *, about: int | None) -> None:
        """Show on *bars* how much of *table*, which has *about* so many items, was seen."""
        self._bars = bars
        self._table = table
        self._task = bars.add_task(f"reading {table}", total=about)
        self._started = time.monotonic()
        self._shown_at = self._started

    def seen(self, items: int, *, read_units: float) -> None:
        """Show that so many *items* were seen for so many *read_units*."""
        now = time.monotonic()
        if now - self._shown_at < _SHOW_EVERY_SECONDS:
            return
        self._shown_at = now
        rate = items / (now - self._started)
        text = f"reading {self._table}: {rate:.0f} items/s, {read_units:.0f} read units"
        self._bars.update(self._task, completed=items, description=text)
