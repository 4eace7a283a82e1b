"""
Run tests in this process and write down which failed, and out of which file the mutated module was imported.

    python mutation_runner.py MODULE REPORT TEST...

MODULE may be empty. Only a test whose call failed counts as failed: a file that cannot be imported has caught nothing.
"""

import json
import sys
from pathlib import Path

import pytest


class Witness:
    """Remember what became of each test."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.broken: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            (self.failed if report.failed else self.passed).append(report.nodeid)
        elif report.failed:
            self.broken.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(report.nodeid)


def main(module: str, report: str, *tests: str) -> None:
    witness = Witness()
    status = pytest.main(["-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", *tests], plugins=[witness])
    imported = getattr(sys.modules.get(module), "__file__", None)
    Path(report).write_text(json.dumps({"status": int(status), "imported": imported, **vars(witness)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
