"""
What each part of a pipeline costs in a month at a steady rate of changes: formulas, and what they assume. Pure.

Every quantity follows from the rate, from the settings of the templates and from measurements; every dollar from a
quantity and a price of the price file.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ddb2aurora.metrics import METRICS
from ddb2aurora.packing import billed_bytes, packed
from deploy_aws.costs.prices import Measured, Prices

HOURS: Final = 730
SECONDS: Final = HOURS * 3600
GB: Final = 2**30  # AWS bills storage and Firehose by 1,073,741,824 bytes
MIB: Final = 2**20
# Lambda gives one whole core at 1,769 MB, and less of one below.
_WHOLE_CORE_MB: Final = 1_769
_PARTITION_WRITES: Final = 1_000  # DynamoDB: writes a second that one partition takes; the stream has a shard for each
_CALL_RECORDS: Final = 500  # Firehose: records a call
_SECONDS_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is set, by default as in the templates, and what is supposed; `cost_page` says what each of them means."""

    batch_size: int = 500
    batch_window_seconds: float = 1
    transform_bytes: int = MIB
    transform_seconds: float = 10
    buffer_bytes: int = 5 * MIB
    buffer_seconds: float = 60
    backup_seconds: float = 300
    stream_processor_mb: int = 512
    transformer_mb: int = 1_024
    loader_mb: int = 1_024
    processed_days: int = 30
    backup_days: int = 365
    zones: int = 2
    endpoints: int = 6
    instances: int = 2
    least_acus: float = 0.5
    alarms: int = 49
    custom_metrics: int = len(METRICS)
    secrets: int = 1
    # Supposed, and to be replaced by what an account shows.
    call_seconds: float = 0.03
    invocation_seconds: float = 0.005
    load_seconds: float = 0.3
    cores_an_acu: float = 0.25
    full_target_share: float = 0.25
    busy_share: float = 0.5
    ios_a_row: float = 0.25
    target_gb: float = 50
    log_bytes: int = 1_500


class Line(NamedTuple):
    """One line of a bill: the *part* of the pipeline, *what* it uses, how much a month, the name of the *price*."""

    part: str
    what: str
    quantity: float
    price: str

    def usd(self, prices: Prices) -> float:
        """Return what it costs a month."""
        return prices[self.price].of(self.quantity)


