"""Run a workload through a stack until everything is quiet, telling how far it has come."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.pipeline import Pipeline
from local_aws.demo.counts import StageCounts, counts_of
from local_aws.demo.freshness import FreshnessWatch
from local_aws.services.errors import LocalServiceError
from operator_cli.clickstream import Operation
from operator_cli.seeding import Seeder

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from local_aws.stack.embedded import EmbeddedStack

_LOOK_EVERY_SECONDS: Final = 0.1
_WATCHED_ITEMS: Final = 400
_QUIET_LOOKS: Final = 5
_LOG_LINES_SHOWN: Final = 30  # an error with its traceback
_METRICS_LINE: Final = '{"_aws"'


class StuckError(LocalServiceError):
    """The path has not become quiet in time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The counts at the end, how long it took, and the freshness that was seen."""

    counts: StageCounts
    seconds: float
    freshness: FreshnessWatch


def run_workload(
    stack: "EmbeddedStack",
    pipeline: Pipeline,
    operations: Sequence[Operation],
    *,
    connection: "Connection[Any]",
    progress: Callable[[int, StageCounts], None],
    deadline_seconds: float,
) -> Outcome:
    """
    Write *operations*, wait until every change has come through, and return what happened.

    Raises:
        StuckError: Not everything came through within *deadline_seconds*, or the loader gave an object up.
    """
    started = time.monotonic()
    watch = FreshnessWatch(pipeline, connect=lambda: stack.database.connect(autocommit=True))
    writer = _Writer(stack, pipeline, operations, watch)
    watch.start()
    writer.start()
    try:
        quiet = 0
        while quiet < _QUIET_LOOKS:
            time.sleep(_LOOK_EVERY_SECONDS)
            writer.raise_failure()
            counts = counts_of(stack, pipeline, connection)
            progress(writer.count, counts)
            quiet = quiet + 1 if _is_quiet(stack, pipeline, writer, counts) else 0
            problem = None
            if counts.loads_failed:
                problem = "an object could not be loaded, however often it was tried"
            elif time.monotonic() - started > deadline_seconds:
                problem = f"not everything came through within {deadline_seconds:g} s: {counts}"
            if problem:
                raise StuckError(f"{problem}\n{_last_words(stack, pipeline)}")
        seconds = time.monotonic() - started - _QUIET_LOOKS * _LOOK_EVERY_SECONDS
    finally:
        watch.stop()
    # What still waits now is the backup, whose buffer is longer.
    stack.firehose.flush()
    return Outcome(counts_of(stack, pipeline, connection), seconds, watch)


def _last_words(stack: "EmbeddedStack", pipeline: Pipeline) -> str:
    """Return the end of what each function has logged, since the logs are gone when the stack is."""
    told = []
    for stage in ("stream-processor", "firehose-transformer", "aurora-loader"):
        log = stack.folder / f"{pipeline.name}-{stage}.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        said = [f"  {line}" for line in lines if not line.startswith(_METRICS_LINE)]
        if said:
            told += [f"the log of {stage} ends with:", *said[-_LOG_LINES_SHOWN:]]
    return "\n".join(told)


def _is_quiet(stack: "EmbeddedStack", pipeline: Pipeline, writer: "_Writer", counts: StageCounts) -> bool:
    running = stack.running[pipeline.name]
    return (
        writer.done
        and counts.changes >= writer.count
        and counts.accepted == counts.transformed + counts.rejected
        and counts.loaded.rows >= counts.transformed
        and running.idle
    )


class _Writer:
    """Write the workload in a thread of its own."""

    def __init__(
        self, stack: "EmbeddedStack", pipeline: Pipeline, operations: Sequence[Operation], watch: FreshnessWatch
    ) -> None:
        self._seeder = Seeder(stack.clients.dynamodb, table=pipeline.source_table, key=pipeline.source_key)
        self._operations = operations
        self._watch = watch
        items = sum(operation.item is not None for operation in operations)
        self._every = max(1, items // _WATCHED_ITEMS)
        self._seen: set[tuple[str, str]] = set()
        self.count = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _write(self) -> None:
        try:
            self._seeder.write(self._operations, written=self._written)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._failure = error

    def _written(self, batch: Sequence[Operation]) -> None:
        for operation in batch:
            self.count += 1
            new = operation.key not in self._seen
            self._seen.add(operation.key)
            if new and operation.breaks is None and len(self._seen) % self._every == 0:
                self._watch.written(operation.key)
