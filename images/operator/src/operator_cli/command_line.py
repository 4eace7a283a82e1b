"""The `ddb2aurora` command: one door to what an operator does."""

import typer

from ddb2aurora.errors import Ddb2AuroraError, HaltError
from operator_cli.frame import EXIT_FAILURES, EXIT_USAGE, foreseen_errors
from operator_cli.plugins import add_plugins
from operator_cli.registry import COMMANDS, CommandGroup

cli = typer.Typer(
    name="ddb2aurora",
    help="Keep an Aurora MySQL table true to a DynamoDB table.",
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.callback()
def _group() -> None:
    """Make a group of it, whatever is installed beside it."""


add_plugins(cli, own=COMMANDS)


def run() -> None:
    """Run the command line; errors that we foresaw end it with one clear text and a status, not with a traceback."""
    try:
        with foreseen_errors():
            cli(standalone_mode=True)
    except Ddb2AuroraError as error:
        typer.echo(f"ddb2aurora: {error}", err=True)
        raise SystemExit(EXIT_USAGE if isinstance(error, HaltError) else EXIT_FAILURES) from None
