"""What a user may get wrong: each mistake gives one text that names place and mend, and nothing is half done."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ddb2aurora.sql import quote_name

REPOSITORY = Path(__file__).parents[3]
PIPELINES = str(REPOSITORY / "pipelines")
BIN = Path(sys.executable).parent
OPERATOR = (str(BIN / "ddb2aurora"),)
DEMO = (sys.executable, "-m", "local_aws.demo")
STACK = (sys.executable, "-m", "local_aws.stack")
DATABASE = {"DB_HOST": "127.0.0.1", "DB_USER": "somebody", "DB_PASSWORD": "secret", "DB_TLS": "off"}
AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def run(*command: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Run *command* with nothing but *environment*, and return its status and what it says on the standard error."""
    done = subprocess.run(
        command,
        env={"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stderr


def broken_pipelines(folder: Path) -> Path:
    """Return a folder whose one pipeline file has two mistakes, on lines 3 and 7."""
    pipelines = folder / "pipelines"
    pipelines.mkdir()
    (pipelines / "web_analytics.yaml").write_text(
        "name: web_analytics\n"
        "source:\n"
        "  tabel: visits\n"
        "  key: [id]\n"
        "target:\n"
        "  database: Demo\n"
        "  table: 7\n"
        "  columns:\n"
        "    id: {type: int, from: id}\n"
    )
    return pipelines


@pytest.mark.parametrize("verb", ["migrate", "seed"])
def test_an_unknown_pipeline_is_named_with_those_that_there_are(tmp_path: Path, verb: str):
    ending = run(*OPERATOR, verb, "--pipeline", "orders", "--pipelines", PIPELINES, folder=tmp_path)

    assert ending == (2, f"ddb2aurora: no pipeline 'orders' in {PIPELINES}; there are: web_analytics\n")


@pytest.mark.parametrize("command", [(*DEMO,), (*STACK, "run")])
def test_a_folder_without_pipelines_is_named(tmp_path: Path, command: tuple[str, ...]):
    (tmp_path / "empty").mkdir()

    status, said = run(*command, "--pipelines", "empty", folder=tmp_path)

    assert status == 1
    assert "empty" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / ".local" / "env").exists()


@pytest.mark.parametrize(
    ("command", "status"),
    [((*OPERATOR, "migrate"), 2), ((*OPERATOR, "seed"), 2), ((*DEMO,), 1), ((*STACK, "run"), 1)],
    ids=["migrate", "seed", "demo", "stack"],
)
def test_every_mistake_of_a_pipeline_file_is_told_with_its_line(tmp_path: Path, command: tuple[str, ...], status: int):
    pipelines = broken_pipelines(tmp_path)

    ended, said = run(*command, "--pipelines", str(pipelines), folder=tmp_path, **DATABASE, **AWS)

    file = pipelines / "web_analytics.yaml"
    assert ended == status
    assert f"{file}:3: source: " in said
    assert "'tabel' has no meaning here" in said
    assert f"{file}:7: target.table: 7 is not of type 'string'" in said


def test_missing_settings_of_the_database_are_told_all_at_once(tmp_path: Path):
    status, said = run(*OPERATOR, "migrate", "--pipelines", PIPELINES, folder=tmp_path)

    assert status == 2
    assert "DB_HOST is missing: set it to " in said
    assert "DB_USER is missing: set it to " in said
    assert "set exactly one of DB_PASSWORD, DB_SECRET_ARN and DB_AUTH=iam" in said


def test_a_database_that_does_not_answer_is_named_with_the_mend(tmp_path: Path):
    status, said = run(*OPERATOR, "migrate", "--pipelines", PIPELINES, folder=tmp_path, **DATABASE, DB_PORT="1")

    assert status == 1
    assert said.startswith("ddb2aurora: connecting failed on 127.0.0.1:1: ")
    assert "check DB_HOST and DB_PORT" in said


def test_a_password_that_the_database_refuses_is_told_and_never_shown(tmp_path: Path, database: Any):
    settings = {**DATABASE, "DB_USER": database.user, "DB_PORT": str(database.port), "DB_PASSWORD": "not-the-password"}

    status, said = run(*OPERATOR, "migrate", "--pipelines", PIPELINES, folder=tmp_path, **settings)

    assert status == 2
    assert f"connecting failed on 127.0.0.1:{database.port}: error 1045 " in said
    assert "check DB_USER and the password" in said
    assert "not-the-password" not in said


def test_a_table_that_does_not_match_is_refused_with_every_difference_and_nothing_is_made(
    tmp_path: Path, database: Any
):
    settings = {
        "DB_HOST": database.host,
        "DB_PORT": str(database.port),
        "DB_USER": database.user,
        "DB_PASSWORD": database.password,
        "DB_NAME": database.name,
        "DB_TLS": "off",
    }
    connection = database.connect()
    with connection.cursor() as cursor:
        table = quote_name(database.name, "WebAnalytics")
        cursor.execute(f"CREATE TABLE {table} (page_id varchar(100), hits varchar(9))")

        done = subprocess.run(
            [*OPERATOR, "migrate", "--json", "--pipelines", PIPELINES],
            env={"PATH": os.defpath, "HOME": str(tmp_path), **settings},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 1  # a person has to decide
        assert "hits" in done.stdout
        assert "varchar(9)" in done.stdout
        assert "activity_dt" in done.stdout
        cursor.execute("SHOW TABLES")
        assert cursor.fetchall() == (("WebAnalytics",),)


def test_an_endpoint_that_does_not_answer_is_named(tmp_path: Path):
    status, said = run(*OPERATOR, "seed", "--items", "3", "--pipelines", PIPELINES, folder=tmp_path, **AWS)

    assert status == 1
    assert (
        'Could not connect to the endpoint URL: "http://127.0.0.1:1/"; check the network and AWS_ENDPOINT_URL' in said
    )


def test_a_source_table_that_is_not_there_is_named_with_the_mend(tmp_path: Path, aws: Any):
    environment = {**AWS, "AWS_ENDPOINT_URL": aws.url, "AWS_DEFAULT_REGION": aws.region}

    status, said = run(*OPERATOR, "seed", "--items", "3", "--pipelines", PIPELINES, folder=tmp_path, **environment)

    assert status == 2
    assert "BatchWriteItem on table web_analytics failed with ResourceNotFoundException" in said
    assert "create it, or check the region and AWS_ENDPOINT_URL" in said


def test_a_cache_that_cannot_be_written_ends_the_demonstration_and_leaves_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    status, said = run(*DEMO, "--items", "3", "--cache", "file/cache", "--pipelines", PIPELINES, folder=tmp_path)

    mend = "name another folder, or mend this one (TMPDIR moves the temporary ones)"
    assert (status, said) == (1, f"demo: [Errno 20] Not a directory: 'file/cache'; {mend}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
