"""
One client's connection, and the server's connection behind it.

The proxy never makes up an answer: it sends the server another statement in place of the client's, so that sequence
numbers, transaction flags, `SHOW WARNINGS` and the order of answers are always the server's own.
"""

import asyncio
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.aurora.accounts import as_the_server_knows_it
from local_aws.aurora.attacks import SLOW_SECONDS, Blow, Scene
from local_aws.aurora.errors import AuroraError, role_not_active
from local_aws.aurora.objects import AbandonedError, fetch
from local_aws.aurora.packets import (
    COM_CHANGE_USER,
    COM_QUERY,
    COM_RESET_CONNECTION,
    Header,
    query_packet,
    read_header,
    readable_greeting,
)
from local_aws.aurora.statements import Load, RoleChange, parse_load, parse_set_role

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 64 * 1024
# A longer query is passed on unread: no statement of ours comes near.
_LONGEST_READ_QUERY = 1024 * 1024
_LOOK_AT_CLIENT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """
    What a session works with.

    *files* is the folder that the server may load from, and *server_files* the same folder as the server names it.
    """

    client: "S3Client"
    files: Path
    server_files: Path
    role_active_at_login: bool
    scene: Scene
    """The faults that statements meet."""


class Session:
    """Pass packets between a client and a server, and put other statements in the place of Aurora's own."""

    def __init__(
        self,
        place: Place,
        *,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._place = place
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._role_active = place.role_active_at_login
        self._loaded: Path | None = None
        self._swallow_answer = False
        self._slow = False

    async def run(self) -> None:
        """Work until one side closes its connection or breaks it; then close both."""
        await self._pass_greeting()
        pumps = [asyncio.create_task(self._pass_answers()), asyncio.create_task(self._pass_commands())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            results = await asyncio.gather(*pumps, return_exceptions=True)
            self._forget_loaded()
            self._place.scene.leave(id(self))
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, EOFError | OSError):
                raise result

    async def _pass_greeting(self) -> None:
        """Hand on the server's first packet, with less on offer."""
        header = await read_header(self._from_server)
        payload = await self._from_server.readexactly(header.length)
        await self._send(self._to_client, header.encode() + readable_greeting(payload))

    async def _pass_answers(self) -> None:
        """Hand on everything the server sends."""
        while data := await self._from_server.read(_CHUNK_BYTES):
            # The answer to a load that is not LOCAL is one packet, sent when the file has been read to its end.
            self._forget_loaded()
            if self._swallow_answer:
                return
            await self._send(self._to_client, data)

    async def _pass_commands(self) -> None:
        """Hand on everything the client sends, but for the statements of ours."""
        previous: Header | None = None
        while True:
            header = await read_header(self._from_client)
            if header.begins_command(previous) and 0 < header.length <= _LONGEST_READ_QUERY:
                payload = await self._from_client.readexactly(header.length)
                await self._send(self._to_server, await self._translated(header, payload))
                if self._slow:
                    await asyncio.sleep(SLOW_SECONDS)
            else:
                await self._pass_payload(header)
            previous = header

    async def _pass_payload(self, header: Header) -> None:
        """Hand on a packet in pieces."""
        await self._send(self._to_server, header.encode())
        left = header.length
        while left:
            data = await self._from_client.read(min(left, _CHUNK_BYTES))
            if not data:
                raise EOFError
            left -= len(data)
            await self._send(self._to_server, data)

    async def _translated(self, header: Header, payload: bytes) -> bytes:
        """Return the packet to send to the server in place of the client's."""
        unchanged = header.encode() + payload
        if payload[0] in (COM_CHANGE_USER, COM_RESET_CONNECTION):
            self._role_active = self._place.role_active_at_login
        if payload[0] != COM_QUERY:
            return unchanged
        sql = payload[1:].decode("utf-8", "surrogateescape")
        try:
            self._suffer(sql)
            change = parse_set_role(sql)
            if change is not None:
                return self._after(change, unchanged)
            account = as_the_server_knows_it(sql)
            if account is not None:
                return query_packet(account.encode("utf-8", "surrogateescape"))
            load = parse_load(sql)
            return unchanged if load is None else await self._load(load)
        except AuroraError as error:
            return query_packet(_raising(error).encode())

    def _suffer(self, sql: str) -> None:
        """
        Let the fault strike that this statement meets, if any.

        Raises:
            AuroraError: The server is to answer with this error instead.
            EOFError: The connection is to break.
        """
        blow = self._place.scene.meet(id(self), sql)
        if blow is Blow.BREAK:
            raise EOFError
        self._swallow_answer = blow is Blow.SWALLOW_ANSWER
        self._slow = blow is Blow.SLOW

    def _after(self, change: RoleChange, unchanged: bytes) -> bytes:
        """Note what becomes of the role; the server behind us has no such role, and MariaDB knows no SET ROLE ALL."""
        if change is RoleChange.DEACTIVATES:
            self._role_active = False
            return unchanged
        self._role_active = change is RoleChange.ACTIVATES or self._place.role_active_at_login
        return query_packet(b"DO 0")

    async def _load(self, load: Load) -> bytes:
        """
        Bring the objects to the server's folder and return the packet that loads them from there.

        Raises:
            AuroraError: The role is not active, or an object cannot be had.
            EOFError: The client has gone.
        """
        if not load.valid:  # the server finds the mistake before it looks for a file
            return query_packet(_loading("", load))
        if not self._role_active:
            raise role_not_active()
        name = f"s3-{secrets.token_hex(16)}"
        self._loaded = self._place.files / name
        try:
            await self._fetch(load, self._loaded)
        except AuroraError:
            self._forget_loaded()
            raise
        return query_packet(_loading(str(self._place.server_files / name), load))

    async def _fetch(self, load: Load, file: Path) -> None:
        """
        Write the objects to *file* in another thread, as long as the client waits for them.

        Raises:
            AuroraError: An object cannot be had.
            EOFError: The client has gone.
        """
        gone = threading.Event()
        work = asyncio.create_task(asyncio.to_thread(fetch, self._place.client, load, file, abandoned=gone.is_set))
        try:
            while not (await asyncio.wait([work], timeout=_LOOK_AT_CLIENT_SECONDS))[0]:
                if self._from_client.at_eof():
                    gone.set()
        finally:
            gone.set()
            await asyncio.wait([work])  # the thread must be done with the file before it is deleted
            work.exception()  # whoever is cancelled here, as the server has gone, does not look below
        try:
            work.result()
        except AbandonedError as error:
            raise EOFError from error
        if self._from_client.at_eof():
            raise EOFError

    def _forget_loaded(self) -> None:
        """Delete the file of the last load, if it is still there."""
        if self._loaded is not None:
            self._loaded.unlink(missing_ok=True)
            self._loaded = None

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()


def _quoted(text: str) -> str:
    """Return *text* as a string literal of SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _loading(file: str, load: Load) -> bytes:
    """Return the statement that loads *file* as *load* wants it: not LOCAL, hence as strict as Aurora."""
    return f"LOAD DATA INFILE {_quoted(file)} {load.tail}".encode("utf-8", "surrogateescape")


def _raising(error: AuroraError) -> str:
    """Return a statement that the server answers with *error*; it leaves the transaction as it was."""
    text = _quoted(error.message[:128])  # the longest MESSAGE_TEXT
    return f"SIGNAL SQLSTATE '{error.sqlstate}' SET MYSQL_ERRNO = {error.number}, MESSAGE_TEXT = {text}"
