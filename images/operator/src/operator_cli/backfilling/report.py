"""What came of a backfill, for people and for machines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from operator_cli.backfilling.segments import InFlight, Run
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilled(Result):
    """
    How far a run is: *items* read in all, of these *items_now* by this process in *seconds*.

    *is_written* says whether all of it is in S3, *waited* whether this process was to wait for the loader. *missing*
    objects are not loaded; the first thousand are *named*.
    """

    run_id: str
    source: str
    segments: int
    resumed: bool
    items: int
    items_now: int
    reasons: dict[str, int]
    objects: int
    read_units: float
    seconds: float
    is_written: bool
    waited: bool
    missing: int
    refused: int
    named: tuple[str, ...]
    why: str = ""

    @classmethod
    def of(
        cls, run: Run, *, resumed: bool, items_now: int, seconds: float, waited: bool, found: InFlight, why: str
    ) -> Self:
        """Return how far *run* is; *found* is what the loader has not loaded, *why* says what nobody waits for."""
        reasons: Counter[str] = Counter()
        for segment in run.segments:
            reasons += segment.reasons
        return cls(
            run_id=run.run_id,
            source=run.source,
            segments=len(run.segments),
            resumed=resumed,
            items=sum(segment.items for segment in run.segments),
            items_now=items_now,
            reasons=dict(reasons.most_common()),
            objects=sum(segment.objects for segment in run.segments),
            read_units=sum(segment.read_units for segment in run.segments),
            seconds=seconds,
            is_written=all(segment.state != "reading" for segment in run.segments),
            waited=waited,
            missing=found.objects,
            refused=sum(found.refused.values()),
            named=found.named,
            why=why,
        )

    @property
    def rejected(self) -> int:
        """How many items do not map."""
        return sum(self.reasons.values())

    @property
    def exit_code(self) -> int:
        """See `Result`: items that do not map are failures, and so are objects that were waited for in vain."""
        return EXIT_FAILURES if self.rejected or self.why or self.refused else EXIT_FINE

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "run_id": self.run_id,
            "source": self.source,
            "segments": self.segments,
            "resumed": self.resumed,
            "complete": self.is_written and not self.missing,
            "items": self.items,
            "items_now": self.items_now,
            "rows": self.items - self.rejected,
            "rejected": self.rejected,
            "reasons": self.reasons,
            "objects": self.objects,
            "objects_missing": self.missing,
            "objects_refused": self.refused,
            "missing": list(self.named),
            "read_units": round(self.read_units, 1),
            "seconds": round(self.seconds, 3),
            "items_per_second": round(self.items_now / self.seconds, 1) if self.seconds else 0.0,
        }

    def for_people(self) -> Iterator[str]:
        """See `Result`."""
        rate = self.items_now / self.seconds if self.seconds else 0
        went_on = ", gone on with" if self.resumed else ""
        yield f"run {self.run_id}{went_on}: {self.source} in {self.segments:,} segments"
        yield (
            f"{self.items:,} items, {self.items_now:,} of them now in {self.seconds:,.1f} s ({rate:,.0f}/s, "
            f"{self.read_units:,.0f} read units in all)"
        )
        rows = self.items - self.rejected
        yield f"{rows:,} rows in {self.objects:,} objects, {self.missing:,} of them not loaded yet"
        yield from (f"rejected {count:,}: {reason}" for reason, count in self.reasons.items())
        if self.reasons:
            yield "rejected items are kept under failed/; mend what they break and run ddb2aurora redrive"
        if self.refused:
            yield f"REFUSED {self.refused:,} objects: older than the deletes that are remembered; run this again"
        if self.why:
            yield f"NOT LOADED: {self.why}"
        if not self.is_written:
            yield "not all of it is read yet; run this again to go on"
        elif self.missing and not self.waited:
            yield "written; the loader is told of each object. Run this again to see whether all are loaded"
