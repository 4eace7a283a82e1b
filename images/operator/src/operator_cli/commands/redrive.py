"""`ddb2aurora redrive`: replay what failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.redriving.places import NEEDS, Place
from operator_cli.site import Site

if TYPE_CHECKING:
    from rich.console import RenderableType

    from operator_cli.redriving.tally import Tally


@dataclass(frozen=True, slots=True)
class Redriven(Result):
    """The tally of each place, and whether more failed than *most_failing* allows."""

    tallies: tuple["Tally", ...]
    dry: bool
    explained: bool
    stopped: bool

    @property
    def exit_code(self) -> int:
        """See `Result`."""
        is_fine = not self.stopped and not any(tally.failing or tally.left for tally in self.tallies)
        return EXIT_FINE if is_fine else EXIT_FAILURES

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "dry_run": self.dry,
            "stopped": self.stopped,
            "places": {tally.place: tally.as_json() for tally in self.tallies},
        }

    def for_people(self) -> Iterator["str | RenderableType"]:
        """See `Result`."""
        from operator_cli.folding import folding_table  # noqa: PLC0415 - see operator_cli.registry

        verb = "would be redriven" if self.dry else "redriven"
        table = folding_table("place", "kept in", "examined", verb, "dropped", "failing", "left")
        for column in table.columns[1:]:
            column.justify = "right"
        for tally in self.tallies:
            counts = (tally.kept_in, tally.examined, tally.redriven, tally.dropped, tally.failing, tally.left)
            table.add_row(tally.place, *map(str, counts))
        yield table
        for tally in self.tallies:
            for reason, count in tally.reasons.most_common():
                yield f"{tally.place}: {count} fail: {reason}"
            if tally.hidden:
                yield (
                    f"{tally.place}: {tally.hidden} left: somebody works on them, or a run was killed that did; they "
                    "come back within 6 minutes, run this again then"
                )
            if self.explained:
                for sample in tally.samples:
                    yield f"  {sample.where} (key {sample.key}): {sample.why}"
        if self.stopped:
            yield "stopped: too much fails again; mend the cause (--explain shows samples), then run this again"


def redrive(
    *,
    pipeline: PipelineName = "web_analytics",
    places: Annotated[
        list[Place] | None, typer.Option("--from", help="Replay from this place alone; may be given several times.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Change nothing; show why each fails today, with samples.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; show what would be replayed.")] = False,
    most_failing: Annotated[
        float, typer.Option("--most-failing", min=0, max=1, help="Stop when more than this share fails again.")
    ] = 0.5,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many objects, messages or reasons of each place.")
    ] = None,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Replay what failed, after its cause was mended; safe to run twice, and nothing newer is overwritten.

    Places: batches (of the stream, given up by Lambda), malformed (records that the stream-processor could not read),
    records (under failed/: refused by the transformer, failed in Firehose, or too large), events (new objects that the
    loader failed for good) and rejects (rows that the database refused). Failed changes are mapped by the pipeline
    file as it is now. What is replayed moves to replayed/ in the bucket; what fails again stays where it is.
    """
    from operator_cli.redriving.redrive import redrive as redrive_places  # noqa: PLC0415 - see operator_cli.registry

    chosen = tuple(places or Place)
    dry = dry_run or explain
    needs = {setting for place in chosen for setting in NEEDS[place]}
    site = Site.of(pipeline, folder=pipelines, needs=needs)
    with site.database() as database:
        tallies, stopped = redrive_places(
            # An explanation is of all that fails.
            site,
            database,
            places=chosen,
            most_failing=1 if explain else most_failing,
            dry=dry,
            limit=limit,
        )
    return Redriven(tallies, dry=dry, explained=explain, stopped=stopped)
