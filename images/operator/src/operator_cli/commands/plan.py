"""`ddb2aurora plan`: what is in a table, what a pipeline would reject of it, and a pipeline for a table without one."""

from typing import TYPE_CHECKING, Annotated

import typer

from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelinesFolder
from operator_cli.frame import Result

if TYPE_CHECKING:
    from operator_cli.planning.reading import Sample


def sample_of(text: str | None) -> "Sample":
    """
    Return the sample that *text* says: 5000 items, or a share such as 5% or 0.05; all of it where it is None.

    Raises:
        BadParameter: It says none.
    """
    from operator_cli.planning.reading import Sample  # noqa: PLC0415 - see operator_cli.registry

    if text is None:
        return Sample()
    written = text.strip()
    try:
        if written.endswith("%"):
            share = float(written.removesuffix("%")) / 100
        elif "." in written:
            share = float(written)
        else:
            items = int(written)
            if items > 0:
                return Sample(items=items)
            share = 0.0
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise typer.BadParameter("a sample is a number of items such as 5000, or a share such as 5% or 0.05")
    return Sample(share=share)


def plan(
    *,
    table: Annotated[
        str | None, typer.Argument(help="Name of the DynamoDB table; the pipeline's, where one is named.")
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option("--pipeline", "-p", help="Name of a pipeline that there is: tell what it would reject, and why."),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(help="Read a part only: so many items (5000), or a share (5% or 0.05).", metavar="SIZE"),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            help="Read a full export to S3 instead of the table: s3://bucket/prefix/AWSDynamoDB/ID/.", metavar="URL"
        ),
    ] = None,
    segments: Annotated[
        int, typer.Option(min=1, max=64, help="Segments of the table, or files, that are read at the same time.")
    ] = 4,
    read_units: Annotated[
        float | None, typer.Option("--read-units", min=1, help="Read units of the table to use a second, at most.")
    ] = None,
    depth: Annotated[
        int, typer.Option(min=1, max=32, help="How deep to look into maps, lists and JSON documents.")
    ] = 8,
    write: Annotated[
        bool, typer.Option("--write", help="Write the proposed pipeline file and its JSON Schemas.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    name: Annotated[
        str | None, typer.Option(help="Name of the proposed pipeline.", show_default="from the table's")
    ] = None,
    database: Annotated[
        str, typer.Option(envvar="DB_NAME", help="Database of the proposed pipeline's target.")
    ] = "ddb2aurora",
    target_table: Annotated[
        str | None, typer.Option("--target-table", help="Table of its target.", show_default="the pipeline's name")
    ] = None,
    tolerate: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.5,
            help="Open strings as JSON documents though this share of the items holds none; those will be rejected.",
        ),
    ] = 0.0,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Tell what is in a table, and propose the pipeline for it; with --write, `migrate` and a stack can use it at once.

    Reads the table by a parallel Scan of eventually consistent reads (half a read unit for 4 KB), an export of it, or a
    part of either, and keeps statistics alone. With --pipeline, tells which items that pipeline would reject, and what
    would mend it: ends with 1 if there are any. Ctrl-C ends the reading and shows what was found so far.
    """
    from operator_cli.pipelines import find_pipeline  # noqa: PLC0415 - see operator_cli.registry
    from operator_cli.planning.command import Wishes, plan_table  # noqa: PLC0415 - as above

    if pipeline is not None and (write or name is not None or tolerate):
        raise typer.BadParameter("--pipeline names one that there is; --write, --name and --tolerate propose another")
    found = None if pipeline is None else find_pipeline(pipeline, folder=pipelines)
    if table is None and found is None:
        raise typer.BadParameter("name a table, or a pipeline by --pipeline")
    if table is not None and found is not None and table != found.source_table:
        raise typer.BadParameter(f"pipeline {found.name} reads table {found.source_table}, not {table}")
    wishes = Wishes(
        table=table or (found.source_table if found else ""),
        pipeline=found,
        folder=pipelines,
        export=export,
        sample=sample_of(sample),
        threads=segments,
        read_units=read_units,
        depth=depth,
        write=write,
        force=force,
        name=name,
        database=database,
        target_table=target_table,
        tolerate=tolerate,
    )
    return plan_table(wishes)
