"""
Metrics in CloudWatch's embedded metric format: one JSON line on standard output, declared before it is emitted.

Every metric of the project is declared in `METRICS`; the table in the docs is made from it. An undeclared one raises.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, TextIO

from ddb2aurora.errors import Ddb2AuroraError

# Where no other is given; two deployments in one account need a namespace each, or they measure each other.
NAMESPACE: Final = "ddb2aurora"
Unit = Literal["Count", "Milliseconds", "Bytes"]


class UndeclaredMetricError(Ddb2AuroraError):
    """Code emits a metric that is not declared."""


class Metric(NamedTuple):
    """A declared metric: its *stage*, *unit* and *meaning*. Every metric has the dimensions Stage and Pipeline."""

    stage: str
    unit: Unit
    meaning: str


METRICS: Final[Mapping[str, Metric]] = {
    "ChangesReceived": Metric("stream-processor", "Count", "changes in the batches of the stream"),
    "ChangesForwarded": Metric("stream-processor", "Count", "changes that Firehose has accepted"),
    "ChangesFailed": Metric("stream-processor", "Count", "changes reported as failed, which the stream delivers again"),
    "ChangesOversized": Metric("stream-processor", "Count", "changes too large for Firehose, kept under failed/"),
    "ChangesMalformed": Metric("stream-processor", "Count", "records of no known form, kept under failed/"),
    "RecordsForwarded": Metric(
        "stream-processor", "Count", "records that Firehose has accepted; packed, of many changes"
    ),
    "RecordsRefused": Metric("stream-processor", "Count", "records that Firehose refused and that were sent again"),
    "BytesBilled": Metric("stream-processor", "Bytes", "the accepted records, each rounded up to 5 KB as it is billed"),
    "RecordsReceived": Metric(
        "firehose-transformer", "Count", "records handed over by Firehose; packed, of many changes"
    ),
    "ChangesUnpacked": Metric("firehose-transformer", "Count", "changes in these records"),
    "RecordsTransformed": Metric("firehose-transformer", "Count", "changes turned into a row"),
    "RecordsDropped": Metric("firehose-transformer", "Count", "deletes by time to live that the pipeline ignores"),
    "RecordsRejected": Metric(
        "firehose-transformer", "Count", "changes kept under failed/: alone, or with their record"
    ),
    "ObjectsReceived": Metric("aurora-loader", "Count", "objects that events announced"),
    "ObjectsLoaded": Metric("aurora-loader", "Count", "objects loaded"),
    "ObjectsRepeated": Metric("aurora-loader", "Count", "objects that were loaded before"),
    "ObjectsFailed": Metric("aurora-loader", "Count", "objects reported as failed, which are tried again"),
    "RowsInObjects": Metric("aurora-loader", "Count", "rows in the loaded objects"),
    "RowsApplied": Metric("aurora-loader", "Count", "rows inserted or updated"),
    "RowsStale": Metric("aurora-loader", "Count", "rows that a newer change had overtaken"),
    "RowsDeleted": Metric("aurora-loader", "Count", "deletes that took effect"),
    "RowsRejected": Metric("aurora-loader", "Count", "rows that the database refused, kept in the rejects table"),
    "LoadsRetried": Metric("aurora-loader", "Count", "loads begun again: deadlock, lock wait, lost connection"),
    "LoadDuration": Metric("aurora-loader", "Milliseconds", "time to load one object"),
    "LoadLag": Metric("aurora-loader", "Milliseconds", "from the newest change in an object to its visible row"),
    "HeartbeatsLoaded": Metric("aurora-loader", "Count", "heartbeats that landed in the database"),
    "HeartbeatLag": Metric("aurora-loader", "Milliseconds", "from sending a heartbeat to its visible row"),
    "HeartbeatAge": Metric("operator", "Milliseconds", "how long ago the newest heartbeat that has landed was sent"),
    "ObjectsMissed": Metric("operator", "Count", "objects that the ledger lacked, found by a sweep"),
}


class Metrics:
    """Emit the metrics of one stage and pipeline."""

    def __init__(
        self,
        *,
        stage: str,
        pipeline: str,
        clock_ms: Callable[[], int],
        namespace: str = NAMESPACE,
        stream: TextIO | None = None,
    ) -> None:
        """Write to *stream* (standard output), stamped with *clock_ms*, into *namespace*."""
        self._namespace = namespace
        self._stage = stage
        self._pipeline = pipeline
        self._clock_ms = clock_ms
        self._stream = stream

    def emit(self, **values: float) -> None:
        """
        Emit *values* as one line.

        Raises:
            UndeclaredMetricError: A metric is not declared for this stage.
        """
        for name in values:
            if name not in METRICS or METRICS[name].stage != self._stage:
                raise UndeclaredMetricError(
                    f"{self._stage} emits the metric {name!r}; declare it in ddb2aurora.metrics"
                )
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [["Stage", "Pipeline"]],
            "Metrics": [{"Name": name, "Unit": METRICS[name].unit} for name in values],
        }
        line = {
            "_aws": {"Timestamp": self._clock_ms(), "CloudWatchMetrics": [directive]},
            "Stage": self._stage,
            "Pipeline": self._pipeline,
            **values,
        }
        print(json.dumps(line), file=self._stream or sys.stdout, flush=True)
