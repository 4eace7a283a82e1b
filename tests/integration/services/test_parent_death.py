"""No service outlives the process that started it, even one that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

DATABASE = """
import os, sys, time
from local_aws.services.database import DatabaseServer
with DatabaseServer() as server:
    print(server.pid, server.files.parent, flush=True)
    if "fork" in sys.argv and os.fork() == 0:
        time.sleep(3)  # a forked child holds every pipe of its parent open
        os._exit(0)
    time.sleep(60)
"""
EMULATOR = """
import time
from local_aws.services.ministack import MiniStack
with MiniStack() as emulator:
    print(emulator.pid, emulator._folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("program", "arguments"),
    [(DATABASE, []), (DATABASE, ["fork"]), (EMULATOR, [])],
    ids=["the database", "the database of a parent that has forked", "the emulator"],
)
def test_a_service_and_its_folder_are_gone_soon_after_its_parent_was_killed(program, arguments):
    parent = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE)
    with parent, parent.stdout:
        pid, folder = parent.stdout.readline().decode().split()
        service = psutil.Process(int(pid))
        assert Path(folder).is_dir()

        os.kill(parent.pid, signal.SIGKILL)

    deadline = time.monotonic() + 20
    while (service.is_running() or Path(folder).exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not service.is_running()
    assert not Path(folder).exists()
