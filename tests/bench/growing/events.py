"""What a record costs the functions before the loader as the events that they are called with grow."""

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarking.children import Child
from benchmarking.interleave import interleaved
from benchmarking.machine import ROOT
from benchmarking.workloads import SHAPES, reference_pipeline, stream_event, transform_event

from ddb2aurora.compile_pipelines import compile_pipelines

_HERE: Final = Path(__file__).parent.parent
_PROGRAMS: Final = {"transformer": "contestants/serve.py", "stream_processor": "contestants/streams.py"}


def records_in_an_event(
    counts: dict[str, Sequence[int]], *, rounds: int, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Call both functions with events of *counts* records of the seed's shape, from dict to dict."""
    pipeline = reference_pipeline()
    shape = next(shape for shape in SHAPES if shape.name == "seed")
    events: dict[str, Callable[[int], dict[str, Any]]] = {
        "transformer": lambda count: transform_event(shape, pipeline=pipeline, most_records=count),
        "stream_processor": lambda count: stream_event(shape, pipeline=pipeline, records=count),
    }
    found = {}
    with tempfile.TemporaryDirectory() as name:
        compile_pipelines(ROOT / "pipelines", Path(name, "pipelines"))
        environment = {
            "PIPELINE": pipeline.name,
            "PIPELINES_FOLDER": str(Path(name, "pipelines")),
            "PYTHONPATH": str(ROOT / "tests" / "support"),
        }
        for function, make in events.items():
            say(f"{function}: {rounds} rounds over {len(counts[function])} points")
            with ExitStack() as stack:
                contestants = {}
                for count in counts[function]:
                    event = make(count)
                    if len(event["Records" if "Records" in event else "records"]) != count:
                        raise ValueError(f"an event has no room for {count} records")
                    file = Path(name, f"{function}-{count}.json")
                    file.write_text(json.dumps(event), encoding="utf-8")
                    command = [sys.executable, _PROGRAMS[function], "ours", str(file)]
                    child = stack.enter_context(Child(command, folder=_HERE, environment=environment))
                    contestants[f"{count}"] = child.contestant(case="dict")
                samples = interleaved(contestants, rounds=rounds)
            found[function] = {
                "points": [
                    {"x": count, "changes": count, **samples[f"{count}"].to_json()} for count in counts[function]
                ]
            }
    return found
