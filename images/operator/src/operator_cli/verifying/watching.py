"""The progress of a verification as bars."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Display:
    """A bar for each phase, shown when the phase begins."""

    def __init__(self, bars: "Progress", *, items: int) -> None:
        """Show on *bars*; there are about *items* items, 0 when nobody knows."""
        self._bars = bars
        self._items = items
        self._tasks: dict[str, TaskID] = {}

    def compared(self, items: int) -> None:
        """See `Watcher`."""
        self._bars.advance(self._task("comparing items", self._items or None), items)

    def read(self, rows: int) -> None:
        """See `Watcher`."""
        self._bars.advance(self._task("looking for rows without an item", None), rows)

    def settling(self, pending: int) -> None:
        """See `Watcher`."""
        task = self._task("waiting until differences are certain", pending or 1)
        total = self._bars.tasks[self._bars.task_ids.index(task)].total or 0
        self._bars.update(task, completed=max(total - pending, 0))

    def _task(self, description: str, total: float | None) -> "TaskID":
        if description not in self._tasks:
            self._tasks[description] = self._bars.add_task(description, total=total)
        return self._tasks[description]
