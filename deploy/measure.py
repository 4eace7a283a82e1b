"""
Measure what docs/cost.md and docs/scaling.md reckon with, and write deploy/aws/measured.toml.

    .venv/bin/python deploy/measure.py

The workload is that of `make demo`, so sizes and what Firehose bills for them are the same wherever this runs; a test
compares them with the file. Times are those of one machine: one process, one core, no network.
"""

import base64
import datetime as dt
import gzip
import hashlib
import json
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ddb2aurora.codec import encode_item
from ddb2aurora.packing import billed_bytes
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.pipeline_file import read_pipeline_file
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import transform
from operator_cli.clickstream import Operation, Shares, operations
from stream_processor.delivery import Delivery, Outcome
from stream_processor.processor import process

ROOT: Final = Path(__file__).parent.parent
FILE: Final = ROOT / "deploy" / "aws" / "measured.toml"
ITEMS: Final = 10_000
SEED: Final = 1
BATCH: Final = 500  # BatchSize in deploy/aws/pipeline.yaml
TRANSFORM_BYTES: Final = 1024 * 1024  # TransformBufferMegabytes
_ARN: Final = "arn:aws:dynamodb:eu-west-1:111122223333:table/{}/stream/2026-01-05T10:00:00.000"


class Firehose:
    """Accepts everything, and remembers it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.records: list[bytes] = []

    def put(self, records: list[bytes]) -> list[None]:
        """Accept *records*."""
        self.records += records
        return [None] * len(records)


def reference_pipeline() -> Pipeline:
    """Return the pipeline of the demonstration."""
    return read_pipeline_file(ROOT / "pipelines" / "web_analytics.yaml")


def stream_records(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return the changes of the demonstration's workload as Lambda hands them over."""
    return [
        _stream_record(pipeline, number, operation)
        for number, operation in enumerate(operations(ITEMS, seed=SEED, shares=Shares()), start=1)
    ]


def _stream_record(pipeline: Pipeline, number: int, operation: Operation) -> dict[str, Any]:
    keys = encode_item(dict(zip(pipeline.source_key, operation.key, strict=True)))
    body: dict[str, Any] = {
        "ApproximateCreationDateTime": 1_767_700_000 + number // 1000,
        "Keys": keys,
        "SequenceNumber": f"{number:025}".replace("0", "3", 1),  # as long as DynamoDB's are
        "SizeBytes": 500,
        "StreamViewType": "NEW_IMAGE",
    }
    if operation.item is not None:
        body["NewImage"] = encode_item(operation.item)
    return {
        "eventID": hashlib.sha256(str(number).encode()).hexdigest()[:32],
        "eventName": "REMOVE" if operation.item is None else "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": body,
        "eventSourceARN": _ARN.format(pipeline.source_table),
    }


def forwarded(records: list[dict[str, Any]], pipeline: Pipeline, *, packing: bool) -> list[bytes]:
    """Return the Firehose records that the stream-processor makes of *records*, batch by batch."""
    firehose = Firehose()
    delivery = Delivery(firehose, seconds_left=lambda: 60.0, sleep=lambda _: None, random=lambda: 0.5, packing=packing)

    def deliver(outgoing: Any) -> Outcome:  # noqa: ANN401 - a sequence of Outgoing
        return delivery.deliver(outgoing)

    for start in range(0, len(records), BATCH):
        process(records[start : start + BATCH], pipeline=pipeline, deliver=deliver, quarantine=None, now_ms=0)
    return firehose.records


def events(records: list[bytes]) -> Iterator[dict[str, Any]]:
    """Yield transformation events as Firehose makes them: 1 MiB of records each."""
    gathered: list[dict[str, Any]] = []
    size = 0
    for number, data in enumerate(records):
        if gathered and size + len(data) > TRANSFORM_BYTES:
            yield {"records": gathered}
            gathered, size = [], 0
        gathered.append({"recordId": str(number), "data": base64.b64encode(data).decode()})
        size += len(data)
    yield {"records": gathered}


def sizes() -> dict[str, int]:
    """Return what does not depend on the machine."""
    pipeline = reference_pipeline()
    records = stream_records(pipeline)
    alone = forwarded(records, pipeline, packing=False)
    packed = forwarded(records, pipeline, packing=True)
    rows = [
        base64.b64decode(record["data"])
        for event in events(alone)
        for record in transform(event, RowLines(pipeline)).records
        if record["data"]
    ]
    row_bytes = sum(map(len, rows))
    raw = sum(map(len, alone))
    return {
        "items": ITEMS,
        "seed": SEED,
        "changes": len(records),
        "change_bytes": round(raw / len(records)),
        "row_bytes": round(row_bytes / len(rows)),
        "raw_bytes": raw,
        "records_packed": len(packed),
        "billed_bytes_one_by_one": billed_bytes(map(len, alone)),
        "billed_bytes_packed": billed_bytes(map(len, packed)),
    }


def times() -> dict[str, float]:
    """Return the microseconds that each change takes, at the best of several tries."""
    pipeline = reference_pipeline()
    records = stream_records(pipeline)
    row_lines = RowLines(pipeline)
    packed = forwarded(records, pipeline, packing=True)
    batch = json.dumps(records[:BATCH])

    def stream_processor() -> None:
        # The runtime decodes the event.
        forwarded(json.loads(batch), pipeline, packing=True)

    event = next(events(packed))
    done = transform(event, row_lines)
    changes = len(done.records) - len(done.others) + sum(decision.changes for decision in done.others.values())
    encoded = json.dumps(event)

    def transformer() -> None:
        json.dumps(transform(json.loads(encoded), row_lines).answer)

    lines = b"".join(packed)
    return {
        "stream_processor_microseconds": _microseconds(stream_processor) / BATCH,
        "transformer_microseconds": _microseconds(transformer) / changes,
        "gzip_share": len(gzip.compress(lines)) / len(lines),
    }


def _microseconds(work: Any) -> float:  # noqa: ANN401 - a function
    best = float("inf")
    for _ in range(30):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best * 1e6


def main() -> None:
    """Write the file."""
    found = times()
    text = [
        "# Made by deploy/measure.py; a test compares the sizes with what it measures again.",
        "",
        "[workload]  # that of `make demo`, in batches of 500 changes",
        *(f"{name} = {value:_}" for name, value in sizes().items()),
        "",
        "[times]  # one core, no network; best of 30",
        f'on = "{dt.datetime.now(dt.UTC).date()}"',
        f'machine = "{platform.machine()}, Python {platform.python_version()}"',
        f"stream_processor_microseconds = {found['stream_processor_microseconds']:.1f}",
        f"transformer_microseconds = {found['transformer_microseconds']:.1f}",
        f"gzip_share = {found['gzip_share']:.2f}",
        "",
        "[load]  # staging and guarded apply of 500,000 rows into an empty target: MySQL 9.7 on 2 cores",
        "rows_per_second = 81_000",
        "cores = 2",
        "",
    ]
    FILE.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
