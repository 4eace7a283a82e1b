"""`ddb2aurora rebuild`: the target anew from the source records."""

import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import Result
from operator_cli.site import Setting, Site


class Backfilled(StrEnum):
    """What becomes of rows that were backfilled."""

    KEEP = "keep"
    LEAVE = "leave"


def moment_of(text: str) -> int:
    """
    Return the time (ms since 1970) in *text*, a date and time in ISO 8601, in UTC unless it says otherwise.

    Raises:
        BadParameter: It is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("a point in time is written as 2026-11-24T10:30:00Z") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def rebuild(
    *,
    pipeline: PipelineName = "web_analytics",
    until: Annotated[
        str | None,
        typer.Option(
            help="Only changes up to this point in time, such as 2026-11-24T10:30:00Z.", show_default="all changes"
        ),
    ] = None,
    swap: Annotated[
        bool | None,
        typer.Option(
            "--swap/--no-swap",
            help="Put the new table in the place of the target, whatever was found; or leave it beside it.",
            show_default="switch if nothing speaks against it; with --until leave it",
        ),
    ] = None,
    backfilled: Annotated[
        Backfilled | None,
        typer.Option(
            help="keep: copy rows that were backfilled from the live table, if the mapping is the same. leave: do "
            "without them; run backfill afterwards.",
            show_default="has to be said if there are any",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what the backup holds; write nothing.")] = False,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Drop the old table after the switch; it is kept otherwise.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Drop what an unfinished rebuild has made, and begin anew.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=32, help="How many objects are read at a time.")] = 4,
    overlap: Annotated[
        str, typer.Option(help="Count what was loaded for so long before as perhaps not yet in the backup.")
    ] = "25h",
    patience: Annotated[
        str, typer.Option(help="Wait so long for the backup of changes that were loaded in another shape.")
    ] = "15m",
    within: Annotated[
        str | None, typer.Option(help="Stop after this long, such as 12m; the next run goes on.", show_default="no")
    ] = None,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Make the target anew from backup/, which holds every change that ever passed, and switch to it while loads go on.

    Changes are mapped by the pipeline file as it is now, into a table beside the target; then both change names at
    once, and the old one is kept. For a changed mapping, a damaged table, or a drill. NOT in the backup: rows that were
    backfilled (say --backfilled) and rows that verify repaired (run verify afterwards). Interrupted or killed, the same
    command goes on where it was.
    """
    from operator_cli.rebuilding.command import Wishes, rebuild_site  # noqa: PLC0415 - see operator_cli.registry
    from operator_cli.rebuilding.rebuild import Bounds  # noqa: PLC0415 - as above

    wishes = Wishes(
        until_ms=None if until is None else moment_of(until),
        swap=swap,
        backfilled=None if backfilled is None else backfilled.value,
        dry_run=dry_run,
        drop_old=drop_old,
        restart=restart,
        bounds=Bounds(
            threads=concurrency,
            overlap=timedelta(milliseconds=age_in_ms(overlap)),
            patience_seconds=age_in_ms(patience) / 1000,
            ends_at=None if within is None else time.monotonic() + age_in_ms(within) / 1000,
        ),
    )
    return rebuild_site(Site.of(pipeline, folder=pipelines, needs=(Setting.BUCKET,)), wishes)
