"""`python -m local_aws.drill`: backfill a table under fire; exit 0 only when it ends equal."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from local_aws.drill.run import Drill, Outcome, run_drill
from local_aws.stack.ending import clear_ending
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelinesFolder
from operator_cli.pipelines import find_pipeline

_PIPELINE = "web_analytics"


def drill(
    *,
    items: Annotated[int, typer.Option(min=100, help="How many items the table has before it has a stream.")] = 200_000,
    seed: Annotated[int | None, typer.Option(help="Draws items, changes and the places of the kills.")] = None,
    changes_a_second: Annotated[float, typer.Option(min=1, help="How many changes are written meanwhile.")] = 100,
    option: Annotated[
        list[str] | None, typer.Option(help="An option of backfill, such as --option=--threads=8.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder that makes the next start quick.")] = Path(".local/cache"),
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> None:
    """Backfill a table while 5 % of its items change, kill it twice with SIGKILL, go on, and verify."""
    drawn = secrets.randbelow(2**31) if seed is None else seed
    typer.echo(f"seed {drawn}; starting the stack and filling the table")
    with clear_ending("backfill-drill"):
        outcome = run_drill(
            Drill(items=items, seed=drawn, changes_a_second=changes_a_second, options=tuple(option or ())),
            find_pipeline(_PIPELINE, folder=pipelines),
            cache=cache,
            pipelines=pipelines,
            say=typer.echo,
        )
    for line in report(outcome):
        typer.echo(line)
    raise typer.Exit(0 if outcome.holds else 1)


def report(outcome: Outcome) -> Iterator[str]:
    """Yield what happened, line by line."""
    last, verified = outcome.attempts[-1].output, outcome.verified.output
    seconds = sum(found.seconds for found in outcome.attempts)
    items, reasons = last.get("items", 0), last.get("reasons", {})
    yield (
        f"backfill: {items:,} items in {last.get('objects', 0):,} objects, "
        f"{last.get('rejected', 0):,} of them rejected {reasons}"
    )
    yield (
        f"{len(outcome.attempts)} processes, {seconds:.0f} s: {items / seconds:,.0f} items/s with kills and loads, "
        f"{last.get('items_per_second', 0):,.0f} items/s in the last"
    )
    yield f"peak RSS of a process: {max(found.peak_bytes for found in outcome.attempts) / 2**20:.0f} MiB"
    yield f"{outcome.changes:,} changes, {outcome.changes_meanwhile:,} of them while it ran"
    yield (
        f"verify: {verified.get('items', 0):,} items, {verified.get('equal_items', 0):,} equal, "
        f"differences {verified.get('found', {})}, unloadable {verified.get('unloadable', {})}, "
        f"in {outcome.verified.seconds:.0f} s"
    )
    yield "VERDICT: source and target are equal" if outcome.holds else "VERDICT: it does NOT hold"


if __name__ == "__main__":
    typer.run(drill)
