"""Objects of rows of the reference pipeline, as the transformer writes them, the same ones every time."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ddb2aurora.dialect import Operation, Row, encode_row
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import version_of

EPOCH_MS: Final = 1_767_607_200_000
# As long as those of AWS are.
_FIRST_SEQUENCE: Final = 3_950_500_000_000_007_790_329_561
_COUNTRIES: Final = ("DE", "FR", "IN", "JP", "BR", "US", "SE", "PL")
MIB: Final = 2**20
BYTES_A_ROW: Final = 209


def rows_in(mebibytes: float) -> int:
    """Return how many rows an object of that size holds."""
    return round(mebibytes * MIB / BYTES_A_ROW)


def version(number: int) -> int:
    """Return the version of the change with *number*."""
    return version_of(stream_epoch_ms=EPOCH_MS, sequence_number=str(_FIRST_SEQUENCE + number))


def key_of(item: int) -> tuple[str, str]:
    """Return the key of an item: at random places of the index, as keys of DynamoDB are."""
    digest = hashlib.sha256(b"%d" % item).hexdigest()
    return f"page-{digest[:20]}", f"2026-01-{item % 28 + 1:02}T{item % 24:02}:00:00Z"


def row_of(pipeline: Pipeline, item: int, change: int, *, operation: Operation = "U") -> Row:
    """Return the row that the change with this number makes of an item."""
    changed_at_ms = EPOCH_MS + change
    values: tuple[str | None, ...] = (None,) * 5
    if operation == "U":
        start, stop = (f"2026-01-05T{hour}:{item % 60:02}:{change % 60:02}+00:00" for hour in (10, 11))
        values = (str(changed_at_ms), str(item % 900), start, stop, _COUNTRIES[item % len(_COUNTRIES)])
    return Row(pipeline.shape, operation, version(change), changed_at_ms, (*key_of(item), *values))


def write_object(
    path: Path, pipeline: Pipeline, items: Iterable[int], *, first_change: int, deletes: Sequence[int] = ()
) -> Path:
    """Write an object of a change of each of *items*, in this order; those of *deletes* are deleted. Return *path*."""
    gone = frozenset(deletes)
    with path.open("wb") as file:
        for change, item in enumerate(items, start=first_change):
            file.write(encode_row(row_of(pipeline, item, change, operation="D" if item in gone else "U")))
    return path


def shuffled(items: Sequence[int], *, seed: int) -> list[int]:
    """Return *items* in another order, the same one every time."""
    return random.Random(seed).sample(items, len(items))  # noqa: S311 - no secret


def cut(path: Path, count: int) -> list[Path]:
    """Cut an object at ends of lines into so many parts of about one size, beside it."""
    lines = path.read_bytes().splitlines(keepends=True)
    size = -(-len(lines) // count)
    parts = []
    for number in range(count):
        part = path.with_name(f"{path.stem}-{number + 1}-of-{count}{path.suffix}")
        part.write_bytes(b"".join(lines[number * size : (number + 1) * size]))
        parts.append(part)
    return parts
