"""What was found in objects, in numbers that always add up, and samples of what cannot be a row."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

MOST_SAMPLES: Final = 5
# So many kinds of reasons are more than there are; the last one stands for whatever else.
_MOST_REASONS: Final = 100
_OTHERS: Final = "other reasons"


class Sample(NamedTuple):
    """A reject as an example: *where* it lies, its *key* as a hash, its *reason* and *why*, without any value."""

    where: str
    key: str
    reason: str
    why: str


@dataclass(slots=True)
class Counts:
    """
    What was found: changes == rows + no_trace + heartbeats + later + rejected.

    *rejected* are those of *reasons*: of today's mapping, of the database, or no change at all. *rows* are upserts and
    deletes together. *damaged* counts objects that break off, *unaccounted* loaded changes that the backup lacks.
    """

    objects: int = 0
    bytes: int = 0
    rows: int = 0
    no_trace: int = 0
    heartbeats: int = 0
    later: int = 0
    damaged: int = 0
    unaccounted: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """How many changes cannot be rows."""
        return self.reasons.total()

    @property
    def changes(self) -> int:
        """How many changes there were, and pieces that are none."""
        return self.rows + self.no_trace + self.heartbeats + self.later + self.rejected

    def reject(self, sample: Sample) -> None:
        """Count a reject; the first few of a reason are kept as samples."""
        reason = sample.reason if sample.reason in self.reasons or len(self.reasons) < _MOST_REASONS else _OTHERS
        if self.reasons[reason] < MOST_SAMPLES:
            self.samples.append(sample)
        self.reasons[reason] += 1

    def add(self, other: "Counts") -> None:
        """Add what was found elsewhere."""
        for sample in other.samples:
            if sum(known.reason == sample.reason for known in self.samples) < MOST_SAMPLES:
                self.samples.append(sample)
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)

    def as_json(self) -> dict[str, Any]:
        """Return the counts in values that JSON has."""
        return {
            **{name: getattr(self, name) for name in _NUMBERS},
            "changes": self.changes,
            "rejected": self.rejected,
            "reasons": dict(self.reasons.most_common()),
            "samples": [sample._asdict() for sample in self.samples],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Counts":
        """Return the counts that `as_json` gave."""
        return cls(
            **{name: values[name] for name in _NUMBERS},
            reasons=Counter(values["reasons"]),
            samples=[Sample(**sample) for sample in values["samples"]],
        )


_NUMBERS: Final = ("objects", "bytes", "rows", "no_trace", "heartbeats", "later", "damaged", "unaccounted")
