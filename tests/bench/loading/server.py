"""A private database server to measure on, and the CPU time that it has taken."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from benchmarking.machine import ROOT

from local_aws.services.database import DatabaseServer

Flavor = Literal["mysql", "mariadb"]

_CACHE: Final = ROOT / ".local" / "cache" / "databases"
_FETCH: Final = ROOT / "deploy" / "local" / "offline-images" / "fetch-mysql.sh"
# Enough for all that is measured but the tables of ten million rows, as a server for such tables has.
_BUFFER_POOL: Final = 2 * 2**30
_REDO_LOG: Final = 2 * 2**30
_QUIET_SECONDS: Final = 0.2
_QUIET_SHARE: Final = 0.02
_LONGEST_WAIT_SECONDS: Final = 10


class BenchServer:
    """A server that runs as those of the tests do, with memory and a redo log for large tables."""

    def __init__(self, server: DatabaseServer) -> None:
        self.server = server
        self.admin = server.connect(autocommit=True)
        self.clients = (Client(self),)
        log = "innodb_redo_log_capacity" if server.flavor == "mysql" else "innodb_log_file_size"
        self.run(f"SET GLOBAL innodb_buffer_pool_size = {_BUFFER_POOL}")
        self.run(f"SET GLOBAL {log} = {_REDO_LOG}")

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.admin.close()

    @property
    def client(self) -> "Client":
        """The first of the client programs."""
        return self.clients[0]

    def with_clients(self, count: int) -> None:
        """Have at least so many client programs connected."""
        self.clients += tuple(Client(self) for _ in range(count - len(self.clients)))

    @property
    def name(self) -> str:
        return f"{'MySQL' if self.server.flavor == 'mysql' else 'MariaDB'} {self.server.version}"

    @property
    def files(self) -> Path:
        """The folder that the server itself reads files from."""
        return self.server.files

    def run(self, statement: str) -> tuple[tuple[Any, ...], ...]:
        with self.admin.cursor() as cursor:
            cursor.execute(statement)
            return tuple(cursor.fetchall())

    def cpu_seconds(self) -> float:
        """Return the CPU time of all threads that live; those that serve connections live as long as these."""
        total = 0
        for task in Path(f"/proc/{self.server.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it has just ended
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def settle(self) -> None:
        """Wait until the server has done what it puts off: purging, writing pages."""
        deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(_QUIET_SECONDS)
            if self.cpu_seconds() - before < _QUIET_SECONDS * _QUIET_SHARE:
                return


class Client:
    """The database's own client program, which stays connected: its start is not what is measured."""

    def __init__(self, server: BenchServer) -> None:
        address = server.server
        self._process = subprocess.Popen(
            [
                "mariadb",
                "--no-defaults",
                f"--host={address.host}",
                f"--port={address.port}",
                f"--user={address.user}",
                "--local-infile=1",
                "--batch",
                "--unbuffered",
                "--skip-column-names",
            ],
            env={**os.environ, "MYSQL_PWD": address.password},  # noqa: TID251 - a child gets what this process was given
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.run("DO 0")

    def run(self, statement: str) -> None:
        """
        Run *statement* to its end.

        Raises:
            ClientEndedError: The server refused it; the program's own words stand above.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ClientEndedError
        stdin.write(f"{statement};\nSELECT 'done';\n")
        stdin.flush()
        if stdout.readline() != "done\n":
            raise ClientEndedError

    def cpu_seconds(self) -> float:
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[0]) / 1e9

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


class ClientEndedError(Exception):
    """The client program has ended."""


@contextmanager
def bench_server(flavor: Flavor) -> Iterator[BenchServer]:
    binary = _mysqld() if flavor == "mysql" else None
    with DatabaseServer(binary=binary, cache=_CACHE) as server:
        if server.flavor != flavor:
            raise WrongServerError(f"{flavor} is wanted, and {server.flavor} is what this machine has")
        found = BenchServer(server)
        try:
            yield found
        finally:
            found.close()


class WrongServerError(Exception):
    """The machine has not the server that is to be measured."""


def _mysqld() -> Path:
    named = os.environ.get("MYSQLD")  # noqa: TID251 - as `make test-mysql` takes it
    found = named or subprocess.run([str(_FETCH)], check=True, capture_output=True, text=True).stdout.strip()
    return Path(found)
