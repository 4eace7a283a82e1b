"""
Lambda entry point of the operator: a command in, what `--json` prints out.

The event is `{"command": "purge", "options": {"older_than": "14d"}}`, the answer `{"command": …, "exit_code": 0,
"output": …}`. A command that finds failures, or that cannot run, raises: then Lambda counts an error, a caller sees it,
and the alarm on errors speaks. The command is the command line's own; only its result is handed over, not printed.
"""

import functools
import logging
from typing import Any

import msgspec
import typer

from ddb2aurora.clock import clock_ms
from ddb2aurora.errors import HaltError, RetryError
from ddb2aurora.lambda_context import LambdaContext
from ddb2aurora.logs import fields, get_logger, set_up_logging
from ddb2aurora.metrics import Metrics
from ddb2aurora.settings import SettingsReader, process_environment
from operator_cli.arguments import arguments_from
from operator_cli.frame import EXIT_FINE, Capture, as_text, foreseen_errors
from operator_cli.registry import COMMANDS, load_command

_LOG = get_logger("operator")


class EventError(HaltError):
    """The event names no command of the operator, or the command does not understand its options."""


class CommandFailedError(RetryError):
    """A command ended with differences or failures; the text holds what it would have printed, without values."""


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    command: str
    options: dict[str, Any] = msgspec.field(default_factory=dict)


def run_command(event: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a caller sends
    """
    Run the command in *event* and return the answer to it.

    Raises:
        EventError: The event names no command, or the command does not understand its options.
        CommandFailedError: It found differences or failures.
        Ddb2AuroraError: It could not run; the class says whether it is worth trying again.
    """
    try:
        wanted = msgspec.convert(event, _Event)
    except msgspec.ValidationError as error:
        form = '{"command": "purge", "options": {"older_than": "14d"}}'
        raise EventError(f"not an event of the operator ({error}); its form is {form}") from error
    if wanted.command not in COMMANDS:
        raise EventError(f"there is no command {wanted.command!r}; there are: {', '.join(COMMANDS)}")
    command, capture = load_command(wanted.command), Capture()
    arguments = arguments_from(wanted.options, command=command)
    try:
        command.main(arguments, prog_name=wanted.command, standalone_mode=False, obj=capture)
    except typer.TyperException as error:
        raise EventError(f"{wanted.command}: {error.format_message()}") from error
    result = capture.result
    if result is None:
        raise EventError(f"{wanted.command} has no result: it printed its help, or ended early")
    if result.metrics:
        namespace = SettingsReader(process_environment()).metrics_namespace()
        metrics = Metrics(stage="operator", pipeline=capture.pipeline, clock_ms=clock_ms, namespace=namespace)
        metrics.emit(**result.metrics)
    # Lambda logs what is raised, so that an error holds no more than a log may.
    told = result.as_logged()
    level = logging.INFO if result.exit_code == EXIT_FINE else logging.ERROR
    _LOG.log(level, "command ended", extra=fields(command=wanted.command, exit_code=result.exit_code, output=told))
    if result.exit_code != EXIT_FINE:
        raise CommandFailedError(f"{wanted.command} ended with status {result.exit_code}: {as_text(told)}")
    return {"command": wanted.command, "exit_code": result.exit_code, "output": result.as_json()}


@functools.cache
def _set_up() -> None:
    reader = SettingsReader(process_environment())
    level = reader.log_level()
    reader.finish()
    set_up_logging(level=level)


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Handle one invocation by Lambda."""
    _set_up()
    with foreseen_errors():
        return run_command(event)
