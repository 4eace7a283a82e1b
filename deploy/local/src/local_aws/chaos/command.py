"""`ddb2aurora chaos`: attack the whole path on this machine, and prove that nothing is lost."""

import secrets
import shutil
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import typer
from rich.console import Console

from ddb2aurora.pipeline import Pipeline
from local_aws.chaos.plan import RATES, Pace, Plan
from local_aws.chaos.report import Screen, fault_table, summary, verdict
from local_aws.chaos.run import RestlessError, Result, Run
from local_aws.faults import Faults
from local_aws.stack.embedded import EmbeddedStack
from local_aws.stack.ending import clear_ending
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelinesFolder
from operator_cli.pipelines import find_pipeline

_PIPELINE: Final = "web_analytics"
# An object as soon as there is something to write: many small ones meet more faults than few large ones.
_BUFFER_SECONDS: Final = 0
# One more loader than usual, so that two often meet at the same object.
_CONCURRENCY: Final = {"stream-processor": 1, "firehose-transformer": 2, "aurora-loader": 3}

LoadMode = Literal["s3", "local"]


def chaos(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to write, with faults.")] = 1,
    changes: Annotated[int, typer.Option(min=1, help="How many changes to write in that time.")] = 20_000,
    least: Annotated[int, typer.Option(min=0, help="How often each fault has to strike, or the run fails.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="The same seed writes and asks for the same; random if none.")
    ] = None,
    load_mode: Annotated[LoadMode, typer.Option(help="s3: the statement of Aurora; local: the fallback.")] = "s3",
    packing: Annotated[bool, typer.Option("--packing", help="Many changes in one Firehose record.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the logs of a run that fails are kept.")] = Path(".local/chaos"),
    cache: Annotated[Path | None, typer.Option(help="Folder that makes the next start quick.")] = None,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> None:
    """
    Attack the whole path on this machine with faults at every hop, then prove that nothing is lost.

    Both tables are compared, and every change is accounted for: loaded, or rejected. Any difference, or a fault that
    did not strike often enough, ends with status 1, the command that repeats the run, and the logs kept.
    """
    plan = Plan(
        seed=secrets.randbelow(2**31) if seed is None else seed, changes=changes, seconds=minutes * 60, least=least
    )
    console = Console(highlight=False, soft_wrap=True)
    with clear_ending("chaos"):
        pipeline = msgspec.structs.replace(find_pipeline(_PIPELINE, folder=pipelines), packing=packing)
        pace = Pace(plan)
        faults = Faults(seed=plan.seed, rates=RATES, pace=pace)
        faults.rest()
        console.print(
            f"seed {plan.seed}: {changes:,} changes in {minutes:g} min, each of {len(RATES)} faults ≥ {least}"
        )
        stack = EmbeddedStack(
            [pipeline],
            load_mode=load_mode,
            buffer_seconds=_BUFFER_SECONDS,
            cache=cache,
            faults=faults,
            concurrency=_CONCURRENCY,
        )
        with stack:
            console.print(f"database: {stack.database.flavor} {stack.database.version}; LOAD_MODE={load_mode}")
            holds = False
            try:
                result = _run(stack, pipeline, plan, faults=faults, pace=pace, console=console)
                holds = result is not None and result.holds
            finally:
                if not holds:
                    kept = folder / f"seed-{plan.seed}"
                    shutil.copytree(stack.folder, kept, dirs_exist_ok=True)
                    _tell_how_to_repeat(console, plan, load_mode=load_mode, packing=packing, kept=kept)
    console.print(f"VERDICT: {'the promise holds' if holds else 'the promise is BROKEN, or was not put to the test'}")
    raise typer.Exit(0 if holds else 1)


def _run(
    stack: EmbeddedStack, pipeline: Pipeline, plan: Plan, *, faults: Faults, pace: Pace, console: Console
) -> Result | None:
    """Run *plan* and print what it has shown; None when it did not come to an end."""
    try:
        with Screen(console, plan) as screen:
            result = Run(stack, pipeline, plan, faults=faults, pace=pace, show=screen.show).run()
    except RestlessError as error:
        console.print(f"chaos: {error}", markup=False)
        return None
    console.print(fault_table(result, width=console.width))
    for line in (*summary(result), *verdict(result)):
        console.print(line, markup=False)
    return result


def _tell_how_to_repeat(console: Console, plan: Plan, *, load_mode: LoadMode, packing: bool, kept: Path) -> None:
    command = (
        f"ddb2aurora chaos --seed {plan.seed} --changes {plan.changes} --minutes {plan.seconds / 60:g} "
        f"--least {plan.least} --load-mode {load_mode}{' --packing' if packing else ''}"
    )
    console.print(f"seed {plan.seed}; to repeat it:  {command}\nlogs: {kept}", markup=False)
