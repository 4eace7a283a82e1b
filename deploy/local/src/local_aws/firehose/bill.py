"""What AWS would bill for the records of a stream: as they came, and had their lines been packed otherwise."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ddb2aurora.packing import billed_bytes, packed


class Bill(NamedTuple):
    """
    Bytes that Firehose bills for what was put directly, each record rounded up to 5 KB.

    Beside *as_put*: *one_by_one*, had every line been a record; *as_packed*, had the lines of each call been packed.
    """

    as_put: int
    one_by_one: int
    as_packed: int


def bill_of(datas: Sequence[bytes]) -> Bill:
    """Return the bill for the records of one call."""
    lines = [size for data in datas for size in _line_sizes(data)]
    groups = packed(lines, size_of=int)
    return Bill(billed_bytes(map(len, datas)), billed_bytes(lines), billed_bytes(map(sum, groups)))


def lines_in(data: bytes) -> int:
    """Return how many lines *data* has; what follows the last newline is one as well."""
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def _line_sizes(data: bytes) -> Iterator[int]:
    *lines, last = data.split(b"\n")
    yield from (len(line) + 1 for line in lines)
    if last:
        yield len(last)
