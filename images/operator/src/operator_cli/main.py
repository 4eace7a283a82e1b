"""The `ddb2aurora` command: one door to what an operator does."""

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ddb2aurora.errors import Ddb2AuroraError, HaltError
from operator_cli.aws import ours
from operator_cli.commands import migrate, purge, seed
from operator_cli.plugins import add_plugins

EXIT_FINE = 0
EXIT_FAILURES = 1
EXIT_USAGE = 2

cli = typer.Typer(
    name="ddb2aurora",
    help="Keep an Aurora MySQL table true to a DynamoDB table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command("migrate")(migrate.migrate)
cli.command("seed")(seed.seed)
cli.command("purge")(purge.purge)
add_plugins(cli)


def main() -> None:
    """Run the command line; errors that we foresaw end it with one clear text and a status, not with a traceback."""
    try:
        cli(standalone_mode=True)
    except HaltError as error:
        _fail(str(error), EXIT_USAGE)
    except Ddb2AuroraError as error:
        _fail(str(error), EXIT_FAILURES)
    except (BotoCoreError, ClientError) as error:
        foreseen = ours(error, where="AWS")
        _fail(str(foreseen), EXIT_USAGE if isinstance(foreseen, HaltError) else EXIT_FAILURES)


def _fail(text: str, status: int) -> None:
    typer.echo(f"ddb2aurora: {text}", err=True)
    raise SystemExit(status)
