"""Instructions of the processor that a change takes, counted by valgrind: a figure that no neighbour disturbs."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarking.machine import ROOT
from benchmarking.sections import Section, Table
from costs import PATHS, cost_of

ORDER = 60
TITLE = "Instructions"
MINUTES = 1
CHANGES = 200
FEW, MANY = 1, 4
_COUNT = re.compile(r"I\s+refs:\s+([\d,]+)")
ABOUT = (
    "What a change of the seed's shape takes, as counted by valgrind (cachegrind) between one and four batches of "
    "200 changes: instructions of the processor, C code included. Valgrind knows no AVX-512, so base64 and searches "
    "take more here than on the processor itself. The instructions of Python's bytecode and the calls that a change "
    "takes are the same on every machine: `tests/unit/costs.json` keeps them, and a test fails when a path takes "
    "more."
)


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    valgrind = shutil.which("valgrind")
    found: dict[str, Any] = {}
    for path in ("json", *PATHS):
        say(path)
        cost = None if path == "json" else cost_of(path)
        found[path] = {
            "instructions": None if valgrind is None else _instructions(valgrind, path),
            "bytecode": None if cost is None else cost.instructions,
            "calls": None if cost is None else cost.calls,
        }
    return {"paths": found}


def _instructions(valgrind: str, path: str) -> float:
    few, many = (_counted(valgrind, path, times) for times in (FEW, MANY))
    return round((many - few) / (MANY - FEW) / CHANGES)


def _counted(valgrind: str, path: str, times: int) -> int:
    done = subprocess.run(
        [
            valgrind,
            *("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"),
            *(sys.executable, "contestants/instructions.py", path, str(times)),
        ],
        cwd=ROOT / "tests" / "bench",
        env={"PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT / "tests" / "support")},
        capture_output=True,
        text=True,
        check=True,
    )
    match = _COUNT.search(done.stderr)
    if match is None:
        raise ValueError(f"valgrind counted nothing:\n{done.stderr}")
    return int(match[1].replace(",", ""))


def section(measured: dict[str, Any]) -> Section:
    paths = measured["paths"]
    base = paths["json"]["instructions"]
    rows = tuple(
        (
            "json.loads and json.dumps of the line" if path == "json" else path,
            "–" if found["instructions"] is None else f"{found['instructions']:,}",
            "–" if found["instructions"] is None or base is None else f"{found['instructions'] / base:.2f}",
            "–" if found["bytecode"] is None else f"{found['bytecode']:,}",
            "–" if found["calls"] is None else f"{found['calls']:,}",
        )
        for path, found in paths.items()
    )
    return Section((), (ABOUT, Table(("a change", "instructions", "to JSON alone", "of bytecode", "calls"), rows)))
