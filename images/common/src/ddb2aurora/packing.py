"""
Many changes in one Firehose record, and what Firehose bills for records.

Firehose bills what is put directly by the record, each rounded up to the next 5 KB, so a small change alone costs many
times its size. With `packing: on` in the pipeline file, the lines of many changes travel as one record. Pure.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

_Line = TypeVar("_Line")

# Firehose: a record that is put directly is billed in steps of 5 KB.
BILLING_STEP_BYTES: Final = 5_120
# Ten steps: docs/decisions/packing.md says why neither more nor fewer.
PACKED_RECORD_BYTES: Final = 10 * BILLING_STEP_BYTES


def billed_bytes(sizes: Iterable[int]) -> int:
    """Return how many bytes Firehose bills for records of *sizes*; an empty record is billed as nothing here."""
    return sum(-(-size // BILLING_STEP_BYTES) * BILLING_STEP_BYTES for size in sizes)


def packed(
    lines: Iterable[_Line], *, size_of: Callable[[_Line], int], most_bytes: int = PACKED_RECORD_BYTES
) -> Iterator[tuple[_Line, ...]]:
    """
    Yield *lines* in order, in groups of at most *most_bytes*; a line that is larger makes a group of its own.

    The order is kept, so a line is never moved past a larger one to fill a gap.
    """
    group: list[_Line] = []
    filled = 0
    for line in lines:
        size = size_of(line)
        if group and filled + size > most_bytes:
            yield tuple(group)
            group, filled = [], 0
        group.append(line)
        filled += size
    if group:
        yield tuple(group)
