"""`python -m local_aws.demo`: run the demonstration; exit 0 only when the proof holds."""

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console

from ddb2aurora.pipeline import Pipeline
from local_aws.demo.memory import PeakMemory
from local_aws.demo.proof import prove
from local_aws.demo.report import StageProgress, sample_table, stage_table, summary, verdict
from local_aws.demo.run import run_workload
from local_aws.stack import resources
from local_aws.stack.embedded import EmbeddedStack
from local_aws.stack.ending import clear_ending
from operator_cli.clickstream import Shares, operations
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelinesFolder
from operator_cli.pipelines import find_pipeline

_PIPELINE = "web_analytics"


def demo(
    *,
    items: Annotated[int, typer.Option(min=1, help="How many items to replicate.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same workload.")] = 1,
    load_mode: Annotated[
        Literal["s3", "local"], typer.Option(help="s3: the statement of Aurora; local: the fallback.")
    ] = "s3",
    buffer_seconds: Annotated[int, typer.Option(min=0, max=900, help="Buffer interval of the delivery stream.")] = 1,
    packing: Annotated[bool, typer.Option("--packing", help="Many changes in one Firehose record.")] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder that makes the next start quick.")] = None,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> None:
    """Replicate generated click-stream items end to end on this machine, and prove that source and target agree."""
    console = Console(highlight=False)
    with clear_ending("demo"):
        pipeline = find_pipeline(_PIPELINE, folder=pipelines)
        if packing:
            pipeline = msgspec.structs.replace(pipeline, packing=True)
        console.print("starting the stack: MiniStack, a private database server, stand-ins, functions")
        with (
            PeakMemory() as memory,
            EmbeddedStack([pipeline], load_mode=load_mode, buffer_seconds=buffer_seconds, cache=cache) as stack,
        ):
            console.print(f"database: {stack.database.flavor} {stack.database.version}; LOAD_MODE={load_mode}")
            holds = _demonstrate(stack, pipeline, console, items=items, seed=seed)
        console.print(f"peak memory of all processes together: {memory.bytes_held / 2**20:.0f} MiB")
    raise typer.Exit(0 if holds else 1)


def _demonstrate(stack: EmbeddedStack, pipeline: Pipeline, console: Console, *, items: int, seed: int) -> bool:
    planned = list(operations(items, seed=seed, shares=Shares()))
    console.print(f"workload: {items:,} items, {len(planned):,} writes, seed {seed}\n")
    with contextlib.closing(stack.database.connect(autocommit=True)) as connection:
        with StageProgress(console, operations=len(planned)) as progress:
            outcome = run_workload(
                stack,
                pipeline,
                planned,
                connection=connection,
                progress=progress.update,
                deadline_seconds=60 + items / 100,
            )
        console.print()
        console.print(stage_table(outcome))
        console.print()
        console.print(sample_table(pipeline, connection, rows=2))
        console.print()
        for line in summary(outcome):
            console.print(line)
        proof = prove(pipeline, clients=stack.clients, bucket=resources.BUCKET, connection=connection)
    # No fault was injected, and the workload never breaks an item that was good.
    clean = not proof.failed_but_fit and not proof.rejected_with_row
    clean = clean and outcome.counts.rejected == proof.failed_records
    holds = proof.holds and clean and outcome.counts.accounted and outcome.counts.nothing_lost
    for line in verdict(proof, outcome.counts):
        console.print(line, markup=False)
    console.print("VERDICT: source and target agree" if holds else "VERDICT: source and target DIFFER", style="bold")
    return holds


if __name__ == "__main__":
    typer.run(demo)
