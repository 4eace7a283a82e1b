"""
What was seen of a table: statistics of its places, sizes and kinds of items, and a few items to try a proposal on.

Memory is bounded: counts and extremes of at most `Room`'s places, and a reservoir of items, limited in number and
bytes. No other value is kept, however many items there are.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ddb2aurora.codec import decode_item
from ddb2aurora.errors import RejectError
from operator_cli.planning.entities import Entities
from operator_cli.planning.places import Place, Room
from operator_cli.planning.sizes import Sizes
from operator_cli.scanning.table import AttributeType, Item

MOST_KEPT_ITEMS: Final = 2_000
MOST_KEPT_BYTES: Final = 32 * 1024 * 1024
_MOST_ATTRIBUTES: Final = 1_000
_AROUND_AN_ITEM: Final = 300  # bytes of a change in Firehose beside the item and its key


class Profile:
    """What was seen of one table; not to be shared by threads."""

    def __init__(self, table: str, key: Mapping[str, AttributeType], *, room: Room | None = None) -> None:
        """Begin with nothing of *table*, whose *key* attributes have these types."""
        self.table = table
        self.key = dict(key)
        self.items = 0
        self.undecodable: Counter[str] = Counter()
        """Items that are no DynamoDB JSON, by what is wrong with them."""
        self.root = Place(most_names=_MOST_ATTRIBUTES)
        # The key has its places whatever comes first.
        self.root.children = {name: Place() for name in key}
        self.change_bytes = Sizes()
        """What the changes of the items take in Firehose."""
        self.entities = Entities(tuple(key))
        self.item_bytes = 0
        """The longest item as JSON text."""
        self.items_fit_json = True
        self.items_fit_text = True
        self.kept = Reservoir()
        self._room = room or Room()

    def add(self, items: Sequence[Item]) -> None:
        """Count *items*, as a stream carries them, in."""
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        self.items += 1
        encoded = msgspec.json.encode(item)
        self.kept.offer(item, size=len(encoded))
        try:
            values = decode_item(item)
        except RejectError as error:
            self.undecodable[error.detail] += 1
            return
        keys = {name: item.get(name) for name in self.key}
        self.change_bytes.add(len(encoded) + len(msgspec.json.encode(keys)) + _AROUND_AN_ITEM)
        extent = self.root.add(values, room=self._room)
        self.item_bytes = max(self.item_bytes, extent.text_bytes)
        self.items_fit_json = self.items_fit_json and extent.fits_json
        self.items_fit_text = self.items_fit_text and extent.fits_text
        for name, value in values.items():
            place = self.root.children.get(name)
            if place is not None and isinstance(value, str):
                place.open_document(value, room=self._room)
        self.entities.add(values)


class Reservoir:
    """A few of many items, each as likely to be kept as any other."""

    def __init__(self, *, items: int = MOST_KEPT_ITEMS, size: int = MOST_KEPT_BYTES, seed: int = 1) -> None:
        """Keep at most so many *items* of so many bytes together; the same *seed* keeps the same."""
        self._most = items
        self._room = size
        self._random = random.Random(seed)  # noqa: S311 - a sample, not a secret
        self._kept: list[tuple[int, Mapping[str, Any]]] = []
        self._offered = 0

    def offer(self, item: Mapping[str, Any], *, size: int) -> None:
        """Keep *item*, which takes *size* bytes, or let it go."""
        self._offered += 1
        if len(self._kept) < self._most:
            if size <= self._room:
                self._kept.append((size, item))
                self._room -= size
            return
        place = self._random.randrange(self._offered)
        if place < self._most and size - self._kept[place][0] <= self._room:
            self._room -= size - self._kept[place][0]
            self._kept[place] = (size, item)

    @property
    def items(self) -> list[Mapping[str, Any]]:
        """The items that were kept."""
        return [item for _, item in self._kept]
