"""Write the workload of a plan into the source table, at the plan's rate."""

import itertools
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ddb2aurora.pipeline import Pipeline
from local_aws.chaos.plan import Plan
from local_aws.chaos.workload import writes
from operator_cli.clickstream import Operation
from operator_cli.seeding import Seeder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TICK_SECONDS: Final = 0.1
_MOST_A_TICK: Final = 1000


class Writer:
    """Write from `start` to `stop`, in one thread, so that the last write of an item is known."""

    def __init__(self, dynamodb: "DynamoDBClient", pipeline: Pipeline, plan: Plan) -> None:
        self._seeder = Seeder(dynamodb, table=pipeline.source_table, key=pipeline.source_key)
        self._plan = plan
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="chaos writer", daemon=True)
        self._count = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._stopping.set()
        self._thread.join()

    def written(self) -> int:
        """
        Return how many changes are written by now.

        Raises:
            Exception: Writing failed; it is raised here, where somebody waits for it.
        """
        if self._failure is not None:
            raise self._failure
        return self._count

    def _run(self) -> None:
        try:
            self._write()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._failure = error

    def _write(self) -> None:
        plan = self._plan
        planned = writes(seed=plan.seed, cold_items=plan.cold_items)
        rate = plan.changes / plan.seconds
        started = time.monotonic()
        while not self._stopping.wait(_TICK_SECONDS):
            due = int((time.monotonic() - started) * rate) - self._count
            # What a busy machine has missed is made up for in small steps, so that a stop is heard.
            self._seeder.write(itertools.islice(planned, min(due, _MOST_A_TICK)), written=self._written)

    def _written(self, batch: Sequence[Operation]) -> None:
        self._count += len(batch)
