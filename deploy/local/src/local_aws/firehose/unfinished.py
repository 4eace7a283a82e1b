"""Know which accepted records are not delivered yet."""

from dataclasses import dataclass


@dataclass(slots=True)
class _Journey:
    steps_left: int
    size: int
    segment: int | None


class Unfinished:
    """Accepted records, each with the steps that it still has to make: its fate, and its backup if there is one."""

    def __init__(self) -> None:
        """Begin with none."""
        self._journeys: dict[int, _Journey] = {}
        self.waiting_bytes = 0

    def __len__(self) -> int:
        return len(self._journeys)

    @property
    def oldest(self) -> int | None:
        """The number of the oldest unfinished record, None if all are finished."""
        # Numbers only grow, and a dict keeps the order in which they were added.
        return next(iter(self._journeys), None)

    def begin(self, number: int, *, steps: int, size: int, segment: int | None) -> None:
        """Expect *steps* of record *number*, which *segment* of the journal keeps."""
        self._journeys[number] = _Journey(steps, size, segment)
        self.waiting_bytes += size

    def step(self, number: int) -> tuple[bool, int | None]:
        """Take one step of record *number*; return whether it was the last, and the segment that kept the record."""
        journey = self._journeys[number]
        journey.steps_left -= 1
        if journey.steps_left:
            return False, None
        del self._journeys[number]
        self.waiting_bytes -= journey.size
        return True, journey.segment
