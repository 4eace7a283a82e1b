"""How a rebuild gets on, on standard error."""

from typing import TYPE_CHECKING

from operator_cli.rebuilding.counts import Counts

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Display:
    """What is done, and how many changes were read."""

    def __init__(self, bars: "Progress") -> None:
        """Show it on *bars*."""
        self._bars = bars
        self._task: TaskID = bars.add_task("beginning", total=None)
        self._what = "beginning"
        self._changes = 0

    def doing(self, what: str) -> None:
        """Show what begins."""
        self._what = what
        self._show()

    def read(self, counts: Counts) -> None:
        """Count what one more object held."""
        self._changes += counts.changes
        self._bars.advance(self._task)
        self._show()

    def _show(self) -> None:
        self._bars.update(self._task, description=f"{self._what}; {self._changes:,} changes, objects")
