"""A backfill that takes longer than deletes are remembered."""
# ruff: noqa: S608 - tests name their own tables

import pytest
from loader_fixtures import a_delete

from aurora_loader.staging import BeyondHorizonError

pytestmark = pytest.mark.long

_ITEMS = [{"id": f"thing {number:02}", "no": number, "name": f"name {number}"} for number in range(20)]


def forget_everything_up_to_now(world):
    """Raise the horizon to now, and forget every delete, as a purge does after a long time."""
    ((now_ms,),) = world.query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
    world.query("UPDATE {db}._ddb2aurora_horizons SET horizon_ms = %s", int(now_ms) + 1)
    world.target.query(f"DELETE FROM {world.target.name('__tombstones')}")


def test_what_was_read_too_long_ago_is_refused_and_read_again(world):
    world.put(*_ITEMS)
    world.written("--segments", "2")
    forget_everything_up_to_now(world)
    world.bucket.load_all()

    status, output = world.backfill()

    assert [type(error) for error in world.bucket.failures] == [BeyondHorizonError] * 2
    assert (status, output["complete"], output["resumed"], output["items"]) == (0, True, True, 20)
    assert len(world.target.rows()) == 20


def test_an_item_that_was_deleted_since_it_was_read_does_not_come_back_when_the_delete_is_forgotten(world):
    world.put(*_ITEMS[:2])
    world.written("--segments", "1")
    world.dynamodb.delete_item(TableName=world.table, Key={"id": {"S": "thing 00"}})
    world.target.load(a_delete(world.pipeline, 1, "thing 00"))
    forget_everything_up_to_now(world)
    world.bucket.load_all()

    status, _ = world.backfill()

    assert (status, world.target.rows("id")) == (0, (("thing 01",),))


def test_only_the_segments_of_what_was_refused_are_read_again(world):
    world.put(*_ITEMS)
    world.written("--segments", "3")
    first = world.bucket.rows()[0]
    segments = world.query("SELECT segment FROM {db}._ddb2aurora_backfill_objects WHERE object_key = %s", first.key)
    world.query("UPDATE {db}._ddb2aurora_backfill_objects SET at_ms = 1 WHERE object_key = %s", first.key)
    world.query("UPDATE {db}._ddb2aurora_horizons SET horizon_ms = 2")
    before = dict(world.checkpoints("segment, items"))

    _, output = world.written()

    assert (output["items_now"], output["items"]) == (before[segments[0][0]], 20)


def test_what_the_loader_refuses_while_it_is_waited_for_is_read_again_by_the_same_process(world):
    world.put(*_ITEMS)
    process = world.start("backfill", "--segments", "1", "--json")
    world.wait_until(lambda: len(world.bucket.rows()) == 1)
    world.await_items(20, process)
    forget_everything_up_to_now(world)
    world.wait_until(lambda: len(world.bucket.rows()) == 2)

    world.bucket.load_all()
    process.communicate(timeout=60)

    assert (process.returncode, len(world.target.rows())) == (0, 20)


def test_no_more_is_in_flight_than_may_be_so_nothing_grows_old_behind_a_loader_that_stands_still(world):
    world.put(*({"id": f"{number:02}", "no": number, "name": "x" * 250_000} for number in range(48)))

    ran = world.run(
        "backfill", "--patience", "1s", "--segments", "4", "--threads", "2", "--object-mb", "1", "--in-flight", "1"
    )

    ((in_flight,),) = world.query("SELECT COUNT(*) FROM {db}._ddb2aurora_backfill_objects")
    # One more for each thread: each writes what it holds before it looks.
    assert ran.returncode == 1
    assert 1 < in_flight <= 3
