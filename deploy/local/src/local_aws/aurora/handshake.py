"""As much of MySQL's handshake as the door has to read and write."""

import socket
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local_aws.aurora.packets import HEADER_BYTES, Header

CLEAR_PASSWORD: Final = "mysql_clear_password"  # noqa: S105 - the name of a way to log in
_TLS: Final = 1 << 11
_LENGTH_ENCODED: Final = 1 << 21
_FIXED_BYTES: Final = 32  # capabilities, longest packet, character set, filler
_OK, _SWITCH, _ERROR = 0x00, 0xFE, 0xFF
# MySQL remembers this password: it says so, and that the client is in comes next.
_REMEMBERED: Final = b"\x01\x03"
_PASSWORD_WANTED: Final = b"\x01\x04"
GIVE_ME_YOUR_KEY: Final = b"\x02"
_ONE_BYTE_LENGTHS: Final = 0xFB


class Side:
    """One of the two connections of a door, packet by packet; each side counts its packets for itself."""

    def __init__(self, connection: socket.socket, *, sequence: int = -1) -> None:
        """Talk over *connection*, on which the last packet had the number *sequence*."""
        self.connection = connection
        self.sequence = sequence

    def read(self) -> bytes:
        """
        Return the payload of the next packet, and take no byte of what follows.

        Raises:
            EOFError: The other side has gone.
        """
        head = _exactly(self.connection, HEADER_BYTES)
        self.sequence = head[3]
        return _exactly(self.connection, int.from_bytes(head[:3], "little"))

    def send(self, payload: bytes) -> None:
        """Send a packet shorter than 16 MiB."""
        self.sequence = (self.sequence + 1) % 256
        self.connection.sendall(Header(len(payload), self.sequence).encode() + payload)


def salt_of(greeting: bytes) -> bytes:
    """Return the 20 bytes that a proof is made with, out of a server's *greeting*."""
    first = greeting.index(0, 1) + 1 + 4
    # Filler, capabilities, character set, status, capabilities, length, ten reserved bytes.
    second = first + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10
    return greeting[first : first + 8] + greeting[second : second + 12]


def salt_of_switch(payload: bytes) -> bytes:
    """Return the 20 bytes that a proof is made with, out of a server's wish for another way to log in."""
    plugin_ends = payload.index(0)
    return payload[plugin_ends + 1 : plugin_ends + 21]


def sealed(password: bytes, *, salt: bytes, key: bytes) -> bytes:
    """Return a *password*, with its NUL, so that only who has the other half of *key* (PEM) reads it."""
    public = serialization.load_pem_public_key(key)
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("the server's key is none of RSA")
    hidden = bytes(byte ^ salt[place % len(salt)] for place, byte in enumerate(password))
    # MySQL's protocol says SHA-1 here.
    sha1 = hashes.SHA1()  # noqa: S303 - as above
    return public.encrypt(hidden, padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None))


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


def lets_in(payload: bytes) -> bool:
    """Say whether a decision of the server is a good one."""
    return payload[0] == _OK


def asks_for_another_way(payload: bytes) -> bool:
    """Say whether the server wants another proof than it was shown."""
    return payload[0] == _SWITCH


def asks_for_an_answer(payload: bytes) -> bool:
    """Say whether the client has to say something to what the server said before its decision."""
    return payload != _REMEMBERED


def asks_for_the_password(payload: bytes) -> bool:
    """Say whether the server wants the password itself, which MySQL takes over TLS in clear and else sealed."""
    return payload == _PASSWORD_WANTED


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
