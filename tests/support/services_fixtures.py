"""
The services that tests may use: one database server and one AWS emulator for the whole session.

What a test makes in them has a name of its own, so tests do not see each other. A service that cannot be had is an
error of the test that asked for it, never a reason to skip it.
"""

import contextlib
import functools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from local_aws.services.database import DatabaseServer
from local_aws.services.ministack import REGION, MiniStack

if TYPE_CHECKING:
    from pymysql.connections import Connection

_CACHE = Path(__file__).parents[2] / ".local" / "cache" / "databases"


@dataclass
class Database:
    """An empty schema on the shared server, and how to reach it."""

    host: str
    port: int
    user: str
    password: str
    name: str
    server: DatabaseServer
    _opened: list["Connection[Any]"] = field(default_factory=list)

    def connect(self, **arguments: Any) -> "Connection[Any]":
        """Return a connection with this schema as its default; it is closed after the test at the latest."""
        connection = self.server.connect(**{"database": self.name, **arguments})
        self._opened.append(connection)
        return connection

    def close(self) -> None:
        """Close every connection, so that none keeps a table locked."""
        for connection in self._opened:
            if connection.open:
                with contextlib.suppress(OSError):
                    connection.close()


class Aws:
    """Clients of the emulator, and names that nothing else there has."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.url = url
        self.region = REGION
        self.environment = environment
        self._session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        self._made: list[Any] = []
        self.client = functools.cache(self._client)
        self.resource = functools.cache(self._resource)

    def unique(self, prefix: str = "test") -> str:
        """Return a name that starts with *prefix* and is valid for tables, buckets, queues and topics."""
        return f"{prefix}-{secrets.token_hex(6)}"

    def bucket(self, prefix: str = "bucket") -> str:
        """Make an empty bucket and return its name."""
        name = self.unique(prefix)
        self.client("s3").create_bucket(Bucket=name)
        return name

    def close(self) -> None:
        """Close the sockets of the clients."""
        for client in self._made:
            client.close()

    def _client(self, service: str) -> Any:
        client = self._session.client(service, endpoint_url=self.url)
        self._made.append(client)
        return client

    def _resource(self, service: str) -> Any:
        resource = self._session.resource(service, endpoint_url=self.url)
        self._made.append(resource.meta.client)
        return resource


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-binary",
        type=Path,
        help="the mysqld or mariadbd that tests run on, when it is not the one that is found on this machine",
    )


@pytest.fixture(scope="session")
def database_server(pytestconfig: pytest.Config) -> Iterator[DatabaseServer]:
    with DatabaseServer(binary=pytestconfig.getoption("--database-binary"), cache=_CACHE) as server:
        yield server


@pytest.fixture
def database(database_server: DatabaseServer) -> Iterator[Database]:
    name = f"test_{secrets.token_hex(6)}"
    with contextlib.closing(database_server.connect()) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    database = Database(
        host=database_server.host,
        port=database_server.port,
        user=database_server.user,
        password=database_server.password,
        name=name,
        server=database_server,
    )
    yield database
    database.close()
    with contextlib.closing(database_server.connect()) as admin, admin.cursor() as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = 20")  # a forgotten transaction is an error, not a hang
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    with MiniStack() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def aws(ministack: MiniStack) -> Iterator[Aws]:
    access = Aws(ministack.url, dict(ministack.environment))
    yield access
    access.close()
