"""The operator as a Lambda function: the command line's own commands, their results handed over."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from operator_cli import handler as lambda_handler
from operator_cli import registry
from operator_cli.frame import EXIT_FAILURES, Result
from operator_cli.handler import CommandFailedError, EventError, run_command

FORM = '{"command": "purge", "options": {"older_than": "14d"}}'


@dataclass(frozen=True, slots=True)
class Counted(Result):
    number: int

    @property
    def exit_code(self):
        return EXIT_FAILURES if self.number < 0 else 0

    @property
    def metrics(self):
        return {"ObjectsMissed": self.number} if self.number > 5 else {}

    def as_json(self) -> dict[str, Any]:
        return {"number": self.number}

    def as_logged(self) -> dict[str, Any]:
        return {"number": "***"} if abs(self.number) == 7 else self.as_json()

    def for_people(self):
        yield str(self.number)


def count(*, number: int = 1) -> Result:
    return Counted(number)


@pytest.fixture(autouse=True)
def commands(monkeypatch):
    """The registry with a command of this file in it, by the name of this module, as any other."""
    module = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "counting_command", module)
    monkeypatch.setattr(registry, "COMMANDS", {"count": "counting_command:count"})
    monkeypatch.setattr(lambda_handler, "COMMANDS", registry.COMMANDS)


def test_a_command_that_went_well_is_answered_with_what_json_prints(capsys):
    assert run_command({"command": "count", "options": {"number": 3}}) == {
        "command": "count",
        "exit_code": 0,
        "output": {"number": 3},
    }
    assert capsys.readouterr() == ("", "")


def test_what_no_log_may_hold_is_answered_and_not_logged(caplog):
    with caplog.at_level("INFO"):
        answer = run_command({"command": "count", "options": {"number": 7}})

    assert answer["output"] == {"number": 7}
    assert [record.__dict__["ddb2aurora_fields"]["output"] for record in caplog.records] == [{"number": "***"}]


def test_what_no_log_may_hold_is_not_raised_because_lambda_logs_that():
    with pytest.raises(CommandFailedError) as caught:
        run_command({"command": "count", "options": {"number": -7}})

    assert str(caught.value) == 'count ended with status 1: {"number": "***"}'


def test_what_it_measures_goes_into_the_namespace_of_its_deployment(capsys, monkeypatch):
    monkeypatch.setenv("METRICS_NAMESPACE", "dev-things")

    run_command({"command": "count", "options": {"number": 6}})

    line = json.loads(capsys.readouterr().out)
    assert (line["ObjectsMissed"], line["_aws"]["CloudWatchMetrics"][0]["Namespace"]) == (6, "dev-things")


def test_without_options_a_command_has_its_defaults():
    assert run_command({"command": "count"})["output"] == {"number": 1}


def test_a_command_that_found_failures_raises_with_what_it_found():
    with pytest.raises(CommandFailedError) as caught:
        run_command({"command": "count", "options": {"number": -3}})

    assert str(caught.value) == 'count ended with status 1: {"number": -3}'


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"command": "nix"}, "there is no command 'nix'; there are: count"),
        ({}, f"not an event of the operator (Object missing required field `command`); its form is {FORM}"),
        ([], f"not an event of the operator (Expected `object`, got `array`); its form is {FORM}"),
        (
            {"command": "count", "option": {}},
            f"not an event of the operator (Object contains unknown field `option`); its form is {FORM}",
        ),
        (
            {"command": "count", "options": {"number": "many"}},
            (
                "count: Invalid value for '--number': Input should be a valid integer, "
                "unable to parse string as an integer"
            ),
        ),
    ],
)
def test_an_event_that_no_command_understands_says_what_is_wrong_with_it(event, text):
    with pytest.raises(EventError) as caught:
        run_command(event)

    assert str(caught.value) == text


def test_the_handler_starts_without_drivers_sdk_and_checkers():
    program = (
        "import sys, operator_cli.handler, json;"
        "heavy = ('boto3', 'pymysql', 'jsonschema', 'yaml', 'rich');"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert json.loads(ran.stdout) == []


def test_a_failure_in_lambda_is_the_command_line_s_own_text():
    program = (
        "import sys; from operator_cli.handler import handler\n"
        "try: handler({'command': 'purge'}, None)\n"
        "except Exception as error: print(type(error).__name__, str(error).splitlines()[1].strip())"
    )
    environment = {"PIPELINES_FOLDER": "pipelines"}

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)

    assert ran.stdout == "SettingsError DB_HOST is missing: set it to the host name of the database\n"
