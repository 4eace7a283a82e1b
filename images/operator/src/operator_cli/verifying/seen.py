"""
A set of keys in bounded memory, good for one question: in which parts do two such sets differ?

Keys fall into buckets by their hash, and of each bucket only the sum of the hashes is kept. Sums that agree belong to
the same keys, as far as 64 bits of a hash tell; so only the keys of buckets that differ have to be looked up.
"""

import hashlib
import sys
from array import array
from collections.abc import Iterable
from operator import ne
from typing import Final

from operator_cli.verifying.sides import Key

_BUCKETS: Final = 2**18  # 2 MiB
_MODULUS: Final = 2**64


def hash_of(key: Key) -> int:
    """Return 64 bits that stand for *key*, the same on every machine."""
    parts = [(part or "").encode() for part in key]
    # The lengths keep the parts apart, whatever they hold.
    whole = b"".join(len(part).to_bytes(4) + part for part in parts)
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest())


class KeySums:
    """The sums; add each key once."""

    def __init__(self, content: bytes | None = None) -> None:
        """Begin empty, or with the *content* of another."""
        self.sums = array("Q", bytes(8 * _BUCKETS))
        if content:
            self.sums = array("Q", content)
            if sys.byteorder != "little":
                self.sums.byteswap()

    def add(self, hashes: Iterable[int]) -> None:
        """Add keys by their *hashes*."""
        sums = self.sums
        for value in hashes:
            bucket = value % _BUCKETS
            sums[bucket] = (sums[bucket] + value) % _MODULUS

    def content(self) -> bytes:
        """Return all sums as bytes."""
        copy = array("Q", self.sums)
        if sys.byteorder != "little":
            copy.byteswap()
        return copy.tobytes()

    def differing(self, other: "KeySums") -> bytearray:
        """Return a 1 for each bucket in which *other* has another sum, and a 0 for each other one."""
        return bytearray(map(ne, self.sums, other.sums))


def everywhere() -> bytearray:
    """Return what `differing` gives for sets that have nothing in common."""
    return bytearray(b"\1" * _BUCKETS)


def is_in(buckets: bytearray, value: int) -> bool:
    """Return whether the key with the hash *value* lies in one of *buckets*."""
    return bool(buckets[value % _BUCKETS])
