"""The command line from outside: exit statuses, and one clear text for what a user can do wrong."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from botocore.exceptions import NoRegionError, ReadTimeoutError
from builders import a_pipeline
from command_line import run_command
from sdk_environment import SDK_ENVIRONMENT

from ddb2aurora.errors import HaltError, RetryError
from ddb2aurora.pipeline import dump_pipeline
from operator_cli import command_line as program

PIPELINES = Path(__file__).parents[3] / "pipelines"
ENVIRONMENT = {
    **SDK_ENVIRONMENT,
    "PIPELINES_FOLDER": str(PIPELINES),
    "COLUMNS": "200",
    "NO_COLOR": "1",
}


def run(*arguments, without=(), **environment):
    variables = {name: value for name, value in (ENVIRONMENT | environment).items() if name not in without}
    return run_command(arguments, variables)


@pytest.fixture
def folder(tmp_path):
    """A folder with the reference pipeline, to spoil it."""
    for file in PIPELINES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_an_unknown_pipeline_is_status_2_and_names_those_that_there_are():
    ran = run("seed", "-p", "nonesuch")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"ddb2aurora: no pipeline 'nonesuch' in {PIPELINES}; there are: web_analytics\n"


def test_a_broken_pipeline_file_is_status_2_and_every_mistake_has_its_line(folder):
    file = folder / "web_analytics.yaml"
    file.write_text(file.read_text().replace("mode: mirror ", "mode: mirrored ").replace("key: [", "keys: ["))

    ran = run("seed", PIPELINES_FOLDER=str(folder))

    assert (ran.returncode, ran.stdout) == (2, "")
    texts = [line.removeprefix("ddb2aurora: ").removeprefix(f"{file}:") for line in ran.stderr.splitlines()]
    assert texts[:2] == [
        "3: source: 'key' is a required property",
        "5: source: 'keys' has no meaning here; there are: table, key, heartbeat, documents",
    ]
    assert texts[2].startswith("11: target.mode: 'mirrored' is not one of")
    assert len(texts) == 3


def test_a_pipeline_with_another_key_is_status_2_and_nothing_is_written(tmp_path):
    (tmp_path / "things.json").write_bytes(dump_pipeline(a_pipeline()))

    ran = run("seed", "-p", "things", PIPELINES_FOLDER=str(tmp_path))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "ddb2aurora: the workload is one of page visits with the key page_id, activity_dt, and pipeline things has the "
        "key id; name a pipeline with that key\n"
    )


def test_shares_above_the_whole_are_status_2():
    ran = run("seed", "--updated", "0.7", "--deleted", "0.7")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "ddb2aurora: the shares of updated, deleted, recreated and broken items must add up to at most 1\n"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["seed", "--items", "0"], "Invalid value for '--items'"),
        (["seed", "--updated", "2"], "Invalid value for '--updated'"),
        (["seed", "--pipelines", "/nonesuch"], "Invalid value for '--pipelines'"),
        (["sow"], "No such command 'sow'"),
    ],
)
def test_a_wrong_argument_is_status_2_and_named(arguments, text):
    ran = run(*arguments)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert text in ran.stderr


def test_no_region_is_status_2_and_says_which_variable_sets_it():
    ran = run("seed", without=["AWS_DEFAULT_REGION"])

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "ddb2aurora: DynamoDB: no region is set; set AWS_DEFAULT_REGION, the SDK does not read AWS_REGION\n"
    )


def test_no_credentials_are_status_2_and_say_which_variables_set_them():
    ran = run("seed", "--items", "1", without=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.endswith(
        "ddb2aurora: table web_analytics: Unable to locate credentials; set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE\n"
    )


def test_an_endpoint_that_is_no_address_is_status_2():
    ran = run("seed", AWS_ENDPOINT_URL="nowhere")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "ddb2aurora: DynamoDB: Invalid endpoint: nowhere; check the settings of the AWS SDK\n"


def test_the_paragraphs_of_a_help_fill_the_lines_of_a_narrow_terminal():
    ran = run("plan", "--help", COLUMNS="80")

    lines = [line.strip() for line in ran.stdout.partition("╭")[0].splitlines()]
    # A line ends where the next word would not have fitted, but for the last one of a paragraph.
    early = [
        line
        for line, following in pairwise(lines)
        if line and following and not line.startswith("Usage") and len(line) + len(following.split()[0]) < 78
    ]
    assert (len(lines) > 8, early) == (True, [])


def test_help_is_status_0():
    ran = run("seed", "--help")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "--seed" in ran.stdout


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (HaltError("nothing works"), 2, "nothing works"),
        (RetryError("this did not work"), 1, "this did not work"),
        (NoRegionError(), 2, "AWS: no region is set; set AWS_DEFAULT_REGION, the SDK does not read AWS_REGION"),
        (
            ReadTimeoutError(endpoint_url="http://x"),
            1,
            'AWS: Read timeout on endpoint URL: "http://x"; check the network and AWS_ENDPOINT_URL',
        ),
    ],
)
def test_any_command_that_fails_in_a_foreseen_way_ends_with_a_status_and_one_text(
    monkeypatch, capsys, error, status, text
):
    failing = typer.Typer()

    @failing.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(program, "cli", failing)
    monkeypatch.setattr(sys, "argv", ["ddb2aurora"])

    with pytest.raises(SystemExit) as caught:
        program.run()

    assert caught.value.code == status
    assert capsys.readouterr().err == f"ddb2aurora: {text}\n"


@pytest.mark.parametrize("module", ["typer", "operator_cli.registry", "operator_cli.commands.purge"])
def test_ctrl_c_while_a_module_is_imported_is_status_130_and_no_traceback(module):
    code = f"""
import sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
sys.argv = ["ddb2aurora", "purge", "--help"]
from operator_cli.main import main
main()
"""

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout, ran.stderr.strip()) == (130, "", "")
