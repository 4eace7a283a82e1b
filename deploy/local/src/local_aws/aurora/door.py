"""
The door of a database as AWS has it: encrypted with a certificate, and open to tokens of IAM.

Behind it is a MySQL server, or the proxy before one, that does neither. After the login it only passes bytes on.
"""

import contextlib
import logging
import select
import socket
import ssl
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from local_aws.aurora.handshake import (
    CLEAR_PASSWORD,
    GIVE_ME_YOUR_KEY,
    Response,
    Side,
    asks_for_an_answer,
    asks_for_another_way,
    asks_for_the_password,
    ends_login,
    error_payload,
    lets_in,
    offering_tls,
    salt_of,
    salt_of_switch,
    sealed,
    switch_to,
    without_tls,
)
from local_aws.aurora.tokens_of_iam import TokenError, login_by

_LOG = logging.getLogger(__name__)
_CHUNK_BYTES = 64 * 1024
_TLS_REQUEST_BYTES = 32
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Guard:
    """What the door asks for: its certificate, who has to show a token, and the address that tokens have to name."""

    certificate: Path
    key: Path
    iam_users: Collection[str]
    endpoint: str


class Door:
    """Let clients in from `with` to its end, each in a thread of its own."""

    def __init__(self, guard: Guard, *, inside: tuple[str, int], host: str, port: int) -> None:
        """Prepare a door at *host* and *port* before the server at *inside*."""
        self._guard = guard
        self._inside = inside
        self._place = (host, port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(guard.certificate, guard.key)

    def __enter__(self) -> Self:
        """
        Start to listen.

        Raises:
            OSError: The port is taken.
        """
        self._listener = socket.create_server(self._place)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="aurora-door", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let nobody in any more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name="aurora-door-client", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with contextlib.ExitStack() as open_sockets:
                open_sockets.callback(client.close)
                server = open_sockets.enter_context(socket.create_connection(self._inside))
                client.settimeout(_PATIENCE_SECONDS)
                inside = self._let_in(client, Side(server), open_sockets)
                if inside is not None:
                    _pass_on(inside, server)
        except (OSError, EOFError, ValueError, IndexError) as error:
            _LOG.info("connection ended: %s", error)

    def _let_in(self, client: socket.socket, server: Side, open_sockets: contextlib.ExitStack) -> socket.socket | None:
        """Return the client's encrypted side once it is logged in, or None when it is not let in."""
        greeting = server.read()
        plain = Side(client)
        plain.send(offering_tls(greeting))
        if len(plain.read()) != _TLS_REQUEST_BYTES:
            plain.send(error_payload(3159, "HY000", "Connections have to use TLS"))
            return None
        inside = open_sockets.enter_context(self._context.wrap_socket(client, server_side=True))
        side = Side(inside, sequence=plain.sequence)
        answer = side.read()
        response = Response.of(answer)
        if response.user in self._guard.iam_users:
            let_in = self._let_in_by_token(side, server, response)
        else:
            server.send(without_tls(answer))
            let_in = _login(side, server, salt=salt_of(greeting))
        return inside if let_in else None

    def _let_in_by_token(self, client: Side, server: Side, response: Response) -> bool:
        client.send(switch_to(CLEAR_PASSWORD))
        token = client.read().rstrip(b"\0").decode("ascii", "replace")
        try:
            login = login_by(token, user=response.user, endpoint=self._guard.endpoint, now=datetime.now(UTC))
        except TokenError as error:
            _LOG.info("login of %s refused: %s", response.user, error)
            client.send(error_payload(1045, "28000", f"Access denied for user '{response.user}'"))
            return False
        # Read by tests: which key used its right to connect.
        _LOG.info("login of %s by %s", login.user, login.access_key_id)
        server.send(response.without_password())
        while True:
            said = server.read()
            if ends_login(said):
                client.send(said)
                return lets_in(said)
            if asks_for_another_way(said):  # there is no password in any
                server.send(b"")


def _login(client: Side, server: Side, *, salt: bytes) -> bool:
    """Pass on what the two sides say until the server has decided, and say whether it let the client in."""
    while True:
        said = server.read()
        client.send(said)
        if ends_login(said):
            return lets_in(said)
        if asks_for_another_way(said):
            salt = salt_of_switch(said)
        if asks_for_the_password(said):
            # The client hands it over in clear, inside TLS; between door and server there is none.
            server.send(GIVE_ME_YOUR_KEY)
            server.send(sealed(client.read(), salt=salt, key=server.read()[1:]))
        elif asks_for_an_answer(said):
            server.send(client.read())


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    """Pass on bytes both ways until one side ends; the two never send much at the same time."""
    client.settimeout(None)
    other = {client: server, server: client}
    while True:
        decrypted = isinstance(client, ssl.SSLSocket) and client.pending()
        readable = [client] if decrypted else select.select([client, server], [], [])[0]
        for side in readable:
            data = side.recv(_CHUNK_BYTES)
            if not data:
                return
            other[side].sendall(data)
