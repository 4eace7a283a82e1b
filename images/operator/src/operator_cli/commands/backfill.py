"""`ddb2aurora backfill`: the items that were there before the stream."""

from typing import Annotated

import typer

from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import Result
from operator_cli.site import Setting, Site


def backfill(
    *,
    pipeline: PipelineName = "web_analytics",
    segments: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Into how many segments a run divides the table; it keeps that number.",
            show_default="from its size",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Segments or files that are read at the same time.")] = 4,
    read_units: Annotated[
        float | None, typer.Option("--read-units", min=1, help="Read units of the table to use a second, at most.")
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            help="Read a full export to S3 instead of the table: s3://bucket/prefix/AWSDynamoDB/ID/.", metavar="URL"
        ),
    ] = None,
    start_export: Annotated[
        str | None,
        typer.Option("--start-export", help="Export the table to s3://bucket/prefix first, and wait.", metavar="URL"),
    ] = None,
    object_mb: Annotated[
        int, typer.Option("--object-mb", min=1, max=128, help="Size of an object of rows, each one transaction.")
    ] = 16,
    in_flight: Annotated[
        int, typer.Option("--in-flight", min=1, help="Read on only while this many objects at most are not loaded.")
    ] = 32,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all objects are loaded.")] = True,
    patience: Annotated[
        str, typer.Option(help="Give up when nothing was loaded for this long; longer than sweep's interval.")
    ] = "30m",
    within: Annotated[
        str | None, typer.Option(help="Stop after this long, such as 10m; the next run goes on.", show_default="no")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the unfinished run as it was begun, or fail.")
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Give an unfinished run up and begin anew.")] = False,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Carry the items that were there before the stream into the target, while writes go on.

    Every item becomes a row of version 0, which any change beats; deletes that overtake it are remembered. Items that
    do not map are kept under failed/ with their reason, and the status is 1. Interrupted or killed, the same command
    goes on where it was: progress is kept in the table _ddb2aurora_backfills beside the target.
    """
    from operator_cli.backfilling.command import Wishes, backfill_site  # noqa: PLC0415 - see operator_cli.registry
    from operator_cli.backfilling.copying import Bounds  # noqa: PLC0415 - as above

    if export is not None and start_export is not None:
        raise typer.BadParameter("--export reads one that is there, --start-export makes one: give one of the two")
    if (export is not None or start_export is not None) and (segments is not None or read_units is not None):
        raise typer.BadParameter("an export has files, and costs no read units: leave out --segments and --read-units")
    if resume and restart:
        raise typer.BadParameter("--resume goes on, --restart begins anew: give one of the two")
    wishes = Wishes(
        bounds=Bounds(threads=threads, object_bytes=object_mb * 2**20, in_flight=in_flight),
        segments=segments,
        read_units=read_units,
        export=export,
        start_export=start_export,
        resume=resume,
        restart=restart,
        wait=wait,
        patience_seconds=age_in_ms(patience) / 1000,
        within_seconds=None if within is None else age_in_ms(within) / 1000,
    )
    return backfill_site(Site.of(pipeline, folder=pipelines, needs=(Setting.BUCKET,)), wishes)