class Work(NamedTuple):
    """What a function does: *invocations* a second of so many *seconds* each, with so many *megabytes*."""

    invocations: float
    seconds: float
    megabytes: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A month of one pipeline at *rate* changes a second."""

    rate: float
    packing: bool
    measured: Measured
    assumed: Assumptions = Assumptions()

    @property
    def shards(self) -> int:
        """Shards of the stream: one for each partition that the writes of small items need."""
        return max(1, math.ceil(self.rate / _PARTITION_WRITES))

    @property
    def changes_a_batch(self) -> int:
        """How many changes one batch holds: what a shard brings in a window, up to the batch size."""
        gathered = self.rate / self.shards * self.assumed.batch_window_seconds
        return max(1, min(self.assumed.batch_size, round(gathered)))

    @property
    def batches(self) -> float:
        """Batches a second."""
        return self.rate / self.changes_a_batch

    @property
    def calls_a_batch(self) -> int:
        """Calls to Firehose that a batch takes."""
        return math.ceil(self._records_a_batch / _CALL_RECORDS)

    @property
    def records(self) -> float:
        """Firehose records a second."""
        return self.batches * self._records_a_batch

    @property
    def billed_bytes_a_second(self) -> float:
        """What Firehose bills."""
        return self.batches * billed_bytes(self._records())

    @property
    def transforms(self) -> float:
        """Invocations of the transformer a second: a buffer is full, or its time is over."""
        return self._flushes(self._change_bytes, self.assumed.transform_bytes, self.assumed.transform_seconds)

    @property
    def objects(self) -> float:
        """Objects of rows a second, each of which is loaded."""
        row_bytes = self.rate * self.measured.workload.row_bytes
        return self._flushes(row_bytes, self.assumed.buffer_bytes, self.assumed.buffer_seconds)

    @property
    def backups(self) -> float:
        """Objects of source records a second."""
        return self._flushes(self._change_bytes, self.assumed.buffer_bytes, self.assumed.backup_seconds)

    @property
    def rows_an_acu(self) -> float:
        """Rows a second that one ACU loads into a large target while it is busy to the stated share."""
        load, assumed = self.measured.load, self.assumed
        a_core = load.rows_per_second / load.cores
        return a_core * assumed.cores_an_acu * assumed.full_target_share * assumed.busy_share

    @property
    def acus(self) -> float:
        """Capacity of each instance, in steps of half an ACU."""
        return max(self.assumed.least_acus, math.ceil(2 * self.rate / self.rows_an_acu) / 2)

    def lines(self) -> Iterator[Line]:
        """Yield the bill, from the stream to the logs."""
        yield Line("DynamoDB Streams", "reads by Lambda, which are free", 0, "lambda_request")
        yield from self._functions()
        yield Line("Data Firehose", "bytes billed", self.billed_bytes_a_second * SECONDS / GB, "firehose_gb")
        yield from self._storage()
        yield from self._database()
        yield from self._operations()

    def usd(self, prices: Prices) -> float:
        """Return the whole month."""
        return sum(line.usd(prices) for line in self.lines())

    @property
    def _change_bytes(self) -> float:
        return self.rate * self.measured.workload.change_bytes

    @property
    def _records_a_batch(self) -> int:
        return len(list(self._records()))

    def _records(self) -> Iterator[int]:
        sizes = [self.measured.workload.change_bytes] * self.changes_a_batch
        yield from map(sum, packed(sizes, size_of=int)) if self.packing else sizes

    def _flushes(self, bytes_a_second: float, most_bytes: float, most_seconds: float) -> float:
        # Whatever comes first; but there is no flush without a change.
        return min(self.rate, max(bytes_a_second / most_bytes, 1 / most_seconds))

    def work(self) -> dict[str, Work]:
        """Return what each function does."""
        assumed, times = self.assumed, self.measured.times
        a_batch = assumed.invocation_seconds + self.calls_a_batch * assumed.call_seconds
        a_batch += _seconds(self.changes_a_batch, times.stream_processor_microseconds, assumed.stream_processor_mb)
        a_transform = assumed.invocation_seconds + _seconds(
            self.rate / self.transforms, times.transformer_microseconds, assumed.transformer_mb
        )
        return {
            "stream-processor": Work(self.batches, a_batch, assumed.stream_processor_mb),
            "firehose-transformer": Work(self.transforms, a_transform, assumed.transformer_mb),
            "aurora-loader": Work(self.objects, self.load_seconds, assumed.loader_mb),
        }

    def _functions(self) -> Iterator[Line]:
        for name, found in self.work().items():
            invocations = found.invocations * SECONDS
            yield Line(name, "invocations", invocations, "lambda_request")
            yield Line(name, "GB-seconds", invocations * found.seconds * found.megabytes / 1024, "lambda_gb_second")

    @property
    def load_seconds(self) -> float:
        """How long the loader waits for one object."""
        rows = self.rate / self.objects
        # While the database is busy to its share, a load has the rest of it.
        return self.assumed.load_seconds + rows / (self.acus * self.rows_an_acu / self.assumed.busy_share)

    def _storage(self) -> Iterator[Line]:
        assumed, workload = self.assumed, self.measured.workload
        yield Line("S3", "objects written", (self.objects + self.backups) * SECONDS, "s3_put")
        yield Line("S3", "objects read", 2 * self.objects * SECONDS, "s3_get")
        rows = self.rate * workload.row_bytes * assumed.processed_days * _SECONDS_A_DAY
        backup = self._change_bytes * self.measured.times.gzip_share * assumed.backup_days * _SECONDS_A_DAY
        yield Line("S3", "kept once lifecycles are in balance", (rows + backup) / GB, "s3_gb_month")

    def _database(self) -> Iterator[Line]:
        assumed = self.assumed
        yield Line("Aurora", "ACU-hours", self.acus * assumed.instances * HOURS, "aurora_acu_hour")
        yield Line("Aurora", "I/O requests", self.rate * assumed.ios_a_row * SECONDS, "aurora_io")
        yield Line("Aurora", "storage", assumed.target_gb, "aurora_gb_month")

    def _operations(self) -> Iterator[Line]:
        assumed = self.assumed
        yield Line("Network", "interface endpoints", assumed.endpoints * assumed.zones * HOURS, "endpoint_hour")
        logged = (self.batches + self.transforms + self.objects) * assumed.log_bytes * SECONDS
        yield Line("CloudWatch", "logs", logged / GB, "log_gb")
        yield Line("CloudWatch", "custom metrics", assumed.custom_metrics, "metric_month")
        yield Line("CloudWatch", "alarms", assumed.alarms, "alarm_month")
        yield Line("CloudWatch", "dashboard", 1, "dashboard_month")
        yield Line("Secrets Manager", "secrets", assumed.secrets, "secret_month")


def _seconds(changes: float, microseconds: float, megabytes: int) -> float:
    """Return how long a function of *megabytes* computes; a second core is of no use to it."""
    return changes * microseconds / 1e6 * max(1.0, _WHOLE_CORE_MB / megabytes)
