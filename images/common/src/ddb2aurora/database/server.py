"""Which server answers: MySQL (Aurora is one) or MariaDB, and what differs between them for this project."""

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.errors import HaltError

Flavor: TypeAlias = Literal["mysql", "mariadb"]

# INVISIBLE columns: MySQL has them from 8.0.23, Aurora MySQL from 3.02; MariaDB 10.6 is the oldest that is maintained.
_OLDEST: Final[dict[Flavor, tuple[int, int, int]]] = {"mysql": (8, 0, 23), "mariadb": (10, 6, 0)}
# Binary and without padding, so that 'a', 'A' and 'a ' are three keys, as they are in DynamoDB.
_KEY_COLLATIONS: Final[dict[Flavor, str]] = {"mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin"}
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class OldServerError(HaltError):
    """The server is older than what this project works with."""


class Server(NamedTuple):
    """A server: its *flavor*, *version*, and whether it is *aurora*."""

    flavor: Flavor
    version: tuple[int, int, int]
    aurora: bool

    @property
    def key_collation(self) -> str:
        """The collation under which key columns compare byte for byte."""
        return _KEY_COLLATIONS[self.flavor]


def detect_server(connection: DatabaseConnection) -> Server:
    """
    Return which server *connection* leads to.

    Raises:
        OldServerError: It is too old.
        pymysql.err.Error: The connection was lost.
    """
    ((text,),) = connection.rows("SELECT VERSION()")
    aurora = bool(connection.rows("SHOW VARIABLES LIKE 'aurora_version'"))
    return parse_server(text, aurora=aurora)


def parse_server(text: str, *, aurora: bool = False) -> Server:
    """
    Return the server whose VERSION() is *text*.

    Raises:
        OldServerError: It is too old.
    """
    flavor: Flavor = "mariadb" if "mariadb" in text.lower() else "mysql"
    # Older MariaDB servers put a 5.5.5- before their version, so that old replicas accept them.
    match = _VERSION.search(text.removeprefix("5.5.5-") if flavor == "mariadb" else text)
    version = (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)
    if version < _OLDEST[flavor]:
        oldest = ".".join(map(str, _OLDEST[flavor]))
        raise OldServerError(f"the server is {flavor} {text}; use {flavor} {oldest} or newer")
    return Server(flavor, version, aurora)
