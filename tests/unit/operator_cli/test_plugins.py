import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import pytest
import typer
from typer.testing import CliRunner

from operator_cli import plugins


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Install a package with the given entry points, and run a command line that has one command of its own."""

    def run_with(entries, *arguments):
        folder = tmp_path / "extra-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1\n")
        lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
        (folder / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{lines}\n")
        (tmp_path / "extra_commands.py").write_text(
            "import typer\n\ndef shout(*, times: int = 1) -> None:\n    typer.echo('hey' * times)\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        cli = typer.Typer()

        @cli.command("own")
        def own() -> None:
            typer.echo("mine")

        plugins.add_plugins(cli, own={"own"})
        return CliRunner().invoke(cli, arguments)

    yield run_with
    sys.modules.pop("extra_commands", None)


def test_a_command_of_another_package_is_run_with_its_own_options(run):
    result = run({"shout": "extra_commands:shout"}, "shout", "--times", "2")

    assert (result.exit_code, result.stdout) == (0, "heyhey\n")


def test_its_help_is_its_own(run):
    result = run({"shout": "extra_commands:shout"}, "shout", "--help")

    assert result.exit_code == 0
    assert "--times" in result.stdout


def test_a_command_that_cannot_be_imported_breaks_no_other_and_says_why_when_run(run):
    result = run({"broken": "no_such_module:thing"}, "own")
    broken = CliRunner()
    cli = typer.Typer()
    cli.command("own")(lambda: None)
    plugins.add_plugins(cli, own={"own"})

    failure = broken.invoke(cli, ["broken"]).exception

    assert (result.exit_code, result.stdout) == (0, "mine\n")
    assert str(failure) == (
        "the command broken cannot be imported (ModuleNotFoundError: No module named 'no_such_module'); "
        "install the package extra again"
    )


def test_a_command_of_our_own_wins(run):
    result = run({"own": "extra_commands:shout"}, "own")

    assert result.stdout == "mine\n"


def test_listing_the_commands_imports_none_of_other_packages():
    code = "import sys; import operator_cli.command_line; print('local_aws' in sys.modules)"

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output == "False\n"


def test_chaos_is_found_as_such_a_command():
    assert entry_points(group=plugins.GROUP)["chaos"] == EntryPoint(
        "chaos", "local_aws.chaos.command:chaos", plugins.GROUP
    )
