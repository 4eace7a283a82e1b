"""`ddb2aurora migrate`: bring the tables of a pipeline to what its file says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.site import Site

if TYPE_CHECKING:
    from ddb2aurora.database.differences import Difference
    from ddb2aurora.database.plan import Plan
    from ddb2aurora.database.users import DatabaseUser, Role


class UserAuth(StrEnum):
    """How a user logs in to the database."""

    IAM = "iam"
    PASSWORD = "password"  # noqa: S105 - the way, not a password


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
    def of(cls, plan: "Plan", *, allow_copy: bool, users: "Sequence[DatabaseUser]") -> "Migration":
        """Return what *plan* would do, and for which *users*."""
        changes = (f"{found.place} {found.text}: {found.statement}" for found in plan.to_do(allow_copy=allow_copy))
        noting = ("note the columns of the pipeline file",) if plan.notes_shape else ()
        granting = (f"make sure that the user {user.name} has what the {user.role} needs" for user in users)
        return cls(
            planned=(
                *(f"create the {found.what}: {found.statement}" for found in plan.creations),
                *changes,
                *noting,
                *granting,
            ),
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
            yield "would be done:" if not self.to_decide else "would be done, once you have decided:"
            yield from (f"  {line}" for line in self.planned)
        if self.to_decide:
            yield "nothing was done; this file cannot be loaded before you decide:"
            yield from _lines(self.to_decide)
        if self.left_over:
            yield "more than the file asks for, and may stay:"
            yield from _lines(self.left_over)
        if not (self.done or self.planned or self.to_decide):
            yield "nothing to do: all tables are there and match"


def _as_json(difference: "Difference") -> dict[str, Any]:
    return {
        "place": difference.place,
        "difference": difference.text,
        "why_not": difference.why,
        "statement": difference.statement,
    }


def _lines(differences: "tuple[Difference, ...]") -> Iterator[str]:
    for found in differences:
        yield f"  {found.place}: {found.text}"
        yield f"    not done because {found.why}" if found.why else ""
        if found.statement:
            yield f"    {found.statement};"


def _users(loader: str | None, operator: str | None, *, auth: UserAuth) -> "list[DatabaseUser]":
    from ddb2aurora.database.users import DatabaseUser  # noqa: PLC0415 - see operator_cli.registry
    from ddb2aurora.settings import Secret, SettingsReader, process_environment  # noqa: PLC0415 - as above

    reader, users = SettingsReader(process_environment()), []
    asked: tuple[tuple[Role, str | None, str], ...] = (
        ("loader", loader, "LOADER_DB_PASSWORD"),
        ("operator", operator, "OPERATOR_DB_PASSWORD"),
    )
    for role, name, variable in asked:
        if name:
            password = None
            if auth is UserAuth.PASSWORD:
                password = Secret(reader.text(variable, what=f"the password that the user {name} gets if it is made"))
            users.append(DatabaseUser(name, role, password))
    reader.finish()
    return users


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
    loader_user: Annotated[
        str | None,
        typer.Option(envvar="LOADER_DB_USER", help="Also make this user, and grant it what the loader needs."),
    ] = None,
    operator_user: Annotated[
        str | None,
        typer.Option(envvar="OPERATOR_DB_USER", help="Also make this user, and grant it what these commands need."),
    ] = None,
    user_auth: Annotated[
        UserAuth,
        typer.Option(
            envvar="DB_USER_AUTH",
            help="How these users log in: iam, on AWS, or password, LOADER_DB_PASSWORD and OPERATOR_DB_PASSWORD.",
        ),
    ] = UserAuth.IAM,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Make the database and the tables of a pipeline, or change them to what its file says; safe to run again.

    What costs no value and lets loads go on is done: columns are added, texts made longer, NULL allowed. What is yours
    to decide is shown with its statement and the reason; then nothing is done, and the status is 1. Roll a changed file
    out in this order: migrate, the loader, the transformer.

    The database is reached as DB_HOST, DB_PORT, DB_USER and one of DB_PASSWORD, DB_SECRET_ARN, DB_AUTH=iam say.
    """
    from ddb2aurora.database import migrate as work  # noqa: PLC0415 - see operator_cli.registry
    from ddb2aurora.database.users import ensure_user  # noqa: PLC0415 - as above

    site = Site.of(pipeline, folder=pipelines)
    users = _users(loader_user, operator_user, auth=user_auth)
    with site.database() as at:
        if plan:
            found = work.compare(at.connection, site.pipeline, server=at.server, database=at.name)
            return Migration.of(found, allow_copy=allow_copy, users=users)
        try:
            migrated = work.migrate(
                at.connection, site.pipeline, server=at.server, database=at.name, allow_copy=allow_copy
            )
        except work.TableMismatchError as error:
            return Migration.of(error.plan, allow_copy=allow_copy, users=users)
        done = migrated.done + tuple(
            line for user in users for line in ensure_user(at.connection, user, tables=at.tables)
        )
    return Migration(done=done, left_over=migrated.plan.left_over)
