"""How much a value takes as JSON text, and whether MySQL's JSON type keeps it exactly."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from operator_cli.planning.digits import Numbers

_MAX_LEVELS: Final = 100  # MySQL: a JSON document nests at most 100 levels
_MAX_NAME_BYTES: Final = 65_535  # MySQL: the longest key of a JSON object


class Extent(NamedTuple):
    """
    What one value takes.

    *text_bytes* is the length of its JSON text with all digits; *in_json* says whether MySQL's JSON keeps its numbers;
    *is_named* whether its names are short enough; *levels* how deep it nests, a scalar being one.
    """

    text_bytes: int
    in_json: bool = True
    is_named: bool = True
    levels: int = 1

    @property
    def fits_text(self) -> bool:
        """Whether a text column of the right size takes it."""
        return self.is_named and self.levels <= _MAX_LEVELS

    @property
    def fits_json(self) -> bool:
        """Whether a JSON column takes it."""
        return self.in_json and self.fits_text


def extent_of(value: Any) -> Extent:  # noqa: ANN401 - any value of an item
    """Return the extent of *value*, an attribute's value as `codec` gives it or one out of a document."""
    match value:
        case str():
            return text_extent(value)
        case bytes():
            return bytes_extent(value)
        case bool() | None:
            return Extent(5)
        case Decimal() | int():
            return Extent(*Numbers().add(value))
        case dict():
            return map_extent(value, [extent_of(inner) for inner in value.values()])
    return list_extent([extent_of(inner) for inner in value])


def text_extent(value: str) -> Extent:
    """Return the extent of a string."""
    return Extent(len(msgspec.json.encode(value)))


def bytes_extent(value: bytes) -> Extent:
    """Return the extent of a binary, which is written as base64."""
    return Extent((len(value) + 2) // 3 * 4 + 2)


def list_extent(members: Iterable[Extent]) -> Extent:
    """Return the extent of a list or a set, from those of its *members*."""
    members = list(members)
    return Extent(
        sum(member.text_bytes for member in members) + len(members) + 2,
        all(member.in_json for member in members),
        all(member.is_named for member in members),
        1 + max((member.levels for member in members), default=0),
    )


def map_extent(names: Iterable[str], values: Iterable[Extent]) -> Extent:
    """Return the extent of a map with *names*, from those of its *values*."""
    inside = list_extent(values)
    names = list(names)
    return inside._replace(
        text_bytes=inside.text_bytes + sum(len(msgspec.json.encode(name)) + 1 for name in names),
        is_named=inside.is_named and all(len(name.encode()) <= _MAX_NAME_BYTES for name in names),
    )
