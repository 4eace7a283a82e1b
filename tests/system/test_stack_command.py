"""`python -m local_aws.stack` from a user's side: up, down, twice, wrongly, and after a kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from outside import PATIENCE_SECONDS, REPOSITORY, read_environment

CACHE = REPOSITORY / ".local" / "cache" / "databases"


def command(*arguments: str | Path, temporary: Path | None = None) -> tuple[int, str, str]:
    """Run the command and return its status and what it wrote on both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "local_aws.stack", *map(str, arguments)],
        env={**os.environ, **({"TMPDIR": str(temporary)} if temporary else {})},  # noqa: TID251 - as from a shell
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_stack_is_up_once_down_once_and_gone_even_after_a_kill(tmp_path: Path):
    place, temporary = tmp_path / "new" / "local", tmp_path / "tmp"
    temporary.mkdir()

    status, printed, _ = command("up", "--folder", place, "--cache", CACHE, temporary=temporary)
    assert status == 0
    assert printed.startswith(f"the stack is up. To use it:  set -a; . {place}/env; set +a\n")
    assert (place / "env").stat().st_mode & 0o777 == 0o600
    first = read_environment(place / "env")
    assert command("up", "--folder", place) == (
        0,
        f"the stack is up already; its environment is in {place}/env\n",
        "",
    )
    assert read_environment(place / "env") == first
    status, _, said = command("run", "--folder", place)
    assert (status, said) == (
        1,
        f"local stack: a stack is up in {place} already; end it, or name another folder\n",
    )
    assert read_environment(place / "env") == first

    pid = int((place / "pid").read_text())
    processes = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    assert (len(gone) >= 4, alive) == (True, [])
    wait_until_empty(temporary)

    assert command("down", "--folder", place) == (0, "no stack is up\n", "")
    assert not (place / "env").exists()
    assert command("up", "--folder", place, "--cache", CACHE, temporary=temporary)[0] == 0
    assert command("down", "--folder", place) == (
        0,
        "the stack is down; nothing of it is left but its log and the database cache\n",
        "",
    )
    assert command("down", "--folder", place) == (0, "no stack is up\n", "")
    assert [path.name for path in place.iterdir()] == ["stack.log"]
    assert list(temporary.iterdir()) == []


def test_a_stack_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path):
    place, pipelines, temporary = tmp_path / "local", tmp_path / "pipelines", tmp_path / "tmp"
    for folder in (pipelines, temporary):
        folder.mkdir()
    (pipelines / "broken.yaml").write_text("name: broken\nsource: {table: broken}\n")

    status, _, said = command("up", "--folder", place, "--pipelines", pipelines, temporary=temporary)

    file = pipelines / "broken.yaml"
    assert status == 1
    assert said.startswith(f"local stack: it did not start; {place}/stack.log ends with\nlocal stack: {file}:")
    assert "Traceback" not in said
    assert [path.name for path in place.iterdir()] == ["stack.log"]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("verb", ["up", "run", "down"])
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, verb: str):
    (tmp_path / "file").write_text("in the way")

    status, _, said = command(verb, "--folder", tmp_path / "file")

    assert status == 1
    assert said.startswith("local stack: ")
    assert str(tmp_path / "file") in said
    assert said.endswith("; name another folder, or mend this one (TMPDIR moves the temporary ones)\n")
    assert len(said.splitlines()) == 1


def wait_until_empty(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while list(folder.iterdir()):
        assert time.monotonic() < deadline, list(folder.iterdir())
        time.sleep(0.1)
