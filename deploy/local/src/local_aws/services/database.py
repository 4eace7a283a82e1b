"""
A private MySQL or MariaDB server in a temporary folder, reachable on the loopback interface only.

It holds what Aurora would hold when the pipeline runs on one machine, and what tests need.
"""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pymysql

from local_aws.services.database_binary import Flavor, find_database, inspect_database
from local_aws.services.database_files import file_options, make_data_directory
from local_aws.services.errors import LocalServiceError
from local_aws.services.folders import make_folder, remove_folder, unused_folder
from local_aws.services.ports import LOOPBACK, free_port
from local_aws.services.process import ChildProcess

if TYPE_CHECKING:
    from pymysql.connections import Connection

_OPTIONS: Mapping[Flavor, tuple[str, ...]] = {
    "mysql": ("--mysqlx=OFF",),  # its second protocol would listen on a fixed port
    # A plugin that reports to the vendor; the memory of its other storage engine.
    "mariadb": ("--loose-feedback=OFF", "--aria-pagecache-buffer-size=8M"),
}
_FIRST_START = "first-start.sql"
_POLL_SECONDS = 0.05
_PROBE_TIMEOUT_SECONDS = 5


class DatabaseServer:
    """
    Run a server of this machine's own binaries from `with` to its end, and remove its folder afterwards.

    What is committed survives a kill of the server, not one of the machine: the redo log is written at each commit and
    flushed once a second.
    """

    def __init__(self, *, binary: Path | None = None, cache: Path | None = None, timeout_seconds: float = 60) -> None:
        """
        Prepare a server.

        *binary* names the server program when the one that is found is not wanted. Under *cache* an initialised data
        directory is kept for the next start. The server has to answer a query within *timeout_seconds*.
        """
        self._chosen = binary
        self._cache = cache
        self._timeout_seconds = timeout_seconds
        self.host = LOOPBACK
        self.user = "ddb2aurora"
        self.password = secrets.token_urlsafe(18)

    def __enter__(self) -> Self:
        """
        Start the server.

        Raises:
            DatabaseMissingError: No server is installed.
            LocalServiceError: It did not start, or did not answer in time.
        """
        self._binary = inspect_database(self._chosen) if self._chosen else find_database()
        self._folder = unused_folder("ddb2aurora-db-")
        self._port = free_port()
        self._process = ChildProcess(
            [str(self._binary.path), *self._options()],
            name=f"the {self.flavor} {self.version} server",
            log=self._folder / "server.log",
            remove=self._folder,
        )
        try:
            make_folder(self._folder)
            self._fill()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the server and remove everything it wrote."""
        try:
            self.stop()
        finally:
            remove_folder(self._folder)

    @property
    def port(self) -> int:
        """The port on `host`; it stays the same over restarts."""
        return self._port

    @property
    def flavor(self) -> Flavor:
        """Which of the two kinds of server runs."""
        return self._binary.flavor

    @property
    def version(self) -> str:
        """The server's version, such as `10.11.19`."""
        return self._binary.version

    @property
    def files(self) -> Path:
        """The one folder that `LOAD DATA INFILE` may read from (`secure_file_priv`)."""
        return self._folder / "files"

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        return self._process.pid

    def connect(self, **arguments: Any) -> "Connection[Any]":  # noqa: ANN401 - handed to the driver as they are
        """Return a new connection; *arguments* go to `pymysql.connect`."""
        defaults = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        return pymysql.connect(**{**defaults, "charset": "utf8mb4", **arguments})

    def start(self) -> None:
        """
        Start the server on its data and wait until it answers a query.

        Raises:
            LocalServiceError: It ended, or did not answer in time; the text holds the end of its log.
        """
        self._process.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self._process.stop()
            raise

    def stop(self) -> None:
        """Shut the server down in order."""
        self._process.stop()

    def kill(self) -> None:
        """Kill the server as a crash would; `start` brings it back with its data, on its port."""
        self._process.kill()

    def restart(self) -> None:
        """Shut the server down in order, and start it again on the same data and port."""
        self.stop()
        self.start()

    def _fill(self) -> None:
        """Write into the folder what the server starts on."""
        make_data_directory(self._binary, self._folder / "data", cache=self._cache)
        for name in ("files", "tmp"):
            (self._folder / name).mkdir()
        (self._folder / _FIRST_START).write_text(self._accounts())

    def _accounts(self) -> str:
        """Return the statements, one a line, that make our account and lock the one that has no password."""
        # The file is read at every start, so a statement may find its work done.
        password = self.password
        statements = [
            f"CREATE USER IF NOT EXISTS '{self.user}'@'%' IDENTIFIED BY '{password}';",
            f"GRANT ALL PRIVILEGES ON *.* TO '{self.user}'@'%' WITH GRANT OPTION;",
        ]
        if self.flavor == "mysql":
            statements.append(f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';")
        return "\n".join([*statements, ""])

    def _options(self) -> list[str]:
        """Return the server's command line after its name."""
        return [
            "--no-defaults",
            f"--datadir={self._folder / 'data'}",
            *file_options(self._binary),
            f"--init-file={self._folder / _FIRST_START}",
            f"--bind-address={LOOPBACK}",
            f"--port={self._port}",
            # Relative to the data directory: a socket has room for about 100 characters, and a folder may have more.
            "--socket=server.sock",
            f"--pid-file={self._folder / 'server.pid'}",
            f"--tmpdir={self._folder / 'tmp'}",
            f"--secure-file-priv={self.files}",
            "--local-infile=1",
            "--character-set-server=utf8mb4",
            "--default-time-zone=+00:00",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--performance-schema=OFF",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=64M",
            "--key-buffer-size=1M",
            "--max-allowed-packet=64M",  # the default of MySQL 8, and so of Aurora
            "--max-connections=100",
            *_OPTIONS[self.flavor],
        ]

    def _wait_until_ready(self) -> None:
        """
        Wait until a query is answered.

        Raises:
            LocalServiceError: The server ended, or the time is over.
        """
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            try:
                with self.connect(connect_timeout=_PROBE_TIMEOUT_SECONDS) as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    return
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
                problem = error
            name = self._process.name
            if not self._process.running:
                raise LocalServiceError(
                    f"{name} ended while it started; read why in its log, mend it or name another server program\n"
                    f"{self._process.log_tail()}"
                ) from problem
            if time.monotonic() > deadline:
                raise LocalServiceError(
                    f"{name} did not answer a query within {self._timeout_seconds:g} s; the machine may be very "
                    f"busy, or its log says more ({problem})\n{self._process.log_tail()}"
                ) from problem
            time.sleep(_POLL_SECONDS)
