"""
The frame around every command: options in, a `Result` out; the command line prints it, Lambda returns it.

A command is a function with Typer options that returns a `Result`. `framed` adds `--json`, prints the result for people
or for machines, and ends with its status. Under `capturing` nothing is printed and the result is handed over instead;
see `operator_cli.handler`.
"""

import functools
import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, ParamSpec, cast

import typer

from ddb2aurora.errors import Ddb2AuroraError

if TYPE_CHECKING:
    from rich.console import RenderableType

EXIT_FINE: Final = 0
EXIT_FAILURES: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130  # what a shell says of a command that Ctrl-C ended

_P = ParamSpec("_P")
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document, for machines.")]


class Result(ABC):
    """What a command did or found; usually a frozen dataclass with the numbers, which these methods show."""

    @property
    def exit_code(self) -> int:
        """The status: EXIT_FINE, or EXIT_FAILURES when there were differences or failures."""
        return EXIT_FINE

    @property
    def metrics(self) -> Mapping[str, float]:
        """What a scheduled run measures besides, by the names in `ddb2aurora.metrics`; nothing for most commands."""
        return {}

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Return the result in values that JSON has; names in snake_case, with units."""

    def as_logged(self) -> dict[str, Any]:
        """Return what of `as_json` may stand in a log and in an error: all, unless it holds values or keys of items."""
        return self.as_json()

    @abstractmethod
    def for_people(self) -> Iterable["str | RenderableType"]:
        """Return the result as lines and rich renderables, such as tables; lines are printed as they are."""


class Capture:
    """Where a command's result goes when nobody reads what it prints."""

    result: Result | None = None
    pipeline: str = ""


def framed(command: Callable[_P, Result]) -> Callable[_P, None]:
    """Return *command* with the option `--json`, so that it prints its result and ends with its status."""
    asks = "as_json" in inspect.signature(command).parameters

    @functools.wraps(command)
    def run(*arguments: _P.args, **options: _P.kwargs) -> None:
        as_json, context = bool(options.pop("as_json")), cast("typer.Context", options.pop("context"))
        if asks:
            options["as_json"] = as_json
        try:
            result = command(*arguments, **options)
        except KeyboardInterrupt:
            typer.echo("ddb2aurora: interrupted; what was done stays done, run it again to go on", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        capture = context.find_object(Capture)
        if capture is not None:
            capture.result, capture.pipeline = result, str(options.get("pipeline", ""))
            return
        show(result, as_json=as_json)
        raise typer.Exit(result.exit_code)

    return _with_json_option(run, command)


def show(result: Result, *, as_json: bool) -> None:
    """Print *result* on standard output."""
    if as_json:
        typer.echo(as_text(result.as_json()))
        return
    from rich.console import Console  # noqa: PLC0415 - Lambda and --json need no console

    console = Console(highlight=False)
    for part in result.for_people():
        if isinstance(part, str):
            # As it is: a key or an error may hold what rich takes for markup, and a pipe has no width.
            typer.echo(part)
        else:
            console.print(part)


def as_text(output: dict[str, Any]) -> str:
    """Return *output* as one line of JSON."""
    return json.dumps(output, ensure_ascii=False, allow_nan=False)


@contextmanager
def foreseen_errors() -> Iterator[None]:
    """
    Turn the SDK's errors into ours, those that no command has turned itself.

    Raises:
        AwsSetUpError: A call to AWS cannot work before someone acts.
        AwsCallError: It may work later.
    """
    try:
        yield
    except (Ddb2AuroraError, typer.TyperException, SystemExit):
        raise  # before the SDK's are looked for: most commands end so, and the SDK takes its time to import
    except _sdk_errors() as error:
        from operator_cli.aws import ours  # noqa: PLC0415 - see above

        raise ours(error, where="AWS") from error


def _sdk_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see above

    return BotoCoreError, ClientError


def _with_json_option(run: Callable[_P, None], command: Callable[_P, Result]) -> Callable[_P, None]:
    signature = inspect.signature(command)
    added = [
        inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
        inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
    ]
    # A command that prints as it goes asks for the option itself.
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "as_json"]
    parameters = [*own, *added]
    run.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]  # functions have it
    run.__annotations__ = {
        **command.__annotations__,
        **{parameter.name: parameter.annotation for parameter in added},
        "return": None,
    }
    return run
