"""Contestants in processes of their own, which are asked line by line."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from benchmarking.interleave import Contestant, Sample

_ANSWERS: Final = 3


class ChildError(Exception):
    """A process of a contestant ended, or answered something else than it should."""


class Child:
    """
    A process that reads one request a line, in JSON, and writes one answer a line to file descriptor 3.

    Its standard output is what the measured function logs, and goes nowhere.
    """

    def __init__(self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start *command* in *folder*, with *environment* on top of ours."""
        reading, writing = os.pipe()
        # The shell puts the pipe where the process looks for it, whatever number it has here; a plain sh may know none
        # of two digits.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" {_ANSWERS}>&{writing}', "bash", *command],
            cwd=folder,
            env={**os.environ, **(environment or {})},  # noqa: TID251 - a child gets what this process was given
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(writing,),
            text=True,
        )
        os.close(writing)
        self._answers = os.fdopen(reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, **request: Any) -> Any:
        """
        Return the answer to *request*.

        Raises:
            ChildError: There is none.
        """
        stdin = self._process.stdin
        if stdin is None:
            raise ChildError("no standard input")
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise ChildError(f"ended with {self._process.wait()}; its own words stand above") from None
        line = self._answers.readline()
        if not line:
            raise ChildError(f"ended with {self._process.wait()}; its own words stand above")
        return json.loads(line)

    def contestant(self, **request: Any) -> Contestant:
        """Return the contestant that the process is when it gets *request* and how many `times`."""

        def contestant(times: int) -> Sample:
            answer = self.ask(times=times, **request)
            return Sample(answer["wall"], answer["cpu"])

        return contestant

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._answers.close()
        self._process.wait()


def whole_process(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Contestant:
    """Return the contestant that is *command* from its start to its end, with *environment* on top of ours."""

    def contestant(times: int) -> Sample:
        wall = cpu = 0.0
        for _ in range(times):
            started = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **environment},  # noqa: TID251 - a child gets what this process was given
                stdout=subprocess.DEVNULL,
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall += time.perf_counter() - started
            cpu += used.ru_utime + used.ru_stime
            if process.returncode:
                raise ChildError(f"ended with {process.returncode}; its own words stand above")
        return Sample(wall, cpu)

    return contestant
