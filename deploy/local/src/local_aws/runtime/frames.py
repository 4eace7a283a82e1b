"""Messages between a function and the process that runs it: a JSON head and a body, each with its length before."""

import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

_LENGTHS = struct.Struct(">II")
_CHUNK_BYTES = 1 << 20


class ClosedError(Exception):
    """The other end is gone."""


def send(channel: socket.socket, head: Mapping[str, Any], body: bytes = b"") -> None:
    """
    Write one message.

    Raises:
        ClosedError: The other end is gone.
    """
    encoded = json.dumps(head).encode()
    prefix = _LENGTHS.pack(len(encoded), len(body)) + encoded
    try:
        # A small message leaves in one call; a large body is not copied to be joined to its head.
        if len(body) < _CHUNK_BYTES:
            channel.sendall(prefix + body)
        else:
            channel.sendall(prefix)
            channel.sendall(body)
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise ClosedError from error


def receive(
    channel: socket.socket, *, deadline: float | None = None, clock: Callable[[], float] = time.monotonic
) -> tuple[Mapping[str, Any], bytes]:
    """
    Read one message, waiting until *deadline* on *clock* at most.

    Raises:
        ClosedError: The other end is gone.
        TimeoutError: The deadline passed first.
    """

    def exactly(length: int) -> bytes:
        taken = bytearray()
        while len(taken) < length:
            if deadline is not None:
                remaining = deadline - clock()
                if remaining <= 0:
                    raise TimeoutError
                channel.settimeout(remaining)
            try:
                chunk = channel.recv(min(length - len(taken), _CHUNK_BYTES))
            except TimeoutError:
                raise
            except OSError as error:
                raise ClosedError from error
            if not chunk:
                raise ClosedError
            taken += chunk
        return bytes(taken)

    head_length, body_length = _LENGTHS.unpack(exactly(_LENGTHS.size))
    head: Mapping[str, Any] = json.loads(exactly(head_length))
    return head, exactly(body_length)
