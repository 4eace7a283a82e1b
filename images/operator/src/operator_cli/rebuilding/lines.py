"""
Lines out of an object's bytes, in bounded memory: unpacked where they are gzip, split, and sound where others are not.

Firehose writes the records of a backup one behind the other, without anything between. Ours end in a newline each; what
somebody else put into the delivery stream may not, and must not cost its neighbour. Pure.
"""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from ddb2aurora.errors import Ddb2AuroraError

# A record has at most 1,000 KiB, an item 400 KB; whatever is longer is no line of ours.
LONGEST_LINE_BYTES: Final = 2**24
_UNPACKED_AT_ONCE: Final = 2**20
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 31  # zlib: expect the header and the check of gzip


class DamagedObjectError(Ddb2AuroraError):
    """An object's bytes break off, or are no gzip although they begin so."""


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """
    Yield the content of an object that arrives in *chunks*, unpacked if it is gzip, else as it is.

    Raises:
        DamagedObjectError: It breaks off, or is damaged; what came before was yielded.
    """
    remaining = iter(chunks)
    first = next(remaining, b"")
    if not first.startswith(_GZIP_MAGIC):
        yield first
        yield from remaining
        return
    decoder = zlib.decompressobj(_GZIP)
    try:
        for chunk in chain((first,), remaining):
            data = chunk
            while data:
                if decoder.eof:
                    # Several may follow each other in one object, and zeros may fill it up.
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    decoder = zlib.decompressobj(_GZIP)
                yield decoder.decompress(data, _UNPACKED_AT_ONCE)
                data = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        if not decoder.eof:
            yield decoder.flush()
    except zlib.error as error:
        raise DamagedObjectError("damaged gzip") from error
    if not decoder.eof:
        raise DamagedObjectError("the gzip breaks off")


def lines_in(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """
    Yield the lines in *chunks*, without their newlines; blank ones are left out, and None stands for one too long.

    Raises:
        DamagedObjectError: The chunks break off; the line that was not complete is not yielded.
    """
    rest = b""
    too_long = False
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
        for line in whole:
            if too_long:
                too_long = False
                yield None
            elif line.strip():
                yield line
        if len(rest) > LONGEST_LINE_BYTES:
            rest, too_long = b"", True
    if too_long:
        yield None
    elif rest.strip():
        yield rest
