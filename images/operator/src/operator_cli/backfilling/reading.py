"""Where items come from: the segments of a table's Scan, or the files of an export, portion by portion."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from ddb2aurora.pipeline import Pipeline
from operator_cli.backfilling.segments import Place
from operator_cli.scanning.budget import ReadBudget
from operator_cli.scanning.table import Item, TableScan


class Portion(NamedTuple):
    """Some items of a segment, and where to go on after them; None at the segment's end."""

    items: tuple[Item, ...]
    resume_at: Place


class Reading(Protocol):
    """A source of items; threads share it."""

    @property
    def read_at_ms(self) -> int | None:
        """The time at which all items were there; None where each is there when it is read."""
        ...

    def portions(self, number: int, *, resume_at: Place) -> Iterator[Portion]:
        """
        Yield the portions of segment *number* from *resume_at* on; a portion is asked for when it is wanted.

        Raises:
            RetryError: The source cannot be read now.
            HaltError: It cannot be read before someone acts.
        """
        ...

    def take_spent(self) -> float:
        """Return how many read units were spent since this was asked last."""
        ...

    def hurry(self) -> None:
        """Let nobody wait for a budget any more, since the work is about to end."""
        ...


class ScanReading:
    """The items of a table, whole, as they are when each page is read."""

    read_at_ms: int | None = None

    def __init__(self, scan: TableScan, pipeline: Pipeline, *, segments: int, budget: ReadBudget) -> None:
        """Read the table of *pipeline* by *scan*, which spends *budget*, in so many *segments*."""
        self._scan = scan
        self._pipeline = pipeline
        self._segments = segments
        self._budget = budget

    def portions(self, number: int, *, resume_at: Place) -> Iterator[Portion]:
        """
        Yield the pages of a segment; see `Reading`.

        Raises:
            AwsSetUpError: The table cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        is_heartbeat = self._pipeline.is_heartbeat
        for page in self._scan.pages(number, of=self._segments, resume_at=resume_at):
            yield Portion(tuple(item for item in page.items if not is_heartbeat(item)), page.resume_at)

    def take_spent(self) -> float:
        """See `Reading`."""
        return self._budget.take_spent()

    def hurry(self) -> None:
        """See `Reading`."""
        self._budget.hurry()
