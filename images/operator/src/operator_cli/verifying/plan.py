"""Which part of source and target a verification compares."""

import math
import random
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_MOST_SEGMENTS: Final = 1_000_000  # DynamoDB: TotalSegments
_HASHES: Final = 2**64


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Some *segments* of *of_segments*, and the rows whose key's hash lies from *low* to *high*, both shares of all.

    *settle_ms* is how long a difference must last before it counts.
    """

    of_segments: int
    segments: tuple[int, ...]
    low: float
    high: float
    settle_ms: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return len(self.segments) == self.of_segments

    def has(self, value: int) -> bool:
        """Return whether the row of the key with the hash *value* is to be looked at."""
        return self.low <= value / _HASHES < self.high or (self.high >= 1 and value / _HASHES >= self.low)

    def as_json(self) -> dict[str, Any]:
        """Return the plan in values that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the plan of which `as_json` made *values*."""
        return cls(**{**values, "segments": tuple(values["segments"])})


def plan_of(
    *, segments: int, settle_ms: int, part: tuple[int, int] = (1, 1), sample: float = 1.0, seed: str = ""
) -> Plan:
    """
    Return the plan for one *part* (its number, from 1 on, and how many there are), or for a *sample*, a share of all.

    *segments* are read at the same time. *seed* decides which ones a sample takes.
    """
    number, parts = part
    if sample < 1:
        # A segment is read or not: a sample that were drawn from all pages would cost as much as all.
        of_segments = min(_MOST_SEGMENTS, math.ceil(segments / sample))
        drawn = random.Random(seed).sample(range(of_segments), max(1, round(of_segments * sample)))  # noqa: S311 - no secret
        return Plan(of_segments, tuple(sorted(drawn)), 0.0, sample, settle_ms)
    first = segments * (number - 1)
    return Plan(
        segments * parts, tuple(range(first, first + segments)), (number - 1) / parts, number / parts, settle_ms
    )
