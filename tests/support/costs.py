"""
What the hot paths cost, in figures that are the same on every machine: bytecode instructions and calls a change.

    PYTHONPATH=tests/support .venv/bin/python -m costs      writes tests/unit/costs.json anew

A change that makes a path cheaper or dearer on purpose commits the new file. Newer versions of Python need fewer
instructions for the same code, so the file is written by the oldest that is supported; what C code costs is not seen,
its calls are counted.
"""

import gc
import io
import json
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, Final, NamedTuple

import msgspec
from benchmarking.workloads import SHAPES, reference_pipeline, stream_event, transform_event

from ddb2aurora.metrics import Metrics
from firehose_transformer.app import App as Transformer
from firehose_transformer.aws import NoBucket
from firehose_transformer.row_lines import RowLines
from stream_processor.app import App as StreamProcessor

FILE: Final = Path(__file__).parents[1] / "unit" / "costs.json"
_SHAPES: Final = {shape.name: shape for shape in SHAPES}
_CONTEXT: Final = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
_FEW: Final = 200


class Cost(NamedTuple):
    """What a change costs."""

    instructions: float
    calls: float


class _Firehose:
    def put(self, records: list[bytes]) -> list[None]:
        return [None] * len(records)


def _metrics(stage: str) -> Metrics:
    return Metrics(stage=stage, pipeline="web_analytics", clock_ms=lambda: 0)


def _transformer(shape: str) -> tuple[Callable[[], object], int]:
    pipeline = reference_pipeline()
    app = Transformer(RowLines(pipeline), _metrics("firehose-transformer"), NoBucket(), pipeline=pipeline.name)
    event = transform_event(_SHAPES[shape], pipeline=pipeline)
    event["records"] = event["records"][:_FEW]
    return lambda: app.handle(event, now_ms=0), len(event["records"])


def _stream_processor(*, packing: bool) -> tuple[Callable[[], object], int]:
    pipeline = msgspec.structs.replace(reference_pipeline(), packing=packing)
    app = StreamProcessor(pipeline, _Firehose(), SimpleNamespace(), _metrics("stream-processor"))
    event = stream_event(_SHAPES["seed"], pipeline=pipeline, records=_FEW)
    return lambda: app.handle(event, _CONTEXT, now_ms=0), _FEW


PATHS: Final[Mapping[str, Callable[[], tuple[Callable[[], object], int]]]] = {
    "transformer: seed": lambda: _transformer("seed"),
    "transformer: awkward": lambda: _transformer("awkward"),
    "transformer: deletes": lambda: _transformer("deletes"),
    "transformer: 50 % bad": lambda: _transformer("50 % bad"),
    "stream-processor": lambda: _stream_processor(packing=False),
    "stream-processor: packed": lambda: _stream_processor(packing=True),
}


def cost_of(path: str) -> Cost:
    """Return what a change costs on *path*, once everything is warm."""
    work, changes = PATHS[path]()
    # What a log entry costs depends on who listens.
    logging.disable()
    try:
        with redirect_stdout(io.StringIO()):
            work()
            return Cost(round(_instructions(work) / changes, 1), round(_calls(work) / changes, 1))
    finally:
        logging.disable(logging.NOTSET)


def _instructions(work: Callable[[], object]) -> int:
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += event == "opcode"
        return trace

    former = sys.gettrace()
    gc.disable()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(former)
        gc.enable()
    return count


def _calls(work: Callable[[], object]) -> int:
    count = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    former = sys.getprofile()
    gc.disable()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(former)
        gc.enable()
    return count


def main() -> None:
    """Write the file."""
    found = {path: cost_of(path)._asdict() for path in PATHS}
    FILE.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
