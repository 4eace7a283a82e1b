"""What whoever deploys sees."""

import io

import pytest
import typer
from rich.console import Console

from ddb2aurora.errors import HaltError, RetryError
from deploy_aws.main import ending
from deploy_aws.screen import Screen


def on(*, terminal):
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=60, color_system=None)
    return Screen(console, clock=iter([0.0, 42.0, 50.0]).__next__), output


def test_without_a_terminal_there_are_plain_lines_however_long():
    screen, output = on(terminal=False)

    with screen.doing("updating [shop]"):
        screen.now("nobody sees this")
        screen.say("x" * 100, kind="bad")

    assert output.getvalue() == f"updating [shop]\n{'x' * 100}\n  done in 42 s\n"


def test_on_a_terminal_what_is_being_done_stays_in_sight():
    screen, output = on(terminal=True)

    with screen.doing("updating shop"):
        screen.now("UPDATE_IN_PROGRESS")

    assert "  done in 42 s" in output.getvalue()


def test_what_fails_is_not_said_to_be_done():
    screen, output = on(terminal=False)

    with pytest.raises(RetryError), screen.doing("updating shop", meanwhile="it goes on"):
        raise RetryError("no")

    assert (output.getvalue(), screen.left_running) == ("updating shop\n", None)


def ended_with(error, capsys, *, meanwhile=None):
    def work():
        with ending() as screen, screen.doing("updating shop", meanwhile=meanwhile):
            raise error

    with pytest.raises(typer.Exit) as ended:
        work()
    return ended.value.exit_code, capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "meanwhile", "status", "text"),
    [
        (KeyboardInterrupt(), "CloudFormation goes on", 130, "deploy: interrupted; CloudFormation goes on"),
        (KeyboardInterrupt(), None, 130, "deploy: interrupted; nothing goes on in AWS"),
        (HaltError("set it"), "CloudFormation goes on", 2, "deploy: set it"),
        (RetryError("again"), None, 1, "deploy: again"),
    ],
)
def test_every_end_has_its_status_and_one_text(capsys, error, meanwhile, status, text):
    assert ended_with(error, capsys, meanwhile=meanwhile) == (status, text)
