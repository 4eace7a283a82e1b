"""`ddb2aurora migrate`: bring the tables of a pipeline to what its file says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.site import Site

if TYPE_CHECKING:
    from ddb2aurora.database.differences import Difference
    from ddb2aurora.database.migrate import Plan


@dataclass(frozen=True, slots=True)
class Migration(Result):
    """
    What was *done*, a line each, and what remains.

    *planned* is what would be done, *to_decide* what only a person may do, *left_over* what may stay as it is.
    """

    done: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    to_decide: tuple["Difference", ...] = ()
    left_over: tuple["Difference", ...] = ()

    @classmethod
    def of(cls, plan: "Plan", *, allow_copy: bool) -> "Migration":
        """Return what *plan* would do."""
        changes = (f"{found.place} {found.text}: {found.statement}" for found in plan.to_do(allow_copy=allow_copy))
        noting = ("note the columns of the pipeline file",) if plan.notes_shape else ()
        return cls(
            planned=(*(f"create the {found.what}: {found.statement}" for found in plan.creations), *changes, *noting),
            to_decide=plan.to_decide(allow_copy=allow_copy),
            left_over=plan.left_over,
        )

    @property
    def exit_code(self) -> int:
        """See `Result`."""
        return EXIT_FAILURES if self.to_decide else EXIT_FINE

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "done": list(self.done),
            "planned": list(self.planned),
            "to_decide": [_as_json(found) for found in self.to_decide],
            "left_over": [_as_json(found) for found in self.left_over],
        }

    def for_people(self) -> Iterator[str]:
        """See `Result`."""
        yield from self.done
        if self.planned:
            yield "would be done:" if not self.to_decide else "would be done, once nothing stops loads any more:"
            yield from (f"  {line}" for line in self.planned)
        if self.to_decide:
            yield "for you to decide; none of it was done:"
            yield from _lines(self.to_decide)
        if self.left_over:
            yield "left over, and may stay:"
            yield from _lines(self.left_over)
        if not (self.done or self.planned or self.to_decide):
            yield "nothing to do: all tables are there and match"


def _as_json(difference: "Difference") -> dict[str, Any]:
    return {
        "place": difference.place,
        "difference": difference.text,
        "why_not": difference.why,
        "statement": difference.statement,
        "stops_loads": difference.blocks,
    }


def _lines(differences: "tuple[Difference, ...]") -> Iterator[str]:
    for found in differences:
        yield f"  {found.place}: {found.text}{'; nothing can be loaded as it is' if found.blocks else ''}"
        yield f"    not done because {found.why}" if found.why else ""
        if found.statement:
            yield f"    {found.statement};"


def migrate(
    *,
    pipeline: PipelineName = "web_analytics",
    plan: Annotated[
        bool,
        typer.Option("--plan", "--dry-run", help="Show what would be done, statement by statement, and do nothing."),
    ] = False,
    allow_copy: Annotated[
        bool,
        typer.Option("--allow-copy", help="Also do what makes the server copy the table, while loads wait."),
    ] = False,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Make the database and the tables of a pipeline, or change them to what its file says; safe to run again.

    What costs no value and lets loads go on is done: columns are added, texts made longer, NULL allowed. The rest is
    shown with its statement and the reason why it is yours to decide, and the status is then 1. When such a difference
    stops loads, nothing is done at all. Roll a changed file out in this order: migrate, the loader, the transformer.

    The database is reached as DB_HOST, DB_PORT, DB_USER and one of DB_PASSWORD, DB_SECRET_ARN, DB_AUTH=iam say.
    """
    from ddb2aurora.database import migrate as work  # noqa: PLC0415 - see operator_cli.registry

    site = Site.of(pipeline, folder=pipelines)
    with site.database() as at:
        if plan:
            found = work.compare(at.connection, site.pipeline, server=at.server, database=at.name)
            return Migration.of(found, allow_copy=allow_copy)
        try:
            migrated = work.migrate(
                at.connection, site.pipeline, server=at.server, database=at.name, allow_copy=allow_copy
            )
        except work.TableMismatchError as error:
            return Migration.of(error.plan, allow_copy=allow_copy)
    return Migration(
        done=migrated.done, to_decide=migrated.plan.to_decide(allow_copy=allow_copy), left_over=migrated.plan.left_over
    )
