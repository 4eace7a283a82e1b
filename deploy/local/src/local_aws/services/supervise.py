"""
Run one command for a parent process, and end the command when the parent is gone.

Runs as a script, on the standard library alone, so that it starts in milliseconds. Its only argument is a JSON object:
`command`, `log` (a file), `grace_seconds`, `parent` (a process id) and `remove` (a folder, or null). It writes the
command's process id to its standard output, and exits with the command's exit status.

Its standard input is a pipe whose other end the parent holds. A byte on the pipe asks for a polite stop. The end of
the pipe, or another parent process than the one named, means that the parent died, even by SIGKILL: then the command is
stopped and the folder removed, since nobody else is left to do it.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

# A child that the parent forked may hold the pipe open after the parent's death, hence the look at the parent's id.
_LOOK_AT_PARENT_SECONDS = 0.5


def _parent_died(parent: int) -> bool:
    """Wait until the parent asks for a stop or dies, and say whether it died."""
    while True:
        readable, _, _ = select.select([0], [], [], _LOOK_AT_PARENT_SECONDS)
        if readable:
            return not os.read(0, 1)
        if os.getppid() != parent:
            return True


def main() -> int:
    """Run the command that the argument describes until it ends or has to end."""
    order = json.loads(sys.argv[1])
    with Path(order["log"]).open("ab") as log:
        # A session of its own: Ctrl-C at the terminal reaches the parent alone, which then stops us in order.
        child = subprocess.Popen(  # noqa: S603 - the command comes from our own parent
            order["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    died = False

    def stop_on_request() -> None:
        nonlocal died
        died = _parent_died(order["parent"])
        child.terminate()
        try:
            child.wait(order["grace_seconds"])
        except subprocess.TimeoutExpired:
            child.kill()

    threading.Thread(target=stop_on_request, daemon=True).start()
    status = child.wait()
    with contextlib.suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)  # what the command started and left behind
    if died and order["remove"]:
        shutil.rmtree(order["remove"], ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
