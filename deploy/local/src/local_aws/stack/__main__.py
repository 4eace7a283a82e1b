"""
`python -m local_aws.stack up|down|run`: keep an embedded stack running for a user to play with.

`up` starts it in the background, waits until it carries changes and writes `.local/env`; `down` ends it.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Final, Literal

import psutil
import typer

from local_aws.services.errors import LocalServiceError
from local_aws.stack.embedded import EmbeddedStack
from local_aws.stack.ending import clear_ending
from local_aws.stack.folder import StackFolder
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelinesFolder
from operator_cli.pipelines import all_pipelines

_COMMAND: Final = "local stack"
_READY_WITHIN_SECONDS: Final = 90
_GONE_WITHIN_SECONDS: Final = 60
_LOOK_EVERY_SECONDS: Final = 0.1
_LOG_LINES_SHOWN: Final = 30

Folder = Annotated[Path, typer.Option(help="Where the environment, the log and the process id are kept.")]
LoadMode = Annotated[
    Literal["s3", "local"], typer.Option(help="s3: the statement of Aurora; local: the fallback of any MySQL.")
]
Cache = Annotated[
    Path | None, typer.Option(help="Folder that makes the next start quick.", show_default="cache in the folder")
]
_FOLDER: Final = Path(".local")

cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@cli.command()
def run(
    *,
    folder: Folder = _FOLDER,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
    load_mode: LoadMode = "s3",
    cache: Cache = None,
) -> None:
    """Run a stack with every pipeline of the folder in the foreground, until Ctrl-C or SIGTERM."""
    place = StackFolder(folder)
    with (
        clear_ending(_COMMAND),
        place.held(),
        EmbeddedStack(all_pipelines(pipelines), load_mode=load_mode, cache=cache or place.cache) as stack,
    ):
        place.write_environment(stack.environment)
        typer.echo(f"the stack is up; its environment is in {place.environment}")
        while True:
            time.sleep(_LOOK_EVERY_SECONDS)


@cli.command()
def up(
    *,
    folder: Folder = _FOLDER,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
    load_mode: LoadMode = "s3",
    cache: Cache = None,
) -> None:
    """Start a stack in the background and wait until it is ready."""
    place = StackFolder(folder)
    with clear_ending(_COMMAND):
        place.make()
        if place.pid is not None:
            typer.echo(f"the stack is up already; its environment is in {place.environment}")
            return
        command = [sys.executable, "-m", "local_aws.stack", "run", "--folder", str(folder), "--load-mode", load_mode]
        command += ["--pipelines", str(pipelines), *(("--cache", str(cache)) if cache else ())]
        with place.log.open("w") as output:
            child = subprocess.Popen(  # noqa: S603 - our own command, with arguments that a person gave
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            _wait_until_up(place, child)
        except BaseException:
            child.terminate()
            child.wait()
            raise
        typer.echo(f"the stack is up. To use it:  set -a; . {place.environment}; set +a\n")
        typer.echo(place.environment.read_text())


@cli.command()
def down(*, folder: Folder = _FOLDER) -> None:
    """End the stack that `up` started, and wait until nothing of it is left."""
    place = StackFolder(folder)
    with clear_ending(_COMMAND):
        pid = place.pid
        if pid is None:
            place.tidy()
            typer.echo("no stack is up")
            return
        _end(pid)
        typer.echo("the stack is down; nothing of it is left but its log and the database cache")


def _wait_until_up(place: StackFolder, child: subprocess.Popen[bytes]) -> None:
    """
    Wait until *child* has written the environment.

    Raises:
        LocalServiceError: It ended, or the time is over; the text holds the end of its log.
    """
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while not place.is_up_as(child.pid):
        if child.poll() is not None or time.monotonic() > deadline:
            lines = place.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
            said = lines or ["nothing; is the disk full?"]
            raise LocalServiceError("\n".join([f"it did not start; {place.log} ends with", *said]))
        time.sleep(_LOOK_EVERY_SECONDS)


def _end(pid: int) -> None:
    """
    Ask the process *pid* to end and wait until it has.

    Raises:
        LocalServiceError: It does not end, or belongs to somebody else.
    """
    try:
        process = psutil.Process(pid)
        process.terminate()
        process.wait(_GONE_WITHIN_SECONDS)
    except psutil.NoSuchProcess:
        return
    except psutil.Error as error:
        raise LocalServiceError(f"process {pid} does not end ({error}); end it by hand: kill -9 {pid}") from error


if __name__ == "__main__":
    cli()
