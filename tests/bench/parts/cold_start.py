"""What a function takes to start: modules, time by package, and the first answer."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarking.children import whole_process
from benchmarking.interleave import Samples, Spread, interleaved, spread
from benchmarking.machine import ROOT
from benchmarking.sections import Section, Table
from benchmarking.workloads import SHAPES, reference_pipeline, schema_text, transform_event

from ddb2aurora.compile_pipelines import compile_pipelines

ORDER = 50
TITLE = "Cold start"
MINUTES = 1
ROUNDS = 11
HERE = Path(__file__).parent.parent
HANDLERS = ("stream_processor.handler", "firehose_transformer.handler", "aurora_loader.handler")
STARTS = {
    "nothing": "the interpreter of Python alone",
    "node": "the interpreter of Node alone",
    "stream-processor": "stream-processor, until it is ready to call Firehose",
    "transformer": "transformer, first answer to 500 records",
    "best": "the best function in Node, the same",
    "original": "the function of 2017 in Node, the same",
    "plain": "plain Python with jsonschema, the same",
}
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| *(\S+)")
_SHOWN = 12
ABOUT = (
    "Whole processes, from their start to their end, in turns. Lambda adds what it takes to start a container, "
    "which is not ours; [images.md](images.md) has the time from the start of a container to its first answer."
)
IMPORTS = (
    "`python -X importtime`, the time in each package's own modules, summed up: medians in ms, at the speed of a "
    "traced start. What is Python's own is one line. A test holds the packages and the number of modules of each "
    "handler. Loaded only when they are needed: the full validator of JSON Schemas (`jsonschema`, `referencing`, "
    "`rpds`), for schemas that use more than plain keywords; the transformer's AWS SDK; the stream-processor's "
    "client of S3."
)


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    say("imports")
    imports = {handler: _imports(handler) for handler in HANDLERS}
    say("first answers")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pipeline = reference_pipeline()
        compile_pipelines(ROOT / "pipelines", folder / "pipelines")
        (folder / "schema.json").write_text(schema_text(), encoding="utf-8")
        (folder / "event.json").write_text(json.dumps(transform_event(SHAPES[0], pipeline=pipeline)), encoding="utf-8")
        samples = interleaved(
            {start: _start(start, folder, pipeline.shape) for start in STARTS}, rounds=ROUNDS, at_least_seconds=0
        )
    return {"imports": imports, "starts": {name: found.to_json() for name, found in samples.items()}}


def _start(name: str, folder: Path, shape: str) -> Callable[[int], Any]:
    event, schema = str(folder / "event.json"), str(folder / "schema.json")
    environment = {
        "PIPELINE": "web_analytics",
        "PIPELINES_FOLDER": str(folder / "pipelines"),
        "DELIVERY_STREAM_NAME": "changes",
        "BUCKET_NAME": "lake",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "not-a-key",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "SCHEMA": schema,
        "SHAPE": shape,
        "NODE_PATH": str(ROOT / ".venv-bench" / "node" / "node_modules"),
        "PYTHONPATH": str(HERE / "contestants"),
    }
    if name == "node":
        command = ["node", "-e", "0"]
    elif name in ("best", "original"):
        command = ["node", "node/first.js", name, schema, shape, event]
    else:
        command = [sys.executable, "contestants/first.py", name, event]
    return whole_process(command, folder=HERE, environment=environment)


def _imports(handler: str) -> dict[str, Any]:
    """Return the milliseconds by package of each round, and the number of modules."""
    rounds: dict[str, list[float]] = defaultdict(list)
    totals: list[float] = []
    modules: Counter[str] = Counter()
    for number in range(ROUNDS + 1):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", f"import {handler}"], capture_output=True, text=True, check=True
        )
        if number == 0:
            continue  # writes the bytecode of what was changed
        spent: Counter[str] = Counter()
        modules.clear()
        for microseconds, module in _LINE.findall(done.stderr):
            package = module.partition(".")[0]
            name = "Python's own" if package in sys.stdlib_module_names or package == "zipimport" else package
            spent[name] += int(microseconds)
            modules[name] += 1
        totals.append(sum(spent.values()) / 1000)
        for name, microseconds in spent.items():
            rounds[name].append(microseconds / 1000)
    return {
        "total_ms": totals,
        "packages": {name: {"ms": rounds[name], "modules": modules[name]} for name in rounds},
    }


def section(measured: dict[str, Any]) -> Section:
    starts = {name: Samples.from_json(kept) for name, kept in measured["starts"].items()}
    return Section(
        (),
        (
            ABOUT,
            Table(
                ("from start to end", "ms of CPU", "ms of wall time"),
                tuple(
                    (title, _ms(spread(starts[name].cpu).times(1000)), _ms(spread(starts[name].wall).times(1000)))
                    for name, title in STARTS.items()
                ),
            ),
            IMPORTS,
            *(_table(handler, found) for handler, found in measured["imports"].items()),
        ),
    )


def _ms(found: Spread) -> str:
    return f"{found.median:.0f} ({found.low:.0f} – {found.high:.0f})"


def _table(handler: str, found: Mapping[str, Any]) -> Table:
    packages = found["packages"]
    order = sorted(packages, key=lambda name: -statistics.median(packages[name]["ms"]))
    rows = [(name, str(packages[name]["modules"]), f"{statistics.median(packages[name]['ms']):.1f}") for name in order]
    total = ("**all**", str(sum(found["modules"] for found in packages.values())), _ms(spread(found["total_ms"])))
    return Table((f"`{handler}`", "modules", "ms"), (total, *rows[:_SHOWN]))
