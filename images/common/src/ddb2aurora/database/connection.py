"""
A connection that hands over no file but the stream that it was told to.

LOAD DATA LOCAL is driven by the server: after any statement it may ask the client for any path. The driver would open
that path; this connection sends the bytes of the running load when it is asked for its one-time name, and nothing else.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple

import pymysql
from pymysql.connections import Connection, MySQLResult
from pymysql.protocol import LoadLocalPacketWrapper

from ddb2aurora.errors import HaltError

_PACKET_BYTES = 2**18
_NUMBERS = re.compile(r"\d+")


def as_template(statement: str) -> str:
    """Return *statement* so that no % in a name of it is taken for the place of an argument."""
    return statement.replace("%", "%%")


class LocalFileRefusedError(HaltError):
    """The server asked for a file that nobody offered."""


class Effect(NamedTuple):
    """What a statement did: the server's count of *affected* rows, *warnings*, and *duplicates* among the rows."""

    affected: int
    warnings: int
    duplicates: int


class _Stream(NamedTuple):
    name: bytes
    chunks: Iterable[bytes]


class _Result(MySQLResult):
    connection: "DatabaseConnection"

    def _read_load_local_packet(self, first_packet: Any) -> None:  # noqa: ANN401 - the driver's packet has no type
        connection = self.connection
        wanted = LoadLocalPacketWrapper(first_packet).filename
        stream = connection.take_stream()
        refused = stream is None or stream.name != wanted
        try:
            if stream is not None and not refused:
                for chunk in stream.chunks:
                    for start in range(0, len(chunk), _PACKET_BYTES):
                        # An empty packet would end the file.
                        connection.write_packet(chunk[start : start + _PACKET_BYTES])
        finally:
            connection.write_packet(b"")
            answer = connection.read_answer()
        if refused:
            raise LocalFileRefusedError(
                f"the server {connection.host}:{connection.port} asked for a file of this machine that no load "
                "offered; nothing was sent. Do not trust this server"
            )
        self._read_ok_packet(answer)  # type: ignore[attr-defined] # the driver's types leave it out


class DatabaseConnection(Connection):
    """A connection to the target's server."""

    _stream: _Stream | None = None

    def run(self, statement: str, arguments: tuple[object, ...] = ()) -> Effect:
        """
        Execute *statement* and return its effect.

        Raises:
            pymysql.err.Error: The server refused it, or the connection was lost.
        """
        with self.cursor() as cursor:
            # Without arguments the driver leaves the text alone, so that a % in a name stays one.
            affected = cursor.execute(statement, arguments or None)
        result = self._result
        if result is None:
            raise pymysql.err.InterfaceError(0, "")
        # "Records: 3  Duplicates: 1  Warnings: 0", in the server's language and after a byte that tells the length.
        numbers = _NUMBERS.findall(_text(result.message))[-3:]
        duplicates = int(numbers[1]) if len(numbers) == 3 else 0  # noqa: PLR2004 - records, duplicates, warnings
        return Effect(affected, result.warning_count, duplicates)

    def rows(self, statement: str, arguments: tuple[object, ...] = ()) -> tuple[tuple[Any, ...], ...]:
        """
        Execute *statement* and return its rows.

        Raises:
            pymysql.err.Error: The server refused it, or the connection was lost.
        """
        with self.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return tuple(cursor.fetchall())

    def run_local(self, statement: str, chunks: Iterable[bytes]) -> Effect:
        """
        Execute a LOAD DATA LOCAL *statement* with *chunks* as the file; `{file}` in the statement is its name.

        When *chunks* raises, the server has loaded what came before: roll back.

        Raises:
            LocalFileRefusedError: The server asked for another file.
            pymysql.err.Error: The server refused the statement, or the connection was lost.
        """
        name = f"ddb2aurora-{secrets.token_hex(16)}"
        self._stream = _Stream(name.encode(), chunks)
        try:
            return self.run(statement.replace("{file}", f"'{name}'", 1))
        finally:
            self._stream = None

    def take_stream(self) -> _Stream | None:
        """Return the stream of the running load, once."""
        stream, self._stream = self._stream, None
        return stream

    def read_answer(self) -> Any:  # noqa: ANN401 - the driver's packet has no type
        """Return the server's next packet."""
        return self._read_packet()  # type: ignore[no-untyped-call] # as above

    def _read_query_result(self, unbuffered: bool = False) -> int | None:  # noqa: FBT001, FBT002 - the driver's signature
        self._result = None
        result = _Result(self)
        if unbuffered:
            result.init_unbuffered_query()
        else:
            result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result.affected_rows


def _text(message: str | bytes | None) -> str:
    if isinstance(message, bytes):
        return message.decode("utf-8", errors="replace")
    return message or ""
