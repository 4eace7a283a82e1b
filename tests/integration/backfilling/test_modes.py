"""What a backfilled row means in each mode."""

import msgspec
from backfill_fixtures import some_things
from loader_fixtures import a_column, a_delete, a_pipeline, a_soft_delete, an_upsert

from ddb2aurora.dialect import Row

_ITEMS = [{"id": f"thing {number}", "no": number, "name": f"name {number}"} for number in range(3)]


def a_log():
    event = a_column("event", "varchar(9)", path=())
    columns = (a_column("id", "varchar(40)"), a_column("name", "varchar(40)"))
    return a_pipeline(*columns, msgspec.structs.replace(event, source="$event_name"), mode="append")


def test_in_an_event_log_an_item_is_one_row_of_version_0_before_all_its_changes(make_backfill_world):
    world = make_backfill_world(a_log())
    world.put(_ITEMS[0])
    world.target.load(an_upsert(world.pipeline, 7, "thing 0", "changed", "MODIFY"))

    world.backfill()

    assert world.target.query(f"SELECT id, name, event, _version FROM {world.target.name()} ORDER BY _version") == (  # noqa: S608
        ("thing 0", "name 0", "INSERT", 0),
        ("thing 0", "changed", "MODIFY", 7),
    )


def test_in_an_event_log_a_second_backfill_adds_nothing(make_backfill_world):
    world = make_backfill_world(a_log())
    world.put(*_ITEMS)
    world.backfill()
    world.put({"id": "thing 0", "name": "changed meanwhile"})

    status, _ = world.backfill()

    assert (status, world.target.rows("id, name, _version")) == (
        0,
        tuple((item["id"], item["name"], 0) for item in _ITEMS),
    )


def test_in_an_event_log_a_delete_is_a_row_beside_that_of_the_item(make_backfill_world):
    world = make_backfill_world(a_log())
    world.put(_ITEMS[0])
    world.written()
    delete = a_delete(world.pipeline, 7, "thing 0", None, "REMOVE")
    world.target.load(Row(*delete[:-1], ("thing 0", None, "REMOVE")))

    world.bucket.load_all()

    assert sorted(world.target.rows("_version, event")) == [(0, "INSERT"), (7, "REMOVE")]


def test_a_soft_delete_that_overtakes_leaves_a_stamped_row(make_backfill_world):
    world = make_backfill_world(some_things(mode="soft_delete"))
    world.put(_ITEMS[0])
    world.written()
    world.target.load(a_soft_delete(world.pipeline, 7, "thing 0", changed_at_ms=5000))

    world.bucket.load_all()

    assert world.target.rows("id, name, _deleted_at IS NULL") == (("thing 0", "name 0", 0),)


def test_an_item_that_expired_since_it_was_read_is_gone_in_a_mirror(make_backfill_world):
    world = make_backfill_world(some_things(on_ttl_delete="delete"))
    world.put(_ITEMS[0])
    world.written()
    world.target.load(a_delete(world.pipeline, 7, "thing 0"))

    world.bucket.load_all()

    assert world.target.rows() == ()


def test_an_item_that_expired_since_it_was_read_is_stamped_where_the_policy_says_so(make_backfill_world):
    world = make_backfill_world(some_things(on_ttl_delete="soft_delete"))
    world.put(_ITEMS[0])
    world.written()
    world.target.load(a_soft_delete(world.pipeline, 7, "thing 0", changed_at_ms=5000))

    world.bucket.load_all()

    assert world.target.rows("id, _deleted_at IS NULL") == (("thing 0", 0),)


def test_an_item_that_expired_since_it_was_read_keeps_its_row_where_the_policy_is_to_keep(make_backfill_world):
    world = make_backfill_world(some_things(on_ttl_delete="keep"))
    world.put(_ITEMS[0])
    world.written()
    # Its delete leaves no trace, so that there is nothing to load.
    world.dynamodb.delete_item(TableName=world.table, Key={"id": {"S": "thing 0"}})

    world.bucket.load_all()

    assert world.target.rows("id") == (("thing 0",),)
