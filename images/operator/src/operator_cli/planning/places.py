"""
The places of a table's items: attributes, keys of maps, elements of lists, and the same inside JSON documents.

A place keeps counts and extremes, never a value. How many places there are is bounded: a map whose keys are data (users
by their ids) becomes one place that is *crowded*, and what lies deeper than asked for is measured as a whole.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from ddb2aurora.documents import decode_document
from ddb2aurora.errors import RejectError
from operator_cli.planning.digits import Numbers
from operator_cli.planning.extents import (
    Extent,
    bytes_extent,
    extent_of,
    list_extent,
    map_extent,
    text_extent,
)
from operator_cli.planning.texts import Texts

Step = str | None  # a name, or None for the elements of a list or a set

_MOST_NAMES: Final = 200
_SETS: Final = {str: "SS", Decimal: "NS", bytes: "BS"}
NULL: Final = "NULL"
_LITERAL: Final = Extent(5)


class Room:
    """How many places there may be, and how deep."""

    def __init__(self, *, places: int = 5_000, depth: int = 8) -> None:
        """Allow so many *places*, each at most so *depth* steps below its attribute."""
        self.depth = depth
        self._left = places

    def take(self) -> bool:
        """Take the room for one place more; return whether there was any."""
        has_room = self._left > 0
        self._left -= has_room
        return has_room


class Place:
    """One place, and what was seen there."""

    __slots__ = (
        "binary_bytes",
        "children",
        "composite_bytes",
        "composites_fit_json",
        "composites_fit_text",
        "document",
        "is_crowded",
        "kinds",
        "members",
        "most_names",
        "numbers",
        "texts",
    )

    def __init__(self, *, most_names: int = _MOST_NAMES) -> None:
        """Begin with nothing; a map here may have *most_names* different keys before it is crowded."""
        self.kinds: Counter[str] = Counter()
        """How often each type was seen, by DynamoDB's letters."""
        self.numbers = Numbers()
        self.texts = Texts()
        self.binary_bytes = 0
        self.composite_bytes = 0
        """The longest JSON text of a map, a list or a set that was seen here."""
        self.composites_fit_json = True
        self.composites_fit_text = True
        self.children: dict[str, Place] = {}
        self.members: Place | None = None
        self.document: Place | None = None
        """What is inside the strings here that are JSON objects."""
        self.is_crowded = False
        self.most_names = most_names

    @property
    def count(self) -> int:
        """How often there was a value here, NULL included."""
        return self.kinds.total()

    @property
    def types(self) -> frozenset[str]:
        """The types that were seen, without NULL."""
        return frozenset(self.kinds) - {NULL}

    def add(self, value: Any, *, room: Room, depth: int = 0) -> Extent:  # noqa: ANN401 - any value of an item
        """Count *value* in, which lies *depth* steps below its attribute, and return its extent."""
        match value:
            case str():
                self.kinds["S"] += 1
                self.texts.add(value)
                return text_extent(value)
            case bool():
                self.kinds["BOOL"] += 1
                return _LITERAL
            case Decimal() | int():
                self.kinds["N"] += 1
                return Extent(*self.numbers.add(value))
            case None:
                self.kinds[NULL] += 1
                return _LITERAL
            case bytes():
                self.kinds["B"] += 1
                self.binary_bytes = max(self.binary_bytes, len(value))
                return bytes_extent(value)
        if isinstance(value, dict):
            self.kinds["M"] += 1
            extent = map_extent(value, [self._add_child(*entry, room=room, depth=depth) for entry in value.items()])
        else:
            self.kinds[_kind_of(value)] += 1
            extent = list_extent([self._add_member(inner, room=room, depth=depth) for inner in value])
        self.composite_bytes = max(self.composite_bytes, extent.text_bytes)
        self.composites_fit_json = self.composites_fit_json and extent.fits_json
        self.composites_fit_text = self.composites_fit_text and extent.fits_text
        return extent

    def open_document(self, text: str, *, room: Room) -> None:
        """Count what is inside *text* in, if it is a JSON object."""
        if not text.startswith("{") and not text.lstrip(" \t\r\n").startswith("{"):
            return
        try:
            document = decode_document(text)
        except RejectError:
            return
        if self.document is None:
            self.document = Place()
        self.document.add(document, room=room, depth=0)

    def walk(self, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], "Place"]]:
        """
        Yield this place and all below it, each with its path; documents count as maps.

        The keys of a crowded map are data, and no places to tell of.
        """
        yield path, self
        for found in (self, self.document):
            if found is not None and not found.is_crowded:
                for name, child in found.children.items():
                    yield from child.walk((*path, name))
        if self.members is not None:
            yield from self.members.walk((*path, None))

    def _add_child(self, name: str, value: Any, *, room: Room, depth: int) -> Extent:  # noqa: ANN401 - as above
        child = self.children.get(name)
        if child is None:
            if depth >= room.depth or len(self.children) >= self.most_names or not room.take():
                self.is_crowded = True
                return extent_of(value)
            child = self.children[name] = Place()
        return child.add(value, room=room, depth=depth + 1)

    def _add_member(self, value: Any, *, room: Room, depth: int) -> Extent:  # noqa: ANN401 - as above
        if self.members is None:
            if depth >= room.depth or not room.take():
                return extent_of(value)
            self.members = Place()
        return self.members.add(value, room=room, depth=depth + 1)


def _kind_of(value: Any) -> str:  # noqa: ANN401 - a list or a set
    return "L" if isinstance(value, list) else _SETS[type(next(iter(value)))]
