"""The CPU time of the processes of a stack, by what they are."""

import os
import time
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
# What the command line of a process says, and what it is.
_KINDS: Final = {
    "stream_processor.handler": "stream-processor",
    "firehose_transformer.handler": "firehose-transformer",
    "aurora_loader.handler": "aurora-loader",
    "paths.poller": "poller",
    "ministack": "emulator",
    "mysqld": "database",
    "mariadbd": "database",
}
OURSELVES: Final = "stand-ins and watcher"


def cpu_seconds() -> dict[str, float]:
    """Return the CPU time that this process and those under it have taken so far, by what they are."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
        except (OSError, ValueError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found = {OURSELVES: time.process_time()}
    waiting = list(children.get(os.getpid(), []))
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        kind = next((name for part, name in _KINDS.items() if part in command), "other")
        found[kind] = found.get(kind, 0) + (int(fields[11]) + int(fields[12])) / _TICKS
    return found
