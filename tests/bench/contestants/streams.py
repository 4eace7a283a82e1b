"""
Serve a stream-processor to the benchmark: streams.py ours|packed|naive EVENT.

Requests are those of `answering`; `case: memory` answers what one batch allocates. Firehose is one
that takes everything.
"""

import io
import json
import sys
import tracemalloc
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from answering import answer_requests
from benchmarking.workloads import reference_pipeline

from ddb2aurora.logs import set_up_logging
from ddb2aurora.metrics import Metrics
from ddb2aurora.runtime_json import use_quick_json
from stream_processor.app import App

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
CALL_RECORDS = 500


class NullFirehose:
    """Takes whatever is put, as boto3's client does (`put_record_batch`) and as our edge to it does (`put`)."""

    def put(self, records: Sequence[bytes]) -> Sequence[None]:
        return [None] * len(records)

    def put_record_batch(self, *, DeliveryStreamName: str, Records: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"FailedPutCount": 0, "RequestResponses": [{"RecordId": DeliveryStreamName} for _ in Records]}


def ours(*, packing: bool) -> Any:
    pipeline = msgspec.structs.replace(reference_pipeline(), packing=packing)
    set_up_logging(level="INFO")
    use_quick_json()
    app = App(
        pipeline,
        NullFirehose(),
        SimpleNamespace(),
        Metrics(stage="stream-processor", pipeline=pipeline.name, clock_ms=lambda: 0),
    )
    return lambda event, _context: app.handle(event, CONTEXT, now_ms=0)


def naive(event: dict[str, Any], _context: object) -> None:
    """Do what samples do: the whole record as JSON, and a call for each 500. What is refused is lost."""
    firehose = NullFirehose()
    records = [{"Data": json.dumps(record).encode()} for record in event["Records"]]
    for start in range(0, len(records), CALL_RECORDS):
        firehose.put_record_batch(DeliveryStreamName="changes", Records=records[start : start + CALL_RECORDS])


def memory(work: Any) -> dict[str, int]:
    """Return what one batch allocates at its peak, in bytes, and how many bytes are left of it; its logs go nowhere."""
    with redirect_stdout(io.StringIO()):
        work()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        work()
        after, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return {"peak": peak - before, "left": after - before}


def main(name: str, event_file: str) -> None:
    handler = naive if name == "naive" else ours(packing=name == "packed")
    told = {"memory": lambda event: memory(lambda: handler(event, None))}
    answer_requests(handler, Path(event_file).read_bytes(), told=told)


if __name__ == "__main__":
    main(*sys.argv[1:])
