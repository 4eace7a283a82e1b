"""The stream-processor up to the bytes of Firehose, beside the loop that samples show."""

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarking.children import Child
from benchmarking.interleave import Samples, interleaved, ratio
from benchmarking.machine import ROOT
from benchmarking.sections import Goal, Section, Table, rate, times
from benchmarking.workloads import SHAPES, reference_pipeline, stream_event

ORDER = 20
TITLE = "The stream-processor"
MINUTES = 1
ROUNDS = 15
HERE = Path(__file__).parent.parent
WANTED = ("seed", "small", "large attribute", "deletes")
NAMES = {"ours": "a record a change", "packed": "packed", "naive": "the naive loop"}
GOAL = 150_000
ABOUT = (
    "From a batch of 500 changes as Lambda hands it over to the bytes of `PutRecordBatch`, which go to a Firehose "
    "that takes everything: with a record for each change, and with `packing: on`. Beside it the loop that samples "
    "show: json.dumps of the whole record, a call for each 500, an answer that is not looked at. *JSON* adds what "
    "the runtime does around a handler. Allocations are tracemalloc's, of one batch: at the peak, and what is left "
    "of it."
)
BOUND = "Each record is checked, copied into a change and written by msgspec; the rest is Python between them."


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    pipeline = reference_pipeline()
    found: dict[str, Any] = {}
    for shape in (shape for shape in SHAPES if shape.name in WANTED):
        say(shape.name)
        event = stream_event(shape, pipeline=pipeline)
        text = json.dumps(event)
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            file = Path(name, "event.json")
            file.write_text(text, encoding="utf-8")
            environment = {"PYTHONPATH": str(ROOT / "tests" / "support")}
            children = {
                contestant: stack.enter_context(
                    Child(
                        [sys.executable, "contestants/streams.py", contestant, str(file)],
                        folder=HERE,
                        environment=environment,
                    )
                )
                for contestant in NAMES
            }
            samples = interleaved(
                {f"{name} {case}": children[name].contestant(case=case) for name in NAMES for case in ("dict", "json")},
                rounds=ROUNDS,
            )
            found[shape.name] = {
                "changes": len(event["Records"]),
                "event_bytes": len(text),
                "samples": {name: each.to_json() for name, each in samples.items()},
                "memory": {name: child.ask(case="memory") for name, child in children.items()},
            }
    return {"shapes": found}


def section(measured: dict[str, Any]) -> Section:
    shapes = measured["shapes"]
    samples = {
        name: {case: Samples.from_json(kept) for case, kept in shape["samples"].items()}
        for name, shape in shapes.items()
    }
    least = {case: samples["seed"][f"{case} dict"].per_second(shapes["seed"]["changes"]) for case in ("ours", "packed")}
    return Section(
        tuple(
            Goal(
                f"at least {GOAL:,} changes a second and core, {NAMES[case]}",
                rate(found),
                met=found.median >= GOAL,
                bound=BOUND,
            )
            for case, found in least.items()
        ),
        (
            ABOUT,
            Table(
                (
                    "changes a second and core",
                    *NAMES.values(),
                    "to the naive loop",
                    "packed",
                    "JSON",
                    "packed",
                    "naive",
                ),
                tuple(
                    (
                        name,
                        *(rate(found[f"{case} dict"].per_second(shapes[name]["changes"])) for case in NAMES),
                        times(ratio(found["ours dict"], found["naive dict"])),
                        times(ratio(found["packed dict"], found["naive dict"])),
                        *(rate(found[f"{case} json"].per_second(shapes[name]["changes"])) for case in NAMES),
                    )
                    for name, found in samples.items()
                ),
            ),
            Table(
                ("bytes allocated by a batch", "event", *(f"{title}: peak, left" for title in NAMES.values())),
                tuple(
                    (
                        name,
                        f"{shape['event_bytes']:,}",
                        *(f"{shape['memory'][case]['peak']:,}, {shape['memory'][case]['left']:,}" for case in NAMES),
                    )
                    for name, shape in shapes.items()
                ),
            ),
        ),
    )
