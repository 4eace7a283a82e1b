"""What every command has from its frame: a result for people and for machines, a status, a clean end."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import typer
from rich.table import Table
from typer.testing import CliRunner

from operator_cli.frame import EXIT_FAILURES, Capture, Result, framed


@dataclass(frozen=True, slots=True)
class Counted(Result):
    number: int

    @property
    def exit_code(self):
        return EXIT_FAILURES if self.number < 0 else 0

    def as_json(self) -> dict[str, Any]:
        return {"number": self.number, "of": "été"}

    def for_people(self):
        table = Table("head")
        table.add_row("cell")
        yield f"[red]{self.number}[/red] {'x' * 200}"
        yield table


def count(*, number: int = 1) -> Result:
    if number == 13:
        raise KeyboardInterrupt
    return Counted(number)


@pytest.fixture
def cli():
    app = typer.Typer()
    app.command("count")(framed(count))
    return app


def test_people_see_lines_as_they_are_and_tables(cli):
    ran = CliRunner().invoke(cli, ["--number", "2"])

    line, *table = ran.stdout.splitlines()
    assert (ran.exit_code, line) == (0, f"[red]2[/red] {'x' * 200}")
    assert "cell" in "".join(table)


def test_machines_get_one_line_of_json_and_nothing_else(cli):
    ran = CliRunner().invoke(cli, ["--number", "2", "--json"])

    assert (ran.exit_code, ran.output) == (0, json.dumps({"number": 2, "of": "été"}, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_status_is_the_result_s(cli, arguments):
    assert CliRunner().invoke(cli, ["--number", "-2", *arguments]).exit_code == 1


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(cli):
    ran = CliRunner().invoke(cli, ["--number", "13"])

    assert (ran.exit_code, ran.stdout) == (130, "")
    assert ran.stderr == "ddb2aurora: interrupted; what was done stays done, run it again to go on\n"


def test_under_a_capture_the_result_is_handed_over_and_nothing_is_printed(cli, capsys):
    capture = Capture()

    typer.main.get_command(cli).main(["--number", "-2"], standalone_mode=False, obj=capture)

    assert capture.result == Counted(-2)
    assert capsys.readouterr() == ("", "")
