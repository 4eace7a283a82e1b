"""
A child process that ends when this process ends, however this process ends.

The child's output goes to a file, and errors quote the end of it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_aws.services.errors import LocalServiceError

_SUPERVISOR = Path(__file__).with_name("supervise.py")


class ChildProcess:
    """Start, watch, stop and kill one *command*; after it ended it can be started again."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
        remove: Path | None = None,
        grace_seconds: float = 20,
    ) -> None:
        """
        Prepare to run *command*, called *name* in errors.

        Without an *environment* the child inherits ours. When this process dies without stopping the child, the folder
        *remove* is deleted after the child. A child that ignores a polite stop for *grace_seconds* is killed.
        """
        self.name = name
        self.log = log
        self._command = list(command)
        self._environment = environment
        self._remove = remove
        self._grace_seconds = grace_seconds
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """The command's process id, or None when it does not run."""
        return self._pid if self.running else None

    @property
    def running(self) -> bool:
        """Whether the command runs now."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def start(self) -> None:
        """
        Start the command.

        Raises:
            LocalServiceError: It runs already, or cannot be executed.
        """
        if self.running:
            raise LocalServiceError(f"{self.name} runs already")
        self._release()
        order = {
            "command": self._command,
            "log": str(self.log),
            "grace_seconds": self._grace_seconds,
            "parent": os.getpid(),
            "remove": str(self._remove) if self._remove else None,
        }
        with self.log.open("ab") as log:
            self._supervisor = subprocess.Popen(  # noqa: S603 - our own script and the caller's command, no shell
                [sys.executable, "-I", "-S", str(_SUPERVISOR), json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        answer = self._supervisor.stdout.readline() if self._supervisor.stdout else b""
        if not answer:
            self._release()
            raise LocalServiceError(f"{self.name} could not be executed\n{self.log_tail()}")
        self._pid = int(answer)

    def stop(self) -> None:
        """Ask the command to end, wait, and kill it when it does not; does nothing when it has ended."""
        if self._supervisor is not None and self._supervisor.stdin is not None and self.running:
            with contextlib.suppress(BrokenPipeError):
                self._supervisor.stdin.write(b"s")
                self._supervisor.stdin.flush()
            try:
                self._supervisor.wait(self._grace_seconds + 10)
            except subprocess.TimeoutExpired:
                self.kill()
        self._release()

    def kill(self) -> None:
        """Kill the command at once (SIGKILL), as a crash would, and wait until it is gone."""
        if self._supervisor is not None and self._pid is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._supervisor.wait()
        self._release()

    def log_tail(self, *, lines: int = 25) -> str:
        """Return the last *lines* of the command's output, under a heading that names the file."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            text = ""
        return "\n".join([f"the end of {self.log}:", *(f"  {line}" for line in text.splitlines()[-lines:])])

    def _release(self) -> None:
        """Close what belongs to a supervisor that has ended."""
        if self._supervisor is not None:
            self._supervisor.wait()
            for pipe in (self._supervisor.stdin, self._supervisor.stdout):
                if pipe is not None:
                    pipe.close()
        self._supervisor = None
        self._pid = None
