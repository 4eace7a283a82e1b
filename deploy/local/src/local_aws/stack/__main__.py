"""
`python -m local_aws.stack up|down|run`: keep an embedded stack running for a user to play with.

`up` starts it in the background, waits until it carries changes and writes `.local/env`; `down` ends it.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import psutil
import typer

from ddb2aurora.errors import Ddb2AuroraError
from local_aws.services.errors import LocalServiceError
from local_aws.stack.embedded import EmbeddedStack
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelinesFolder
from operator_cli.pipelines import all_pipelines

_READY_WITHIN_SECONDS: Final = 90
_GONE_WITHIN_SECONDS: Final = 30
_LOOK_EVERY_SECONDS: Final = 0.1

Folder = Annotated[Path, typer.Option(help="Where the environment, the log and the process id are kept.")]
_FOLDER: Final = Path(".local")

cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@cli.command()
def run(
    *,
    folder: Folder = _FOLDER,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
    load_mode: Annotated[Literal["s3", "local"], typer.Option(help="How the loader loads.")] = "s3",
) -> None:
    """Run a stack with every pipeline of the folder in the foreground, until Ctrl-C or SIGTERM."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    folder.mkdir(exist_ok=True)
    environment = folder / "env"
    try:
        with EmbeddedStack(all_pipelines(pipelines), load_mode=load_mode, cache=folder / "cache") as stack:
            _write_environment(environment, stack.environment)
            typer.echo(f"the stack is up; its environment is in {environment}")
            while not stopping:
                time.sleep(_LOOK_EVERY_SECONDS)
    except (Ddb2AuroraError, LocalServiceError) as error:
        typer.echo(f"local stack: {error}", err=True)
        raise typer.Exit(1) from error
    finally:
        environment.unlink(missing_ok=True)


@cli.command()
def up(
    *,
    folder: Folder = _FOLDER,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
    load_mode: Annotated[Literal["s3", "local"], typer.Option(help="How the loader loads.")] = "s3",
) -> None:
    """Start a stack in the background and wait until it is ready."""
    folder.mkdir(exist_ok=True)
    environment, log = folder / "env", folder / "stack.log"
    if _running(folder) is not None:
        typer.echo(f"the stack is up already; its environment is in {environment}")
        return
    environment.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local_aws.stack", "run", "--folder", str(folder)]
    command += ["--pipelines", str(pipelines), "--load-mode", load_mode]
    with log.open("w") as output:
        child = subprocess.Popen(  # noqa: S603 - our own command, with arguments that a person gave
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    (folder / "pid").write_text(str(child.pid))
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while not environment.exists():
        if child.poll() is not None or time.monotonic() > deadline:
            child.terminate()
            typer.echo(f"local stack: it did not start; {log} ends with\n{log.read_text()[-2000:]}", err=True)
            raise typer.Exit(1)
        time.sleep(_LOOK_EVERY_SECONDS)
    typer.echo(f"the stack is up. To use it:  set -a; . {environment}; set +a\n")
    typer.echo(environment.read_text())


@cli.command()
def down(*, folder: Folder = _FOLDER) -> None:
    """End the stack that `up` started, and wait until nothing of it is left."""
    process = _running(folder)
    if process is None:
        typer.echo("no stack is up")
        return
    process.terminate()
    try:
        process.wait(_GONE_WITHIN_SECONDS)
    except psutil.TimeoutExpired as error:
        typer.echo(f"local stack: process {process.pid} does not end; kill it by hand", err=True)
        raise typer.Exit(1) from error
    (folder / "pid").unlink(missing_ok=True)
    typer.echo("the stack is down; nothing of it is left but its log and the database cache")


def _running(folder: Path) -> psutil.Process | None:
    """Return the process that `up` started, if it still runs."""
    try:
        process = psutil.Process(int((folder / "pid").read_text()))
        # Another process may have got the same id since.
        return process if "local_aws.stack" in process.cmdline() and process.is_running() else None
    except (OSError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _write_environment(path: Path, environment: Mapping[str, str]) -> None:
    # Whole or not at all, and for this user's eyes only: it holds a password.
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
    partial.rename(path)


if __name__ == "__main__":
    cli()
