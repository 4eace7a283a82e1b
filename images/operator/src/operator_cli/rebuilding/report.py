"""What a rebuild came to, for people and for machines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.rebuilding.counts import Counts
from operator_cli.rebuilding.shadow import Sides

if TYPE_CHECKING:
    from rich.console import RenderableType

Outcome: TypeAlias = Literal["counted", "unfinished", "left", "held_back", "switched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Result):
    """
    What a rebuild came to.

    *found* was read from the backup, *caught_up* from objects that loaders had loaded. *table* is where the rows are
    now, *old_table* what was the target before. *held_back* says why it was not switched to, *left_behind* what the
    live table has and the new one has not.
    """

    outcome: Outcome
    target: str
    found: Counts
    caught_up: Counts
    seconds: float
    table: str | None = None
    tombstones_table: str | None = None
    old_table: str | None = None
    old_dropped: bool = False
    sides: Sides | None = None
    carried: int = 0
    unaccounted: int = 0
    backfilled_left: bool = False
    held_back: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    until: str | None = None

    @property
    def exit_code(self) -> int:
        """See `Result`: whatever cannot be a row is a failure found."""
        failed = self.outcome in ("held_back", "unfinished")
        return EXIT_FAILURES if failed or self.found.rejected or self.found.damaged or self.unaccounted else EXIT_FINE

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        sides = self.sides
        return {
            "outcome": self.outcome,
            "target": self.target,
            "table": self.table,
            "tombstones_table": self.tombstones_table,
            "old_table": self.old_table,
            "old_dropped": self.old_dropped,
            "until": self.until,
            "rows": None if sides is None else sides.rows,
            "tombstones": None if sides is None else sides.tombstones,
            "live_rows": None if sides is None else sides.live_rows,
            "lacking": None if sides is None else sides.lacking,
            "backfilled_rows": self.carried,
            "backfilled_left": self.backfilled_left,
            "unaccounted": self.unaccounted,
            "found": self.found.as_json(),
            "caught_up": self.caught_up.as_json(),
            "held_back": list(self.held_back),
            "left_behind": list(self.left_behind),
            "other_tables": list(self.others),
            "seconds": round(self.seconds, 1),
        }

    def for_people(self) -> Iterator["str | RenderableType"]:
        """See `Result`."""
        yield from self._found()
        if self.sides is not None:
            yield (
                f"{self.sides.rows:,} rows and {self.sides.tombstones:,} remembered deletes in {self.table}; "
                f"the live table had {self.sides.live_rows:,} rows"
            )
            if self.sides.lacking:
                yield f"{self.sides.lacking:,} rows of the live table are unknown to the backup"
        if self.unaccounted:
            yield f"{self.unaccounted:,} changes that were loaded are not in the backup, or are rejected today"
        yield from self._outcome()
        if self.others:
            yield f"other rebuilds have left tables; drop those that nobody needs: {', '.join(self.others)}"

    def _found(self) -> Iterator["str | RenderableType"]:
        from operator_cli.folding import folding_table  # noqa: PLC0415 - see operator_cli.frame

        table = folding_table(
            "from", "objects", "changes", "rows", "no trace", "heartbeats", "later", "rejected", "damaged"
        )
        for column in table.columns[1:]:
            column.justify = "right"
        for name, counts in (("backup", self.found), ("loaded meanwhile", self.caught_up)):
            numbers = (
                counts.objects,
                counts.changes,
                counts.rows,
                counts.no_trace,
                counts.heartbeats,
                counts.later,
                counts.rejected,
                counts.damaged,
            )
            table.add_row(name, *(f"{number:,}" for number in numbers))
        yield table
        for reason, count in self.found.reasons.most_common():
            yield f"rejected: {count:,} {reason}"
        for sample in self.found.samples:
            yield f"  {sample.where} (key {sample.key}): {sample.why}"
        if self.carried:
            yield f"{self.carried:,} backfilled rows were kept"

    def _outcome(self) -> Iterator[str]:
        match self.outcome:
            case "counted":
                yield "nothing was written"
            case "unfinished":
                yield "the time was up; run the same command again to go on"
            case "held_back":
                yield f"not switched: the new table stays as {self.table}, since"
                yield from (f"  {reason}" for reason in self.held_back)
                yield "mend that and run the same command again, or add --swap to switch all the same"
            case "left":
                yield f"the new table stays as {self.table}; --swap puts it in the place of {self.target}"
            case "switched":
                fate = "is dropped" if self.old_dropped else f"is {self.old_table} now; drop it when nobody misses it"
                yield f"switched: the new table is {self.target}; the old one {fate}"
                yield from (f"  the new table lacks: {what}" for what in self.left_behind)
                if self.backfilled_left:
                    yield "  BACKFILLED ROWS ARE GONE from it: run ddb2aurora backfill now"
                yield "  now compare it with the source: ddb2aurora verify"
