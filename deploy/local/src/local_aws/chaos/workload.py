"""
A workload that goes on as long as it is asked: few hot items that change all the time, and many cold ones.

Items are put, updated, deleted and made again; some puts never fit. The same seed gives the same writes.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from operator_cli.clickstream import Operation, put_visit, visit_key

HOT_ITEMS: Final = 40
_HOT_SHARE: Final = 0.25
_DELETED_SHARE: Final = 0.2
_BROKEN_SHARE: Final = 0.02


def hot_keys() -> tuple[tuple[str, str], ...]:
    """Return the keys of the hot items."""
    return tuple(visit_key(number) for number in range(HOT_ITEMS))


def writes(*, seed: int, cold_items: int) -> Iterator[Operation]:
    """Yield writes without end, each of which changes its table: a delete is always one of an item that is there."""
    source = Random(seed)  # noqa: S311 - a reproducible workload, not a secret
    alive: set[int] = set()
    while True:
        hot = source.random() < _HOT_SHARE
        number = source.randrange(HOT_ITEMS) if hot else HOT_ITEMS + source.randrange(cold_items)
        if number in alive and source.random() < _DELETED_SHARE:
            alive.discard(number)
            yield Operation(visit_key(number), None)
        else:
            alive.add(number)
            yield put_visit(source, number, broken=source.random() < _BROKEN_SHARE)
