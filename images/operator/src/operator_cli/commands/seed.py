"""`ddb2aurora seed`: put a reproducible workload into the source table."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ddb2aurora.errors import HaltError
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import Result
from operator_cli.pipelines import find_pipeline
from operator_cli.progress import progress

if TYPE_CHECKING:
    from operator_cli.clickstream import Operation


@dataclass(frozen=True, slots=True)
class Seeded(Result):
    """How many *writes* went to how many *items* of a table, and how many of them were *broken* on purpose."""

    table: str
    items: int
    writes: int
    broken: int

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return asdict(self)

    def for_people(self) -> Iterator[str]:
        """See `Result`."""
        yield f"{self.writes} writes to {self.items} items of {self.table}, {self.broken} of them broken on purpose"


class WorkloadError(HaltError):
    """The workload does not fit the pipeline."""


def seed(
    *,
    pipeline: PipelineName = "web_analytics",
    items: Annotated[int, typer.Option(min=1, help="How many items to put.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same workload.")] = 1,
    updated: Annotated[float, typer.Option(min=0, max=1, help="Share of the items that is updated.")] = 0.10,
    deleted: Annotated[float, typer.Option(min=0, max=1, help="Share that is deleted.")] = 0.05,
    recreated: Annotated[float, typer.Option(min=0, max=1, help="Share that is deleted and made again.")] = 0.02,
    broken: Annotated[float, typer.Option(min=0, max=1, help="Share that breaks the schema or a column.")] = 0.02,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Write a click-stream workload into the DynamoDB table of the reference pipeline.

    Items are put first, then some are updated, deleted, and made again. The endpoint is the AWS SDK's:
    set AWS_ENDPOINT_URL for a local stack.
    """
    from operator_cli.aws import dynamodb_client  # noqa: PLC0415 - see operator_cli.registry
    from operator_cli.clickstream import KEY, Shares, operations  # noqa: PLC0415 - as above
    from operator_cli.seeding import Seeder  # noqa: PLC0415 - as above

    found = find_pipeline(pipeline, folder=pipelines)
    if found.source_key != KEY:
        raise WorkloadError(
            f"the workload is one of page visits with the key {', '.join(KEY)}, and pipeline {found.name} has the key "
            f"{', '.join(found.source_key)}; name a pipeline with that key"
        )
    shares = Shares(updated=updated, deleted=deleted, recreated=recreated, broken=broken)
    planned = list(operations(items, seed=seed, shares=shares))
    seeder = Seeder(dynamodb_client(), table=found.source_table, key=found.source_key)
    with progress() as display:
        task = display.add_task(f"writing into {found.source_table}", total=len(planned))

        def written(batch: "Sequence[Operation]") -> None:
            display.advance(task, len(batch))

        count = seeder.write(planned, written=written)
    broken_count = sum(operation.breaks is not None for operation in planned)
    return Seeded(found.source_table, items, count, broken_count)
