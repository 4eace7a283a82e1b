"""
A second look at single keys, the only way to find out what is true of an item and its row while both may change.

The target is read, then the item, consistently, then the target again. If the target has not changed in between, the
item was read while exactly that stood in the target: so the item is at least as new as the row, and as the tombstone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from operator_cli.verifying.sides import Comparison, Item, Key, TargetRow, Verdict
from operator_cli.verifying.source import Source
from operator_cli.verifying.target import NO_TOMBSTONE, Target, Tombstone


class Sight(NamedTuple):
    """What was seen of one key; *is_steady* says that the target did not change meanwhile."""

    item: Item | None
    row: TargetRow | None
    tombstone: Tombstone
    is_steady: bool
    verdict: Verdict

    @property
    def signature(self) -> str | None:
        """What stands for the target's side, None if it changed."""
        if not self.is_steady:
            return None
        version = "none" if self.row is None else f"{self.row.version}{'s' if self.row.is_stamped else ''}"
        return f"{version}/{self.tombstone.version}/{self.tombstone.soft_version}"


def look(keys: Sequence[Key], *, source: Source, target: Target, comparison: Comparison) -> dict[Key, Sight]:
    """
    Return what is to be seen of *keys* now.

    Raises:
        RetryError: One of the sides cannot be read now.
        HaltError: One of them cannot be read before someone acts.
        pymysql.err.Error: The database did not answer.
    """
    before = target.rows(keys), target.tombstones(keys)
    wanted = [found for found in map(source.keys.of_row, keys) if found is not None]
    items = {comparison.row_key(comparison.keys_of(item)): item for item in source.get(wanted)}
    after = target.rows(keys), target.tombstones(keys)
    sights = {}
    for key in keys:
        item, row = items.get(key), after[0].get(key)
        sights[key] = Sight(
            item=item,
            row=row,
            tombstone=after[1].get(key, NO_TOMBSTONE),
            is_steady=all(then.get(key) == now.get(key) for then, now in zip(before, after, strict=True)),  # type: ignore[attr-defined]  # both are mappings
            verdict=comparison.judge(item, row),
        )
    return sights
