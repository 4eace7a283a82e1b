"""`ddb2aurora diff-item`: both sides of one item, its history, and where it is stuck."""

from typing import Annotated

import typer

from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import Result
from operator_cli.site import Setting, Site


def diff_item(
    item_key: Annotated[
        str | None, typer.Argument(help='The key as JSON, such as \'{"page_id": "p", "activity_dt": "2026"}\'.')
    ] = None,
    *,
    pipeline: PipelineName = "web_analytics",
    key: Annotated[
        list[str] | None, typer.Option("--key", help="One attribute of the key, such as page_id=p; give each.")
    ] = None,
    history: Annotated[bool, typer.Option(help="Search the bucket and the rejects for changes of the item.")] = True,
    since: Annotated[str, typer.Option(help="Search what was written within this time, such as 6h.")] = "1d",
    most_objects: Annotated[
        int, typer.Option("--most-objects", min=1, help="Read at most so many objects of each place.")
    ] = 500,
    wait: Annotated[
        str | None, typer.Option(help="Wait up to this long, such as 2m, until the two sides are equal.")
    ] = None,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Show one item beside its row, column by column, with its history, and say where it is stuck.

    This prints the values of the item and of the row, since you asked for them. Ends with 0 if both are equal, with 1
    if not: in flight, rejected, failed, not loaded, or different, each with what to do about it.
    """
    from operator_cli.inspecting.command import Question, difference_of  # noqa: PLC0415 - see operator_cli.registry

    if item_key is None and not key:
        raise typer.BadParameter("name the item: its key as JSON, or --key attribute=value for each attribute of it")
    question = Question(
        key_text=item_key,
        assignments=tuple(key or ()),
        history=history,
        since_ms=age_in_ms(since),
        most_objects=most_objects,
        wait_seconds=0.0 if wait is None else age_in_ms(wait) / 1000,
    )
    return difference_of(Site.of(pipeline, folder=pipelines, needs=(Setting.BUCKET,) if history else ()), question)
