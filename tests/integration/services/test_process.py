"""The supervised child process on its own."""

import sys
import time

import psutil
import pytest

from local_aws.services.errors import LocalServiceError
from local_aws.services.process import ChildProcess

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
PARENT = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"


def output(child):
    """Return what the child has written, once it has written something."""
    deadline = time.monotonic() + 15
    while not child.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return child.log.read_text()


def test_a_child_that_is_deaf_to_a_polite_stop_is_killed(tmp_path):
    child = ChildProcess([sys.executable, "-c", DEAF], name="a deaf child", log=tmp_path / "log", grace_seconds=0.2)
    child.start()
    process = psutil.Process(child.pid)
    heard = output(child)

    child.stop()

    assert heard == "deaf\n"
    assert not process.is_running()
    assert child.pid is None


def test_what_a_child_started_ends_with_it(tmp_path):
    child = ChildProcess([sys.executable, "-c", PARENT], name="a parent", log=tmp_path / "log")
    child.start()
    grandchild = psutil.Process(int(output(child)))

    child.stop()

    deadline = time.monotonic() + 15
    while grandchild.is_running() and grandchild.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_child_can_be_started_again_after_it_ended(tmp_path):
    child = ChildProcess(["sleep", "60"], name="a sleeper", log=tmp_path / "log")
    child.start()
    first = child.pid
    child.kill()
    killed = child.running

    child.start()
    second = child.pid
    child.stop()

    assert not killed
    assert first != second


def test_a_child_is_not_started_twice(tmp_path):
    child = ChildProcess(["sleep", "60"], name="a sleeper", log=tmp_path / "log")
    child.start()
    try:
        with pytest.raises(LocalServiceError, match="a sleeper runs already"):
            child.start()
    finally:
        child.stop()


def test_a_program_that_does_not_exist_is_an_error_that_quotes_the_log(tmp_path):
    child = ChildProcess(["/nonexistent/program"], name="a ghost", log=tmp_path / "log")

    with pytest.raises(LocalServiceError, match=r"a ghost could not be executed(.|\n)*/nonexistent/program"):
        child.start()

    assert not child.running


def test_a_stop_of_what_does_not_run_does_nothing(tmp_path):
    child = ChildProcess(["true"], name="nothing", log=tmp_path / "log")

    child.stop()
    child.kill()

    assert not child.running
