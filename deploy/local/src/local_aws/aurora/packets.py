"""As much of the MySQL protocol as the proxy has to read."""

import asyncio
from dataclasses import dataclass

HEADER_BYTES = 4
_LAST_SEQUENCE = 0xFF

COM_QUERY = 0x03
COM_CHANGE_USER = 0x11
COM_RESET_CONNECTION = 0x1F

_PROTOCOL_10 = 10
# The proxy reads packets, so client and server may not agree to compress or encrypt them, nor to put attributes before
# the text of a query: CLIENT_COMPRESS, CLIENT_SSL, CLIENT_ZSTD_COMPRESSION_ALGORITHM, CLIENT_QUERY_ATTRIBUTES.
_NOT_OFFERED = 1 << 5 | 1 << 11 | 1 << 26 | 1 << 27


@dataclass(frozen=True, slots=True)
class Header:
    """The four bytes before a payload."""

    length: int
    sequence: int

    def encode(self) -> bytes:
        """Return the four bytes."""
        return self.length.to_bytes(3, "little") + bytes([self.sequence])

    def begins_command(self, previous: "Header | None") -> bool:
        """
        Say whether a client's packet begins a command, knowing the packet it sent before.

        A command begins with sequence number 0. The numbers also come to 0 when a long stream of packets wraps around:
        in the middle of a payload of more than 16 MiB, or of a local file, whose last packet is empty.
        """
        if self.sequence:
            return False
        return previous is None or previous.sequence != _LAST_SEQUENCE or previous.length == 0


async def read_header(reader: asyncio.StreamReader) -> Header:
    """
    Read the header of the next packet.

    Raises:
        asyncio.IncompleteReadError: The other side has gone.
    """
    data = await reader.readexactly(HEADER_BYTES)
    return Header(int.from_bytes(data[:3], "little"), data[3])


def query_packet(text: bytes) -> bytes:
    """Return the packet of a command that runs *text*, which must be shorter than 16 MiB."""
    return Header(len(text) + 1, 0).encode() + bytes([COM_QUERY]) + text


def readable_greeting(payload: bytes) -> bytes:
    """Return a server's greeting without the offers that would hide later packets from the proxy."""
    if not payload or payload[0] != _PROTOCOL_10:
        return payload  # an error, such as too many connections
    # Version (ends with NUL), connection id (4), scramble (8), filler (1), capabilities (2), character set (1), status
    # (2), upper half of the capabilities (2).
    low = payload.index(0, 1) + 1 + 4 + 8 + 1
    high = low + 2 + 1 + 2
    kept = ~_NOT_OFFERED & (
        int.from_bytes(payload[low : low + 2], "little") | payload[high] << 16 | payload[high + 1] << 24
    )
    patched = bytearray(payload)
    patched[low : low + 2] = (kept & 0xFFFF).to_bytes(2, "little")
    patched[high : high + 2] = (kept >> 16).to_bytes(2, "little")
    return bytes(patched)
