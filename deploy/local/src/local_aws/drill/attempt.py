"""One run of the command as a user starts it: how much memory it took, and its end, by itself or by kill -9."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

_LOOK_EVERY_SECONDS: Final = 0.05
DDB2AURORA: Final = Path(sys.executable).with_name("ddb2aurora")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run of a command: its *status* (negative: the signal that ended it), and what it said in JSON, if it did."""

    status: int
    seconds: float
    peak_bytes: int
    output: dict[str, Any]
    errors: str


def attempt(
    arguments: Sequence[str], *, environment: Mapping[str, str], kill_when: Callable[[], bool] | None = None
) -> Attempt:
    """Run `ddb2aurora` with *arguments*, kill it as soon as *kill_when* says so, and return what came of it."""
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [DDB2AURORA, *arguments, "--json"],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[tuple[str, str]] = []
    reading = threading.Thread(target=lambda: said.append(process.communicate()), daemon=True)
    reading.start()
    peak_bytes, watched = 0, psutil.Process(process.pid)
    while reading.is_alive():
        try:
            peak_bytes = max(peak_bytes, watched.memory_info().rss)
        except psutil.Error:
            break
        if kill_when is not None and kill_when():
            process.kill()
            break
        reading.join(_LOOK_EVERY_SECONDS)
    reading.join()
    [(output, errors)] = said
    return Attempt(
        status=process.returncode,
        seconds=time.monotonic() - started,
        peak_bytes=peak_bytes,
        output=json.loads(output) if output.strip() else {},
        errors=errors,
    )
