"""`ddb2aurora purge`: forget old deletes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import Result
from operator_cli.site import Site


@dataclass(frozen=True, slots=True)
class Forgotten(Result):
    """How many deletes of which table were forgotten, and the horizon (ms since 1970) from now on."""

    database: str
    table: str
    tombstones: int
    horizon_ms: int

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "database": self.database,
            "table": self.table,
            "forgotten": self.tombstones,
            "horizon_ms": self.horizon_ms,
        }

    def for_people(self) -> Iterator[str]:
        """See `Result`."""
        horizon = datetime.fromtimestamp(self.horizon_ms / 1000, UTC).isoformat(timespec="seconds")
        yield f"forgot {self.tombstones} deletes of {self.database}.{self.table}; horizon: {horizon}"


def purge(
    *,
    pipeline: PipelineName = "web_analytics",
    older_than: Annotated[
        str, typer.Option("--older-than", help="Forget deletes of this age, such as 7d; longer than any replay.")
    ] = "14d",
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Forget the deletes of a target that are older than an age, and refuse older changes from then on.

    The target remembers each delete, so that a late older change cannot bring the row back. An object that holds a
    change from before the horizon is refused as a whole: choose an age beyond which nothing is redriven.
    """
    from ddb2aurora.database.purge import purge as purge_tombstones  # noqa: PLC0415 - see operator_cli.registry

    age_ms = age_in_ms(older_than)
    site = Site.of(pipeline, folder=pipelines)
    with site.database() as database:
        purged = purge_tombstones(
            database.connection, site.pipeline, server=database.server, database=database.name, older_than_ms=age_ms
        )
    return Forgotten(database.name, site.pipeline.target_table, purged.tombstones, purged.horizon_ms)
