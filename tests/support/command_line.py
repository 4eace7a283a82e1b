"""
Run our commands as users do: in a process of its own, with an environment of its own.

Most of what a short command takes is the import of its drivers. So its processes are forked from one server that has
imported them already and runs nothing else; the environment, the standard streams, the status and the signals are
those of a process all the same. A test that starts one and goes on uses `start_command`.
"""

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

from operator_cli.registry import COMMANDS

PATIENCE_SECONDS = 110
OPERATOR, DEPLOY = "operator_cli.main:main", "deploy_aws.main:cli"
IMPORTED = (
    "boto3",
    "deploy_aws.main",
    "operator_cli.command_line",
    *sorted(target.partition(":")[0] for target in COMMANDS.values()),
)


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], *, folder: Path | None = None, entry: str = OPERATOR
) -> subprocess.CompletedProcess[str]:
    """
    Run `ddb2aurora` with *arguments* and this *environment* alone, in *folder* (default: the current one).

    *entry* names the function of another command.

    Raises:
        TimeoutError: It did not end; it was killed.
    """
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as error:
        process = _server().Process(
            target=_command,
            args=(entry, list(arguments), dict(environment), folder or Path.cwd(), out.name, error.name),
        )
        process.start()
        process.join(PATIENCE_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"{entry} {' '.join(arguments)}: {Path(error.name).read_text()}")
        said, complained = Path(out.name).read_text(), Path(error.name).read_text()
        return subprocess.CompletedProcess(list(arguments), process.exitcode, said, complained)


def start_command(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """
    Start `ddb2aurora` with *arguments* and this *environment* alone, for a test that watches or ends the process.

    It is no child of the server, and its output is piped.
    """
    command = [sys.executable, "-c", "from operator_cli.main import main; main()", *arguments]
    return subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def _command(entry: str, arguments: list[str], environment: dict[str, str], folder: Path, out: str, error: str) -> None:
    os.environ.clear()  # noqa: TID251 - the environment of this process, which is the command's
    os.environ.update(environment)  # noqa: TID251 - as above
    os.chdir(folder)
    for path, stream in ((out, sys.stdout), (error, sys.stderr)):
        opened = os.open(path, os.O_WRONLY)
        os.dup2(opened, stream.fileno())
        os.close(opened)
    sys.argv = ["ddb2aurora", *arguments]
    module, _, function = entry.partition(":")
    getattr(importlib.import_module(module), function)()
