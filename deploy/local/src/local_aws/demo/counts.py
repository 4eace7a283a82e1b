"""What each stage and each managed part has done, read off where each of them counts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import LOADS_TABLE, quote_name

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from local_aws.stack.embedded import EmbeddedStack


@dataclass(frozen=True, slots=True)
class Loaded:
    """Sums over the ledger."""

    objects: int = 0
    rows: int = 0
    applied: int = 0
    stale: int = 0
    deleted: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """Bytes that Firehose would bill: as the records came, with a change a record, and with packing."""

    as_put: int = 0
    one_by_one: int = 0
    packed: int = 0


@dataclass(frozen=True, slots=True)
class StageCounts:
    """
    The counts of one pipeline at one moment, all in changes but for *records*, *refused* and objects.

    Of the *accepted* changes, *transformed* became rows, *failed* lie under `failed/` with their record, and *kept*
    alone: the transformer took them out of a packed record.
    """

    changes: int
    stream_retries: int
    records: int
    accepted: int
    refused: int
    transformed: int
    failed: int
    kept: int
    objects: int
    loads_failed: int
    loaded: Loaded
    bill: Bill

    @property
    def rejected(self) -> int:
        """How many changes lie under `failed/`."""
        return self.failed + self.kept

    @property
    def accounted(self) -> bool:
        """Whether every change that Firehose accepted has become a row of a loaded object, or lies under `failed/`."""
        return self.accepted == self.loaded.rows + self.rejected

    @property
    def nothing_lost(self) -> bool:
        """Whether every change of the stream reached Firehose; a change that is sent twice counts twice there."""
        return self.changes <= self.accepted


def counts_of(stack: "EmbeddedStack", pipeline: Pipeline, connection: "Connection[Any]") -> StageCounts:
    """Return what has been counted so far."""
    running = stack.running[pipeline.name]
    stream = running.mapping.counters
    delivery = stack.firehose.statistics()[pipeline.name]
    return StageCounts(
        changes=stream.records_read,
        stream_retries=stream.retries,
        records=delivery.records_in,
        accepted=delivery.lines_in,
        refused=delivery.refused,
        transformed=delivery.lines_out,
        failed=delivery.lines_failed,
        kept=delivery.lines_taken_out,
        objects=delivery.data_objects,
        loads_failed=running.notifications.counters.failed,
        loaded=_loaded(pipeline, connection),
        bill=Bill(delivery.billed_bytes, delivery.billed_bytes_one_by_one, delivery.billed_bytes_packed),
    )


def _loaded(pipeline: Pipeline, connection: "Connection[Any]") -> Loaded:
    ledger = quote_name(pipeline.target_database, LOADS_TABLE)
    sums = ", ".join(
        f"COALESCE(SUM({name}), 0)" for name in ("rows_in_file", "applied", "stale", "deleted", "rejected")
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*), {sums} FROM {ledger} WHERE pipeline = %s", (pipeline.name,))  # noqa: S608 - quoted
        return Loaded(*map(int, cursor.fetchone() or ()))
