"""As much of MySQL's handshake as the door has to read and write."""

import socket
from dataclasses import dataclass
from typing import Final, Self

from local_aws.aurora.packets import HEADER_BYTES, Header

CLEAR_PASSWORD: Final = "mysql_clear_password"  # noqa: S105 - the name of a way to log in
_TLS: Final = 1 << 11
_LENGTH_ENCODED: Final = 1 << 21
_FIXED_BYTES: Final = 32  # capabilities, longest packet, character set, filler
_OK, _SWITCH, _ERROR = 0x00, 0xFE, 0xFF
# MySQL remembers this password: it says so, and that the client is in comes next.
_REMEMBERED: Final = b"\x01\x03"
_ONE_BYTE_LENGTHS: Final = 0xFB


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, shorter than 16 MiB."""

    sequence: int
    payload: bytes

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return Header(len(self.payload), self.sequence % 256).encode() + self.payload


def read_packet(side: socket.socket) -> Packet:
    """
    Return the next packet, and take no byte of what follows.

    Raises:
        EOFError: The other side has gone.
    """
    head = _exactly(side, HEADER_BYTES)
    return Packet(head[3], _exactly(side, int.from_bytes(head[:3], "little")))


def offering_tls(greeting: bytes) -> bytes:
    """Return a server's *greeting* with the offer of TLS; an error is returned as it is."""
    if greeting[0] == _ERROR:
        return greeting
    # Version (ends with NUL), connection id (4), scramble (8), filler (1), the lower half of the capabilities (2).
    low = greeting.index(0, 1) + 1 + 4 + 8 + 1
    kept = int.from_bytes(greeting[low : low + 2], "little") | _TLS
    return greeting[:low] + kept.to_bytes(2, "little") + greeting[low + 2 :]


def without_tls(response: bytes) -> bytes:
    """Return a client's response without the word that it uses TLS."""
    capabilities = int.from_bytes(response[:4], "little") & ~_TLS
    return capabilities.to_bytes(4, "little") + response[4:]


def switch_to(plugin: str) -> bytes:
    """Return the payload that asks a client to log in in another way."""
    return bytes([_SWITCH]) + plugin.encode() + b"\0"


def error_payload(number: int, state: str, text: str) -> bytes:
    """Return the payload of an error."""
    return bytes([_ERROR]) + number.to_bytes(2, "little") + b"#" + state.encode() + text.encode()


def ends_login(payload: bytes) -> bool:
    """Say whether the server has decided, one way or the other."""
    return payload[0] in (_OK, _ERROR)


def asks_for_another_way(payload: bytes) -> bool:
    """Say whether the server wants another proof than it was shown."""
    return payload[0] == _SWITCH


def asks_for_an_answer(payload: bytes) -> bool:
    """Say whether the client has to say something to what the server said before its decision."""
    return payload != _REMEMBERED


@dataclass(frozen=True, slots=True)
class Response:
    """A client's answer to the greeting: its *user*, and what stands before and after its proof."""

    user: str
    before: bytes
    after: bytes

    @classmethod
    def of(cls, payload: bytes) -> Self:
        """
        Read a response.

        Raises:
            ValueError: It is none.
            IndexError: It is cut off.
        """
        end = payload.index(0, _FIXED_BYTES)
        proof = end + 1
        length = payload[proof]
        capabilities = int.from_bytes(payload[:4], "little")
        if capabilities & _LENGTH_ENCODED and length >= _ONE_BYTE_LENGTHS:
            raise ValueError("a proof of more than 250 bytes")
        return cls(payload[_FIXED_BYTES:end].decode(), payload[:proof], payload[proof + 1 + length :])

    def without_password(self) -> bytes:
        """Return the response of the same client without TLS and with an empty password."""
        return without_tls(self.before + b"\0" + self.after)


def _exactly(side: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = side.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
