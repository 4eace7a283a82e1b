"""What came of an object."""

from dataclasses import dataclass

from aurora_loader.heartbeats import NONE_LANDED, Landed
from ddb2aurora.database.applying.staged import Applied


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of an object: *rows* of them were in it, and each was applied, stale, deleted or rejected.

    A *repeated* object had been loaded before; nothing was done. Heartbeats are not among the rows; they *landed*.
    """

    rows: int = 0
    applied: int = 0
    stale: int = 0
    deleted: int = 0
    rejected: int = 0
    newest_changed_at_ms: int | None = None
    repeated: bool = False
    landed: Landed = NONE_LANDED

    @classmethod
    def of(
        cls,
        applied: Applied,
        *,
        rejected: int = 0,
        rows: int,
        newest_changed_at_ms: int | None,
        landed: Landed = NONE_LANDED,
    ) -> "Outcome":
        """Return the outcome of a load, whose counts have to add up."""
        accounted = applied.applied + applied.stale + applied.deleted + rejected
        if accounted != rows or applied.stale < 0:
            raise AssertionError(f"{rows} rows in the file, but {accounted} of them accounted for")
        return cls(
            rows=rows,
            applied=applied.applied,
            stale=applied.stale,
            deleted=applied.deleted,
            rejected=rejected,
            newest_changed_at_ms=newest_changed_at_ms,
            landed=landed,
        )

    def dealt_out(self, count: int) -> "tuple[Outcome, ...]":
        """Return the outcomes of *count* objects of which only the sum is known: it stands with the first."""
        return (self, *(Outcome(),) * (count - 1))
