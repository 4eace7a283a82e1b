"""One execution environment: a process that holds a loaded handler and serves one invocation at a time."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from local_aws.functions import FunctionError
from local_aws.runtime import frames

_PATIENCE_SECONDS = 2.0
_INIT_SECONDS = 10.0
"""Lambda gives the loading of a function's code 10 s outside the function's own time limit."""


class Environment:
    """A running process; the caller lets one thread at a time use it."""

    def __init__(self, *, handler: str, variables: Mapping[str, str], log_path: Path) -> None:
        """Start the process; `wait_until_loaded` says when the handler can be called."""
        self._channel, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with theirs, log_path.open("ab") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - runs the interpreter of this very process
                    [sys.executable, "-P", "-m", __package__ + ".host", handler, str(theirs.fileno()), str(lifeline)],
                    env=dict(variables),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs.fileno(), lifeline),
                    # Ctrl-C goes to the terminal's process group: the function's process ends by its lifeline instead.
                    process_group=0,
                )
            except OSError:
                self._channel.close()
                os.close(self._lifeline)
                raise
            finally:
                os.close(lifeline)
        self._loaded = False
        self.usable = True

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def wait_until_loaded(self, *, timeout_seconds: float) -> None:
        """
        Wait until the handler is loaded; at once from the second call on.

        Raises:
            ClosedError: The process ended.
            TimeoutError: Loading took longer than Lambda's 10 s and the function's own limit together.
        """
        if not self._loaded:
            frames.receive(self._channel, deadline=time.monotonic() + _INIT_SECONDS + timeout_seconds)
            self._loaded = True

    def send(self, event: bytes, *, request_id: str, arn: str, timeout_seconds: float) -> None:
        """
        Hand over one event.

        Raises:
            ClosedError: The process ended.
            TimeoutError: The process did not take the event in its time.
        """
        self._channel.settimeout(timeout_seconds)
        deadline_ms = int((time.time() + timeout_seconds) * 1000)
        frames.send(self._channel, {"request_id": request_id, "arn": arn, "deadline_ms": deadline_ms}, event)

    def receive(self, *, deadline: float) -> bytes | FunctionError:
        """
        Return the answer to the event that was handed over, waiting until *deadline* (monotonic) at most.

        Raises:
            ClosedError: The process ended.
            TimeoutError: The deadline passed first.
        """
        head, body = frames.receive(self._channel, deadline=deadline)
        self.usable = not head.get("last", False)
        if "error_type" in head:
            return FunctionError("Unhandled", head["error_type"], head["message"])
        return body

    def interrupt(self) -> None:
        """End the process at once, wherever it is; whoever waits for its answer sees that it is gone."""
        self._process.kill()

    def kill(self) -> int:
        """End the process at once, wherever it is, and return its exit status (negative: the signal)."""
        self.interrupt()
        return self._close()

    def stop(self) -> None:
        """End the process by its lifeline, or by force when that takes too long."""
        self._channel.close()
        self._cut_lifeline()
        try:
            self._process.wait(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def collect(self) -> int:
        """Return the exit status of a process that has closed its channel, ending it when it lingers."""
        try:
            self._process.wait(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()
        return self._close()

    def _close(self) -> int:
        status = self._process.wait()
        self._channel.close()
        self._cut_lifeline()
        return status

    def _cut_lifeline(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
