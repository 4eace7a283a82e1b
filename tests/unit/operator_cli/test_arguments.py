"""The options of a Lambda event as arguments of the command line."""

from typing import Annotated

import pytest
import typer

from operator_cli.arguments import OptionsError, arguments_from


def look(
    key: Annotated[list[str] | None, typer.Argument()] = None,
    *,
    older_than: str = "1d",
    segment: Annotated[list[int] | None, typer.Option()] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    tidy: Annotated[bool, typer.Option("--tidy/--no-tidy")] = True,
    pipeline: Annotated[str, typer.Option("--pipeline", "-p")] = "things",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None: ...


@pytest.fixture
def command():
    app = typer.Typer(add_completion=False)
    app.command("look")(look)
    return typer.main.get_command(app)


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, []),
        ({"older_than": "14d"}, ["--older-than=14d"]),
        ({"older-than": "-1"}, ["--older-than=-1"]),
        ({"segment": [1, 2]}, ["--segment=1", "--segment=2"]),
        ({"segment": []}, []),
        ({"segment": None, "dry_run": None}, []),
        ({"dry_run": True}, ["--dry-run"]),
        ({"dry_run": False}, []),
        ({"tidy": True}, ["--tidy"]),
        ({"tidy": False}, ["--no-tidy"]),
        ({"key": "--help"}, ["--", "--help"]),
        ({"key": ["a", 1.5], "pipeline": "web"}, ["--pipeline=web", "--", "a", "1.5"]),
    ],
)
def test_each_option_becomes_what_a_user_would_type(command, options, arguments):
    assert arguments_from(options, command=command) == arguments


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"older": "1d"},
            "the command look has no option 'older'; it has: dry-run, key, older-than, pipeline, segment, ti",
        ),
        ({"json": True}, "has no option 'json'"),
        ({"help": True}, "has no option 'help'"),
        ({"p": "web"}, "has no option 'p'"),
        ({"dry_run": "yes"}, "the option 'dry-run' is a flag: give it true or false"),
        ({"older_than": True}, "the option 'older-than' takes a text or a number"),
        ({"older_than": {"days": 1}}, "the option 'older-than' takes a text or a number"),
        ({"key": [None]}, "the option 'key' takes a text or a number"),
    ],
)
def test_what_the_command_does_not_take_is_named(command, options, text):
    with pytest.raises(OptionsError, match=text):
        arguments_from(options, command=command)
