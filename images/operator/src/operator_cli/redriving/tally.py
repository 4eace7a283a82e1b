"""What a redrive found in one place, and the circuit that stops it when too much fails again."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

MOST_SAMPLES: Final = 5
# Fewer tries say nothing about a share.
_LEAST_TRIES: Final = 20


class Sample(NamedTuple):
    """One failure as an example: *where* it is kept, its *key* as a hash, and why it fails, without any value."""

    where: str
    key: str
    why: str


@dataclass
class Tally:
    """
    The failures of one place: examined == redriven + dropped + failing + left.

    In a dry run *redriven* says how many would be. *dropped* ones leave no row, by the pipeline's own policy. *left* is
    how many of *examined* were not tried: the circuit was open, or they are *hidden*.
    """

    place: str
    kept_in: int = 0
    """Objects, messages or objects' rejects in which failures are kept."""
    settled: int = 0
    """How many of these are empty now, and were moved or deleted."""
    redriven: int = 0
    dropped: int = 0
    left: int = 0
    hidden: int = 0
    """How many of these messages somebody else holds, or held when it was killed."""
    reasons: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)

    @property
    def failing(self) -> int:
        """How many fail again, for whatever reason."""
        return self.reasons.total()

    @property
    def examined(self) -> int:
        """How many failures are known of, with those that were not tried."""
        return self.redriven + self.dropped + self.failing + self.left

    def fail(self, reason: str, sample: Sample, *, count: int = 1) -> None:
        """Note *count* failures for one *reason*."""
        if sum(known.why.startswith(reason) for known in self.samples) < MOST_SAMPLES:
            self.samples.append(sample)
        self.reasons[reason] += count

    def as_json(self) -> dict[str, Any]:
        """Return the tally in values that JSON has."""
        return {
            "kept_in": self.kept_in,
            "settled": self.settled,
            "examined": self.examined,
            "redriven": self.redriven,
            "dropped": self.dropped,
            "failing": self.failing,
            "left": self.left,
            "hidden": self.hidden,
            "reasons": dict(self.reasons.most_common()),
            "samples": [sample._asdict() for sample in self.samples],
        }


class Circuit:
    """Say when more than a share of what was tried fails again, so that nothing more is to be tried."""

    def __init__(self, *, most: float) -> None:
        """Open above the share *most* (0 to 1), once enough was tried to tell."""
        self._most = most
        self._tried = 0
        self._failed = 0

    def note(self, *, tried: int, failed: int) -> None:
        """Note that *failed* of *tried* more replays failed again."""
        self._tried += tried
        self._failed += failed

    @property
    def is_open(self) -> bool:
        """Whether to stop."""
        return self._tried >= _LEAST_TRIES and self._failed > self._most * self._tried
