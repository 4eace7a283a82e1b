"""
Show that the tests can fail: put each deliberate bug of the catalogue into a copy of the tree, and run its tests there.

A bug is caught when every test that it names fails in its call, and the mutated file is the one that was imported. The
same tests are run without a bug first and have to pass. Exits with 1 when a bug survives or cannot be put in.

    python tests/mutations/run.py [PART OF A NAME]...
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mutation_catalogue import ROOT, DoesNotApplyError, Mutation, read_catalogue
from rich.console import Console
from rich.table import Table

_DATABASES = Path(".local", "cache", "databases")
_TIMEOUT_SECONDS = 150
_WORKERS = max(2, os.cpu_count() or 2)


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    with tempfile.TemporaryDirectory(prefix="ddb2aurora-mutation-") as folder:
        copy = Path(folder)
        for name in filter(None, listing.stdout.split("\0")):
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, copy / name)
        if (ROOT / _DATABASES).is_dir():
            # The initialised data folders of the database server take seconds to make.
            (copy / _DATABASES.parent).mkdir(parents=True)
            (copy / _DATABASES).symlink_to(ROOT / _DATABASES)
        yield copy


def run_tests(copy: Path, tests: Sequence[str], *, module: str = "") -> dict[str, Any]:
    """Run *tests* with the sources of *copy* before those that are installed, and return the runner's report."""
    sources = [*sorted(copy.glob("images/*/src")), copy / "deploy/local/src", copy / "tests/support"]
    environment = {
        **os.environ,  # noqa: TID251 - the tests get what this script was given
        "PYTHONPATH": os.pathsep.join(map(str, sources)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    report = copy / "report.json"
    process = subprocess.run(
        [sys.executable, copy / "tests/support/mutation_runner.py", module, report, *tests],
        cwd=copy,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
    )
    if not report.is_file():
        raise RuntimeError(f"the tests did not run: {process.stdout}{process.stderr}")
    return {**json.loads(report.read_text()), "output": process.stdout}


def verdict_on(mutation: Mutation) -> str:
    with copy_of_the_tree() as copy:
        try:
            mutation.apply(copy)
            report = run_tests(copy, mutation.caught_by, module=mutation.module)
        except DoesNotApplyError:
            return "did not apply"
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return f"broke: {error}"
        if report["broken"]:
            return f"broke: {report['output']}"
        if report["imported"] is None or Path(report["imported"]).resolve() != (copy / mutation.file).resolve():
            return f"broke: {mutation.module} was imported from {report['imported']}"
        failed = {node.partition("[")[0] for node in report["failed"]} | set(report["failed"])
        missed = [test for test in mutation.caught_by if test not in failed]
        return f"SURVIVED {', '.join(missed)}" if missed else "caught"


def verdict_on_the_tree(mutations: Sequence[Mutation]) -> str:
    with copy_of_the_tree() as copy:
        report = run_tests(copy, sorted({test for mutation in mutations for test in mutation.caught_by}))
    return "passed" if report["status"] == 0 else f"FAILED: {report['output']}"


def main(parts: Sequence[str]) -> int:
    console = Console(width=120)
    mutations = [found for found in read_catalogue() if not parts or any(part in found.name for part in parts)]
    if not mutations:
        console.print(f"no deliberate bug has one of these in its name: {', '.join(parts)}", highlight=False)
        return 2
    table = Table("deliberate bug", "where", "verdict", "seconds", title="Mutations")

    def timed(name: str, where: str, call: Any, *arguments: Any) -> tuple[str, ...]:
        started = time.monotonic()
        verdict = call(*arguments)
        console.print(f"{name}: {verdict}", markup=False, highlight=False)
        return name, where, verdict.split(" ", 1)[0].rstrip(":"), f"{time.monotonic() - started:.0f}"

    started = time.monotonic()
    with ThreadPoolExecutor(_WORKERS) as pool:
        jobs = [pool.submit(timed, "(no bug)", "", verdict_on_the_tree, mutations)]
        jobs += [pool.submit(timed, found.name, found.module, verdict_on, found) for found in mutations]
        rows = [job.result() for job in jobs]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    good = sum(row[2] in ("caught", "passed") for row in rows)
    console.print(f"{good - 1} of {len(mutations)} caught in {time.monotonic() - started:.0f} s", highlight=False)
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
