"""The demonstration as a process of its own, with a temporary folder of its own, and all that it starts."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".local" / "cache" / "databases"
_PATIENCE_SECONDS = 30
_LOOK_EVERY_SECONDS = 0.05


class DemoProcess:
    """A running demonstration."""

    def __init__(self, folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local_aws.demo", "--cache", str(CACHE), *arguments],
            env={**os.environ, "TMPDIR": str(self.temporary), **(environment or {})},  # noqa: TID251 - as from a shell
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started: set[psutil.Process] = set()

    def wait(self) -> tuple[int, str]:
        """Wait for the end, and return the status and all that was printed."""
        printed, _ = self._process.communicate(timeout=100)
        return self._process.returncode, printed

    def wait_for(self, what: Callable[["DemoProcess"], bool]) -> None:
        """Wait until *what* is so, and remember every process that is seen meanwhile."""
        eventually(lambda: self._look() and what(self))

    def send(self, number: signal.Signals) -> None:
        """Send a signal as a terminal does: to the whole process group. SIGKILL to the process alone."""
        self._look()
        if number is signal.SIGKILL:
            self._process.kill()
        else:
            os.killpg(self._process.pid, number)

    def variables_of(self, handler: str) -> dict[str, str] | None:
        """Return the environment of the function with *handler*, once it runs."""
        for process in self.started:
            with contextlib.suppress(psutil.Error):
                if handler in process.cmdline():
                    return process.environ()
        return None

    def listening_ports(self) -> set[int]:
        """Return the ports on which any process of the demonstration listens."""
        ports = set()
        for process in self.started:
            with contextlib.suppress(psutil.Error):
                ports |= {found.laddr.port for found in process.net_connections("tcp") if found.status == "LISTEN"}
        return ports

    def leftovers(self, ports: set[int]) -> list[object]:
        """
        Return what there still is of the demonstration: processes, ports, files.

        Of *ports*, where it has listened, one that has become another program's since is none of it.
        """
        alive = {found for found in psutil.process_iter() if self._is_its_own(found)}
        alive |= {found for found in self.started if _is_alive(found)}
        return [*alive, *(port for port in ports if _is_held(port, by=alive)), *self.temporary.iterdir()]

    def _is_its_own(self, process: psutil.Process) -> bool:
        """Whether *process* is alive and was started by the demonstration, at whatever distance, or is it."""
        # Each gets the folder for temporary files, or one inside of it, from whoever starts it.
        with contextlib.suppress(psutil.Error):
            folder = process.environ().get("TMPDIR")
            return folder is not None and Path(folder).is_relative_to(self.temporary) and _is_alive(process)
        return False

    def end(self) -> None:
        """End the demonstration, whatever the test has left of it."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate()
        elif self._process.stdout is not None:
            self._process.stdout.close()

    def _look(self) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            me = psutil.Process(self._process.pid)
            self.started |= {me, *me.children(recursive=True)}
        return True


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _is_held(port: int, *, by: set[psutil.Process]) -> bool:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return False
    holders = {
        found.pid
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr.port == port
    }
    return None in holders or not holders.isdisjoint(process.pid for process in by)


@contextlib.contextmanager
def demo(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[DemoProcess]:
    """Run the demonstration until the end of the `with` at the latest."""
    process = DemoProcess(folder, *arguments, environment=environment)
    try:
        yield process
    finally:
        process.end()


def eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, "it has not come true in time"
        time.sleep(_LOOK_EVERY_SECONDS)
