"""The transformer beside functions in Node and in plain Python that do the same for one table."""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarking.children import Child
from benchmarking.interleave import Samples, Spread, interleaved, ratio, wall_ratio
from benchmarking.machine import ROOT
from benchmarking.sections import Goal, Line, Plot, Section, Table, rate, thousands, times
from benchmarking.workloads import SHAPES, reference_pipeline, schema_text, transform_event

from ddb2aurora.compile_pipelines import compile_pipelines

ORDER = 10
TITLE = "The transformer"
MINUTES = 2
ROUNDS = 15
HERE = Path(__file__).parent.parent
OURS, BEST, ORIGINAL, PLAIN = "ours", "best", "original", "plain"
NAMES = {
    OURS: "ours",
    BEST: "Node, Ajv compiled once",
    ORIGINAL: "Node, as in 2017",
    PLAIN: "Python, jsonschema",
}


ABOUT = (
    "Each contestant is a process of its own and handles whole events, as Lambda calls it; what it logs goes to "
    "/dev/null. *dict* is from the event as an object to the answer as an object; *JSON* adds what the runtime does "
    "around a handler: awslambdaric (with the marshaller that our handlers bring) for Python, JSON.parse and "
    "JSON.stringify for Node. The best function in Node knows one table only: Ajv compiled once, correct quoting, "
    "deletes, a log line for each reject; it checks neither lengths nor ranges. Its answers, and those of plain "
    "Python with a validator made once, are compared with ours before anything is measured: they are the same. The "
    "function of 2017 makes a validator for each record and quotes nothing. Events hold 500 records, or the 3 MB "
    "that Firehose hands over at most."
)
BOUND = (
    "Most of our time is spent in C, in msgspec (the change, then its document) and base64; the rest is Python that "
    "puts a row together. What bounds records that break the schema is finding the words for why, with the schema "
    "as Python functions; what bounds large documents is that what no schema names is decoded all the same, to be "
    "as strict about it as the slower way. [Decisions on performance](decisions/performance.md) says what was "
    "tried."
)


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
    shapes = {
        name: {case: Samples.from_json(kept) for case, kept in shape["samples"].items()}
        for name, shape in measured["shapes"].items()
    }
    seed = shapes["seed"]
    slowest = min(shapes, key=lambda name: _lead(shapes[name]).median)
    return Section(
        (
            _goal("at least 1.3 × the best function in Node", ratio(seed["ours dict"], seed["best dict"]), 1.3),
            _goal("the same through JSON text", ratio(seed["ours json"], seed["best json"]), 1.3),
            _goal("at least 15 × the function of 2017", ratio(seed["ours dict"], seed["original dict"]), 15),
            _goal(
                f"never below the best function in Node, on any shape (least: {slowest})", _lead(shapes[slowest]), 1.0
            ),
        ),
        (
            ABOUT,
            _plot(shapes),
            "Records a second and core, dict to dict; ratios are ours to theirs.",
            Table(
                ("shape", "records × bytes", *NAMES.values(), "to the best in Node", "to 2017", "to plain Python"),
                tuple(_row(name, measured["shapes"][name], found) for name, found in shapes.items()),
            ),
            "The same through JSON text, and the ratios in wall time, which on a busy machine say less.",
            Table(
                ("shape", "ours", "best in Node", "ratio", "wall, dict", "wall, JSON"),
                tuple(
                    (
                        f"{name}: {measured['shapes'][name]['meaning']}",
                        rate(found["ours json"].per_second(measured["shapes"][name]["records"])),
                        rate(found["best json"].per_second(measured["shapes"][name]["records"])),
                        times(ratio(found["ours json"], found["best json"])),
                        times(wall_ratio(found["ours dict"], found["best dict"])),
                        times(wall_ratio(found["ours json"], found["best json"])),
                    )
                    for name, found in shapes.items()
                ),
            ),
        ),
    )


def _lead(found: Mapping[str, Samples]) -> Spread:
    return min(
        (ratio(found[f"ours {case}"], found[f"best {case}"]) for case in ("dict", "json")),
        key=lambda spread: spread.median,
    )


def _goal(text: str, found: Spread, least: float) -> Goal:
    return Goal(text, times(found), met=found.median >= least, bound=BOUND)


def _row(name: str, shape: Mapping[str, Any], found: Mapping[str, Samples]) -> tuple[str, ...]:
    rates = (thousands(found[f"{contestant} dict"].per_second(shape["records"]).median) for contestant in NAMES)
    leads = (f"{ratio(found['ours dict'], found[f'{other} dict']).median:.2f} ×" for other in (BEST, ORIGINAL, PLAIN))
    return (name, f"{shape['records']} × {shape['bytes_a_record']:,}", *rates, *leads)


def _plot(shapes: Mapping[str, Mapping[str, Samples]]) -> Plot:
    def line(title: str, case: str) -> Line:
        found = [ratio(samples[f"ours {case}"], samples[f"best {case}"]) for samples in shapes.values()]
        return Line.of_spreads(
            title,
            [name.replace(" ", "\n", 1) for name in shapes],
            found,
        )

    return Plot(
        "node",
        "Records a second and core: ours ÷ the best function in Node",
        "shape of the event",
        "times",
        (line("dict to dict", "dict"), line("JSON to JSON", "json")),
        kind="bars",
        level=1.0,
    )
