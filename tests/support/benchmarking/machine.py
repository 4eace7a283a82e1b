"""Where and when something was measured."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[3]
_PACKAGES: Final = ("msgspec", "pybase64", "jsonschema", "boto3", "pymysql", "ministack")


def circumstances() -> dict[str, Any]:
    """Return the machine, the versions, the load and the commit, as a file keeps them."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "kernel": f"{platform.system()} {platform.release()}",
        },
        "versions": {
            platform.python_implementation(): platform.python_version(),
            **{name: metadata.version(name) for name in _PACKAGES},
            **_program("Node", "node", "--version"),
        },
        "load_before": round(os.getloadavg()[0], 2),
    }


def load_now() -> float:
    """Return how many processes wanted to run in the last minute, ours among them."""
    return round(os.getloadavg()[0], 2)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "CPU part"):
            return value.strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    found = _said("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
    changed = _said("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "--", "images")
    return f"{found or 'unknown'}{' and changes to images/' if changed else ''}"


def _program(title: str, *command: str) -> dict[str, str]:
    version = _said(*command)
    return {title: version.removeprefix("v")} if version else {}


def _said(*command: str | Sequence[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
