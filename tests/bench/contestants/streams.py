"""
Serve a stream-processor to the benchmark: streams.py ours|packed|naive EVENT.

Requests are those of serve.py; `case: memory` answers what one batch allocates. Firehose is one that takes everything.
"""

import io
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient
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
    """Return what one batch allocates at its peak, in bytes, and how many blocks are left of it."""
    work()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    work()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"peak": peak - before, "left": after - before}


def main(name: str, event_file: str) -> None:
    handler = naive if name == "naive" else ours(packing=name == "packed")
    text = Path(event_file).read_bytes()
    event = json.loads(text)
    answers = os.fdopen(3, "w")

    def through_json() -> None:
        marshaller = BaseLambdaRuntimeClient.marshaller
        marshaller.marshal_response(handler(marshaller.unmarshal_request(text), None))

    works = {"dict": lambda: handler(event, None), "json": through_json}
    for line in sys.stdin:
        request = json.loads(line)
        if request["case"] == "memory":
            with redirect_stdout(io.StringIO()):
                answer: dict[str, float] = dict(memory(works["dict"]))
        else:
            work = works[request["case"]]
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(request["times"]):
                work()
            answer = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
