"""A stack that has carried a small workload, and the demonstration as a user starts it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.demo.proof import Proof, prove
from local_aws.demo.run import Outcome, run_workload
from local_aws.stack import resources
from local_aws.stack.embedded import EmbeddedStack
from operator_cli.clickstream import Shares, operations

REPOSITORY = Path(__file__).parents[3]


class Carried:
    """A stack whose workload has come through, and what can be proved of it."""

    def __init__(self, stack: EmbeddedStack, pipeline: Pipeline, outcome: Outcome) -> None:
        self.stack = stack
        self.pipeline = pipeline
        self.outcome = outcome

    def prove(self, connection: Any) -> Proof:
        return prove(self.pipeline, clients=self.stack.clients, bucket=resources.BUCKET, connection=connection)


@pytest.fixture(scope="module")
def carried() -> Iterator[Carried]:
    pipeline = read_pipeline_file(REPOSITORY / "pipelines" / "web_analytics.yaml")
    shares = Shares(updated=0.1, deleted=0.1, recreated=0.1, broken=0.2)
    planned = list(operations(40, seed=3, shares=shares))
    with (
        EmbeddedStack([pipeline], cache=REPOSITORY / ".local" / "cache" / "databases") as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):
        outcome = run_workload(
            stack, pipeline, planned, connection=connection, progress=lambda *_: None, deadline_seconds=60
        )
        yield Carried(stack, pipeline, outcome)


@pytest.fixture
def connection(carried: Carried) -> Iterator[Any]:
    """A connection whose damage is rolled back."""
    connection = carried.stack.database.connect(database="Demo")
    yield connection
    connection.rollback()
    connection.close()
