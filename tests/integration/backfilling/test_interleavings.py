"""
Every order of reading an item, loading what was read, and what happens to the item meanwhile.

At the source an item is deleted and perhaps made again; each change is loaded some time after it happened, and the
backfill's row some time after it was read. Whatever the order, the target ends as the source is. A purge may come at
any point: then what was read too long ago is refused, and read again, as the command does.
"""

import itertools
from typing import NamedTuple

import pytest
from loader_fixtures import a_delete, a_pipeline, a_soft_delete, an_object, an_upsert

from aurora_loader.staging import BeyondHorizonError
from ddb2aurora.database.purge import SLACK_MS, purge
from ddb2aurora.dialect import encode_row
from operator_cli.backfilling.items import Gathering, ItemMapper

pytestmark = pytest.mark.long

# Far enough from each other that purge takes any two for different times.
_STEP_MS = 10 * SLACK_MS
_READ, _LOAD = "the item is read", "what was read is loaded"
_DELETE, _DELETED = "the item is deleted", "the delete is loaded"
_MAKE, _MADE = "the item is made again", "its making is loaded"
_PURGE = "old deletes are forgotten"
_BEFORE = ((_READ, _LOAD), (_DELETE, _DELETED), (_DELETE, _MAKE), (_MAKE, _MADE))


def orders(*events):
    """Return every order of *events* in which nothing comes before its cause."""
    return [
        order
        for order in itertools.permutations(events)
        if all(order.index(first) < order.index(then) for first, then in _BEFORE if {first, then} <= set(order))
    ]


class Item(NamedTuple):
    name: str


class Story:
    """One item, and its way through one order of events; the time of each event is its place in the order."""

    def __init__(self, target, *, began_ms):
        self._target = target
        self._pipeline = target.pipeline
        self._mapper = ItemMapper(target.pipeline)
        self._began_ms = began_ms
        self._place = 0
        self.item = Item("old")
        self._objects = {}
        self._read = None
        self.refused = False

    def tell(self, order):
        for self._place, event in enumerate(order):
            self._happen(event)
        if self.refused:
            # As the command does: what was refused is read once more.
            self._place += 1
            self._happen(_READ)
            self._happen(_LOAD)
        return self._target.rows("id, name")

    @property
    def _now_ms(self):
        return self._began_ms + self._place * _STEP_MS

    def _happen(self, event):
        pipeline = self._pipeline
        if event == _READ:
            self._read = Gathering(self._mapper, at_ms=self._now_ms)
            self._read.add([] if self.item is None else [{"id": {"S": "a"}, "name": {"S": self.item.name}}])
        elif event == _LOAD:
            self._load(b"".join(self._read.rows), "backfill")
        elif event == _DELETE:
            self.item = None
            delete = a_soft_delete if pipeline.mode == "soft_delete" else a_delete
            self._objects[_DELETED] = encode_row(delete(pipeline, 10, "a", changed_at_ms=self._now_ms))
        elif event == _MAKE:
            self.item = Item("new")
            self._objects[_MADE] = encode_row(an_upsert(pipeline, 20, "a", "new", changed_at_ms=self._now_ms))
        elif event == _PURGE:
            self._purge()
        else:
            self._load(self._objects[event], event)

    def _load(self, content, name):
        ref = an_object(f"processed/things/{name} {self._place}.csv", size=len(content))
        self._target.source.objects[ref.key] = content
        try:
            self._target.loader.load(ref, time=self._target.time)
        except BeyondHorizonError:
            # Only a backfill is old here: changes are told of before the purge in these stories.
            self.refused = True
        # A tombstone that was loaded only now is not forgotten; here it was loaded when the story says.
        self._target.query(
            f"UPDATE {self._target.name('__tombstones')} SET _deleted_at = "  # noqa: S608
            "TIMESTAMPADD(MICROSECOND, %s, TIMESTAMP'1970-01-01 00:00:00')",
            self._now_ms * 1000,
        )

    def _purge(self):
        ((now_ms,),) = self._target.query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
        purge(
            self._target.connection,
            self._pipeline,
            server=self._target.server,
            database=self._target.database.name,
            older_than_ms=int(now_ms) - self._now_ms,
        )


@pytest.fixture
def began_ms(target):
    ((now_ms,),) = target.query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
    return int(now_ms) - 100 * _STEP_MS


def rows_of(item):
    return () if item is None else (("a", item.name),)


def clear(target):
    for suffix in ("", "__tombstones"):
        target.query(f"DELETE FROM {target.name(suffix)}")  # noqa: S608
    for table in ("loads", "rejects"):
        target.query(f"DELETE FROM `{target.database.name}`._ddb2aurora_{table}")  # noqa: S608
    target.query(f"UPDATE `{target.database.name}`._ddb2aurora_horizons SET horizon_ms = 0")  # noqa: S608


def test_there_are_all_the_orders_that_there_can_be():
    counts = (orders(_READ, _LOAD, _DELETE, _DELETED), orders(_READ, _LOAD, _DELETE, _DELETED, _MAKE, _MADE))

    assert [len(found) for found in counts] == [6, 45]


@pytest.mark.parametrize(
    "order",
    [*orders(_READ, _LOAD, _DELETE, _DELETED), *orders(_READ, _LOAD, _DELETE, _DELETED, _MAKE, _MADE)],
    ids="; ".join,
)
def test_in_any_order_the_target_ends_as_the_source_is(target, began_ms, order):
    story = Story(target, began_ms=began_ms)

    assert story.tell(order) == rows_of(story.item)


def test_with_a_purge_at_any_point_the_target_ends_as_the_source_is(target, began_ms):
    ends = {}
    refused = 0
    for order in orders(_READ, _LOAD, _DELETE, _DELETED, _PURGE):
        if order.index(_PURGE) in range(order.index(_DELETE), order.index(_DELETED)):
            continue  # a change that is loaded after it was forgotten is refused, and no matter of the backfill's
        clear(target)
        story = Story(target, began_ms=began_ms)
        ends[order] = story.tell(order) == rows_of(story.item)
        refused += story.refused

    assert [order for order, is_right in ends.items() if not is_right] == []
    assert refused > 0


def test_the_purge_of_these_stories_does_forget_the_delete_that_a_backfill_would_have_met(target, began_ms):
    Story(target, began_ms=began_ms).tell((_READ, _DELETE, _DELETED))

    Story(target, began_ms=began_ms + 10 * _STEP_MS).tell((_PURGE,))

    assert target.query(f"SELECT COUNT(*) FROM {target.name('__tombstones')}") == ((0,),)  # noqa: S608


@pytest.mark.parametrize("order", orders(_READ, _LOAD, _DELETE, _DELETED), ids="; ".join)
def test_a_soft_deleted_row_stays_with_its_stamp_if_its_item_was_read_before(make_target, began_ms, order):
    target = make_target(a_pipeline(mode="soft_delete"))

    Story(target, began_ms=began_ms).tell(order)

    was_read = order.index(_READ) < order.index(_DELETE)
    assert target.rows("id, name, _deleted_at IS NULL") == ((("a", "old", 0),) if was_read else ())


@pytest.mark.parametrize("order", orders(_READ, _LOAD, _DELETE, _DELETED, _MAKE, _MADE), ids="; ".join)
def test_a_row_that_was_soft_deleted_and_made_again_has_no_stamp(make_target, began_ms, order):
    target = make_target(a_pipeline(mode="soft_delete"))

    Story(target, began_ms=began_ms).tell(order)

    assert target.rows("id, name, _deleted_at") == (("a", "new", None),)
