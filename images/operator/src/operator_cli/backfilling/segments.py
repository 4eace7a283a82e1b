"""What is known of a backfill while it runs: its segments, how far each is, and what is under way to the target."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["reading", "written", "loaded", "abandoned"]
Place: TypeAlias = Mapping[str, Any] | None


@dataclass(slots=True)
class Segment:
    """
    One segment of a Scan, or one file of an export, and how far it is.

    *resume_at* is where to go on, None for its beginning; *since_ms* is the time that the next object's rows get.
    *reasons* counts the items that do not map.
    """

    number: int
    resume_at: Place = None
    since_ms: int | None = None
    items: int = 0
    objects: int = 0
    read_units: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    state: State = "reading"

    @property
    def rejected(self) -> int:
        """How many of its items do not map."""
        return self.reasons.total()


@dataclass(slots=True)
class Run:
    """One backfill: where it reads from, the *shape* of its rows, and its segments, whose number never changes."""

    run_id: str
    source: str
    shape: str
    segments: tuple[Segment, ...]


class InFlight(NamedTuple):
    """
    What is written and not loaded: how many *objects*, and of these the ones that can never be, by segment.

    *named* are the URLs of the first thousand; *arrived* counts the objects that were found loaded by this process.
    """

    objects: int
    refused: Mapping[int, int]
    named: tuple[str, ...]
    arrived: int


def segment_of(row: tuple[Any, ...]) -> Segment:
    """Return the segment that a *row* of the table of segments tells of."""
    number, resume_key, since_ms, items, objects, read_units, reasons, state = row
    return Segment(
        number=number,
        resume_at=None if resume_key is None else json.loads(resume_key),
        since_ms=since_ms,
        items=items,
        objects=objects,
        read_units=read_units,
        reasons=Counter(json.loads(reasons)),
        state=state,
    )
