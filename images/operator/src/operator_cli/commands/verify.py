"""`ddb2aurora verify`: compare source and target while writes go on, and mend what differs."""

import re
from typing import Annotated, Final

import typer

from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import Result
from operator_cli.site import Site

_PART: Final = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})", re.ASCII)


def part_of(text: str) -> tuple[int, int]:
    """
    Return the number of a part and how many there are out of *text*, such as 2/8.

    Raises:
        BadParameter: It says none.
    """
    match = _PART.fullmatch(text.strip())
    if match is None or int(match[1]) > int(match[2]):
        raise typer.BadParameter("a part is K/N, such as 2/8: the second of eight")
    return int(match[1]), int(match[2])


def verify(
    *,
    pipeline: PipelineName = "web_analytics",
    segments: Annotated[
        int, typer.Option(min=1, max=64, help="Segments of the table that are read at the same time.")
    ] = 4,
    segment: Annotated[
        str | None, typer.Option(help="Compare a part only, such as 2/8; eight machines can take one each.")
    ] = None,
    sample: Annotated[
        float | None, typer.Option(min=0, max=1, help="Compare about this share only, such as 0.01.")
    ] = None,
    read_units: Annotated[
        float | None, typer.Option("--read-units", min=1, help="Read units of the table to use a second, at most.")
    ] = None,
    settle: Annotated[
        str | None,
        typer.Option(
            help="How long a difference must last to count, such as 2m. By default twice what the pipeline took to "
            "carry its last changes."
        ),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what is confirmed; a newer change is never overwritten.")
    ] = False,
    max_repairs: Annotated[
        int, typer.Option("--max-repairs", min=1, help="Mend nothing if more than this is confirmed.")
    ] = 10_000,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest run that was not finished.")] = False,
    show_keys: Annotated[bool, typer.Option("--show-keys", help="Show keys, not their hashes.")] = False,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Compare every item of the source with its row in the target, and every row with its item, while writes go on.

    A difference counts only if it lasts longer than the pipeline takes to carry a change. Items that the pipeline can
    never load are counted apart, by reason. All that was found is kept in the table _ddb2aurora_verify beside the
    target. Ends with 0 if the two sides are equal, with 1 if not. Interrupted, it goes on with --resume.
    """
    from operator_cli.verifying.command import Wishes, verify_site  # noqa: PLC0415 - see operator_cli.registry

    part = (1, 1) if segment is None else part_of(segment)
    if sample is not None and segment is not None:
        raise typer.BadParameter("--sample and --segment do not go together")
    if sample == 0:
        raise typer.BadParameter("a sample of nothing shows nothing")
    if resume and (sample is not None or segment is not None):
        raise typer.BadParameter("--resume goes on with what was begun; leave out --sample and --segment")
    wishes = Wishes(
        segments=segments,
        part=part,
        sample=1.0 if sample is None else sample,
        read_units=read_units,
        settle_ms=None if settle is None else age_in_ms(settle),
        repair=repair,
        max_repairs=max_repairs,
        resume=resume,
        show_keys=show_keys,
    )
    return verify_site(Site.of(pipeline, folder=pipelines), wishes)
