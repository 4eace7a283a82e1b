"""`ddb2aurora migrate`: make the tables that a pipeline needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import Result
from operator_cli.site import Site


@dataclass(frozen=True, slots=True)
class Migrated(Result):
    """What was made, a line each."""

    made: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {"made": list(self.made)}

    def for_people(self) -> Iterator[str]:
        """See `Result`."""
        yield from self.made or ("nothing to do: all tables are there and match",)


def migrate(
    *, pipeline: PipelineName = "web_analytics", pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER
) -> Result:
    """
    Make the database, the target table and the tables kept beside it; safe to run again.

    A table that is there and does not match is refused, with every difference named. The database is reached as
    DB_HOST, DB_PORT, DB_USER and one of DB_PASSWORD, DB_SECRET_ARN, DB_AUTH=iam say.
    """
    from ddb2aurora.database.migrate import migrate as migrate_database  # noqa: PLC0415 - see operator_cli.registry

    site = Site.of(pipeline, folder=pipelines)
    with site.database() as database:
        made = migrate_database(database.connection, site.pipeline, server=database.server, database=database.name)
    return Migrated(tuple(made))
