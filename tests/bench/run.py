"""
Measure the parts of the benchmark that are named, all unless told, and write docs/performance.md.

What a part measures is kept in docs/performance/<part>.json, so that the page holds the last run of every part. A part
that cannot be measured, such as for want of a Docker engine, keeps its last run and no other part from being measured;
the exit status is 1 then.

    python tests/bench/run.py [--page] [PART]...      --page: write the page from what is kept, and measure nothing
"""

import argparse
import importlib
import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarking.machine import ROOT, circumstances, load_now
from benchmarking.page import Part, page, plot_file
from benchmarking.plots import draw
from benchmarking.sections import Plot

PARTS = Path(__file__).parent / "parts"
DOCS = ROOT / "docs"
KEPT = DOCS / "performance"


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)  # noqa: T201 - progress


def all_parts() -> dict[str, ModuleType]:
    found = {path.stem: importlib.import_module(f"parts.{path.stem}") for path in sorted(PARTS.glob("[a-z]*.py"))}
    return dict(sorted(found.items(), key=lambda part: part[1].ORDER))


def measure(name: str, module: ModuleType) -> None:
    say(f"{name}: about {module.MINUTES} minutes")
    found = circumstances()
    started = time.monotonic()
    measured = module.measure(lambda text: say(f"{name}: {text}"))
    found |= {"seconds": round(time.monotonic() - started, 1), "load_after": load_now()}
    text = json.dumps({"circumstances": found, "measured": measured}, indent=1, ensure_ascii=False)
    (KEPT / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def kept(name: str) -> Mapping[str, Any] | None:
    path = KEPT / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write_page(modules: Mapping[str, ModuleType]) -> None:
    parts, missing = [], []
    for name, module in modules.items():
        found = kept(name)
        if found is None:
            missing.append(name)
        else:
            parts.append(Part(name, module.TITLE, module.section(found["measured"]), found["circumstances"]))
    for part in parts:
        for block in part.section.blocks:
            if isinstance(block, Plot):
                draw(block, KEPT / plot_file(part.name, block))
    minutes = sum(module.MINUTES for module in modules.values())
    text = page(parts, names=list(modules), minutes=minutes)
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        text += (
            f"\n## Not measured\n\nThere are no figures of {names}. `make bench` says why a part cannot be measured.\n"
        )
    (DOCS / "performance.md").write_text(text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    modules = all_parts()
    parser = argparse.ArgumentParser(description="Measure, and write docs/performance.md.")
    parser.add_argument("--page", action="store_true", help="write the page from what is kept, and measure nothing")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(modules)}")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(modules)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(modules)}")
    KEPT.mkdir(exist_ok=True)
    failed: dict[str, Exception] = {}
    for name in () if options.page else options.parts or list(modules):
        try:
            measure(name, modules[name])
        except Exception as error:  # noqa: BLE001 - told at the end; the other parts are not lost by it
            traceback.print_exc()
            failed[name] = error
    write_page(modules)
    say(f"written: {DOCS / 'performance.md'}")
    for name, error in failed.items():
        say(f"{name} was NOT measured, and the page has what was measured before, if anything: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
