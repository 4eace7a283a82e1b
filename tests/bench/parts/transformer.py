"""The transformer beside functions in Node and in plain Python that do the same for one table."""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarking.children import Child
from benchmarking.interleave import Samples, interleaved, ratio, wall_ratio
from benchmarking.machine import ROOT
from benchmarking.sections import Goal, Line, Plot, Section, Table, rate, times
from benchmarking.workloads import SHAPES, reference_pipeline, schema_text, transform_event

from ddb2aurora.compile_pipelines import compile_pipelines

ORDER = 10
TITLE = "The transformer"
MINUTES = 4
ROUNDS = 15
HERE = Path(__file__).parent.parent
OURS, BEST, ORIGINAL, PLAIN = "ours", "best", "original", "plain"
NAMES = {
    OURS: "ours",
    BEST: "Node, Ajv compiled once",
    ORIGINAL: "Node, as in 2017",
    PLAIN: "Python, jsonschema",
}


class DifferentAnswersError(Exception):
    """Contestants do not do the same work."""


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    pipeline = reference_pipeline()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compile_pipelines(ROOT / "pipelines", folder / "pipelines")
        (folder / "schema.json").write_text(schema_text(), encoding="utf-8")
        for shape in SHAPES:
            event = transform_event(shape, pipeline=pipeline)
            (folder / "event.json").write_text(json.dumps(event), encoding="utf-8")
            say(f"{shape.name}: {len(event['records'])} records")
            sizes = [len(record["data"]) * 3 // 4 for record in event["records"]]
            found[shape.name] = {
                "meaning": shape.meaning,
                "records": len(event["records"]),
                "bytes_a_record": round(statistics.mean(sizes)),
                "samples": _samples(folder, pipeline.shape),
            }
    return {"shapes": found}


def _samples(folder: Path, shape: str) -> dict[str, Any]:
    environment = {
        "PIPELINE": "web_analytics",
        "PIPELINES_FOLDER": str(folder / "pipelines"),
        "SCHEMA": str(folder / "schema.json"),
        "SHAPE": shape,
        "NODE_PATH": str(ROOT / ".venv-bench" / "node" / "node_modules"),
        "PYTHONPATH": str(HERE / "contestants"),
    }
    with ExitStack() as stack:

        def child(*command: str) -> Child:
            return stack.enter_context(Child(command, folder=HERE, environment=environment))

        event = str(folder / "event.json")
        children = {name: child(sys.executable, "contestants/serve.py", name, event) for name in (OURS, PLAIN)} | {
            name: child("node", "node/serve.js", name, str(folder / "schema.json"), shape, event)
            for name in (BEST, ORIGINAL)
        }
        answers = {name: children[name].ask(case="answer") for name in (OURS, BEST, PLAIN)}
        if any(answer != answers[OURS] for answer in answers.values()):
            raise DifferentAnswersError
        cases = [(name, "dict") for name in NAMES] + [(OURS, "json"), (BEST, "json")]
        samples = interleaved(
            {f"{name} {case}": children[name].contestant(case=case) for name, case in cases}, rounds=ROUNDS
        )
    return {name: found.to_json() for name, found in samples.items()}


def section(measured: dict[str, Any]) -> Section:
    return Section((), ())


if __name__ == "__main__":
    only = sys.argv[1:]
    SHAPES = [s for s in SHAPES if not only or s.name in only]
    m = measure(lambda t: None)
    for name, f in m["shapes"].items():
        s = {k: Samples.from_json(v) for k, v in f["samples"].items()}
        n = f["records"]
        print(f"{name:16} {n} x {f['bytes_a_record']}", *(f"{k}={v.per_second(n).median:,.0f}" for k, v in s.items()))
        print(
            "    best",
            times(ratio(s["ours dict"], s["best dict"])),
            "json",
            times(ratio(s["ours json"], s["best json"])),
            "orig",
            times(ratio(s["ours dict"], s["original dict"])),
            "plain",
            times(ratio(s["ours dict"], s["plain dict"])),
            "wall",
            times(wall_ratio(s["ours dict"], s["best dict"])),
            times(wall_ratio(s["ours json"], s["best json"])),
        )
