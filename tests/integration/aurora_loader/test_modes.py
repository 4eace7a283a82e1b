"""What the target holds in each mode, whatever order the changes come in, and what a repetition does."""
# ruff: noqa: S608, DTZ001 - tests name their own tables; MySQL's times have no zone

import datetime as dt

import msgspec
import pytest
from loader_fixtures import a_column, a_delete, a_pipeline, a_soft_delete, an_upsert

from aurora_loader.outcome import Outcome
from ddb2aurora.database.migrate import NotMigratedError, check_tables, migrate
from ddb2aurora.pipeline import Column, Misfit

SEEN = "id, name, _deleted_at"
AT_3000 = dt.datetime(1970, 1, 1, 0, 0, 3)


@pytest.fixture
def soft(make_target):
    return make_target(a_pipeline(mode="soft_delete"))


@pytest.fixture
def log(make_target):
    return make_target(a_pipeline(mode="append"))


def load_each(target, *rows):
    return [target.load(row, key=f"{number}.csv") for number, row in enumerate(rows)]


def test_a_soft_delete_keeps_the_row_and_stamps_it(soft):
    pipeline = soft.pipeline

    outcome = soft.load(
        an_upsert(pipeline, 1, "a", "x"), a_soft_delete(pipeline, 2, "a", changed_at_ms=1_700_000_000_123)
    )

    assert outcome == Outcome(rows=2, applied=1, deleted=1, newest_changed_at_ms=1_700_000_000_123)
    assert soft.rows(SEEN) == (("a", "x", dt.datetime(2023, 11, 14, 22, 13, 20, 123_000)),)
    assert soft.rows() == (("a", "x"),)
    assert soft.ledger() == (("processed/things/a.csv", 2, 1, 0, 1, 0),)


def test_a_late_older_upsert_after_a_soft_delete_makes_a_stamped_row(soft):
    pipeline = soft.pipeline

    outcomes = load_each(
        soft, a_soft_delete(pipeline, 30, "a", changed_at_ms=3000), an_upsert(pipeline, 20, "a", "late")
    )

    assert [(outcome.applied, outcome.deleted) for outcome in outcomes] == [(0, 1), (1, 0)]
    assert soft.rows(SEEN) == (("a", "late", AT_3000),)


def test_a_later_upsert_between_the_row_and_its_soft_delete_keeps_the_stamp(soft):
    pipeline = soft.pipeline

    load_each(
        soft,
        an_upsert(pipeline, 10, "a", "old"),
        a_soft_delete(pipeline, 30, "a", changed_at_ms=3000),
        an_upsert(pipeline, 20, "a", "last words"),
    )

    assert soft.rows(SEEN) == (("a", "last words", AT_3000),)


def test_a_recreated_item_loses_its_stamp(soft):
    pipeline = soft.pipeline

    load_each(
        soft,
        an_upsert(pipeline, 10, "a", "old"),
        a_soft_delete(pipeline, 30, "a", changed_at_ms=3000),
        an_upsert(pipeline, 40, "a", "new"),
        a_soft_delete(pipeline, 35, "a", changed_at_ms=3500),
    )

    assert soft.rows(SEEN) == (("a", "new", None),)


def test_of_two_soft_deletes_the_newer_gives_the_time(soft):
    pipeline = soft.pipeline

    newer, older = load_each(
        soft,
        a_soft_delete(pipeline, 30, "a", changed_at_ms=3000),
        a_soft_delete(pipeline, 25, "a", changed_at_ms=2500),
        an_upsert(pipeline, 20, "a", "x"),
    )[:2]

    assert (newer.deleted, older.stale) == (1, 1)
    assert soft.rows(SEEN) == (("a", "x", AT_3000),)


def test_a_soft_delete_of_an_item_never_seen_leaves_no_row(soft):
    outcome = soft.load(a_soft_delete(soft.pipeline, 1, "a"))

    assert outcome == Outcome(rows=1, deleted=1, newest_changed_at_ms=1000)
    assert soft.rows(SEEN) == ()


@pytest.mark.parametrize(
    ("changed_at_ms", "stamp"),
    [
        (None, dt.datetime(1970, 1, 1)),
        (4_102_444_800_001, dt.datetime(2100, 1, 1, 0, 0, 0, 1000)),
        (253_402_300_799_999, dt.datetime(9999, 12, 31, 23, 59, 59, 999_000)),
    ],
)
def test_a_stamp_is_exact_far_beyond_2038_and_1970_without_a_time(soft, changed_at_ms, stamp):
    soft.load(an_upsert(soft.pipeline, 1, "a", "x"), a_soft_delete(soft.pipeline, 2, "a", changed_at_ms=changed_at_ms))

    assert soft.rows(SEEN) == (("a", "x", stamp),)


@pytest.mark.parametrize("slow", [False, True], ids=["fast path", "slow path"])
def test_hard_and_soft_deletes_of_one_key_are_weighed_apart(soft, slow):
    pipeline = soft.pipeline

    outcome = soft.load(
        an_upsert(pipeline, 20, "buried", "x"),
        a_delete(pipeline, 30, "buried"),
        a_soft_delete(pipeline, 40, "buried"),
        an_upsert(pipeline, 20, "stamped", "x"),
        a_delete(pipeline, 10, "stamped"),
        a_soft_delete(pipeline, 30, "stamped", changed_at_ms=3000),
        an_upsert(pipeline, 50, "alive", "x"),
        a_delete(pipeline, 30, "alive"),
        a_soft_delete(pipeline, 40, "alive"),
        *([b"malformed\n"] if slow else []),
    )

    assert (outcome.rows - outcome.rejected, outcome.rejected) == (9, int(slow))
    assert outcome.deleted == 6
    assert soft.rows(SEEN) == (("alive", "x", None), ("stamped", "x", AT_3000))
    assert soft.query(f"SELECT id, _version, _soft_version FROM {soft.name('__tombstones')} ORDER BY id") == (
        ("alive", 30, 40),
        ("buried", 30, 40),
        ("stamped", 10, 30),
    )


def test_a_mirror_whose_expired_items_stay_stamps_those_alone(make_target):
    target = make_target(a_pipeline(on_ttl_delete="soft_delete"))
    pipeline = target.pipeline

    target.load(
        an_upsert(pipeline, 1, "deleted", "x"),
        an_upsert(pipeline, 1, "expired", "x"),
        a_delete(pipeline, 2, "deleted"),
        a_soft_delete(pipeline, 2, "expired", changed_at_ms=3000),
    )

    assert target.rows(SEEN) == (("expired", "x", AT_3000),)


def test_a_target_without_stamps_remembers_a_soft_delete_and_keeps_the_row(target):
    pipeline = target.pipeline

    outcome = target.load(an_upsert(pipeline, 1, "a", "x"), a_soft_delete(pipeline, 2, "a"))

    assert outcome == Outcome(rows=2, applied=1, deleted=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "x"),)
    assert target.query(f"SELECT id, _version, _soft_version FROM {target.name('__tombstones')}") == (("a", -1, 2),)


@pytest.mark.parametrize("slow", [False, True], ids=["fast path", "slow path"])
def test_an_event_log_has_a_row_for_each_change_deletes_among_them(log, slow):
    pipeline = log.pipeline

    outcome = log.load(
        an_upsert(pipeline, 1, "a", "x"),
        an_upsert(pipeline, 2, "a", "y", changed_at_ms=2000),
        a_delete(pipeline, 3, "a"),
        a_soft_delete(pipeline, 4, "a"),
        an_upsert(pipeline, 2, "a", "y", changed_at_ms=2000),
        *([b"malformed\n"] if slow else []),
    )

    assert outcome == Outcome(rows=5 + slow, applied=4, stale=1, rejected=int(slow), newest_changed_at_ms=2000)
    assert log.query(f"SELECT id, name, _version, _changed_at_ms FROM {log.name()} ORDER BY _version") == (
        ("a", "x", 1, 1000),
        ("a", "y", 2, 2000),
        ("a", None, 3, 1000),
        ("a", None, 4, 1000),
    )


def test_an_event_log_is_idempotent_by_version(log):
    rows = (an_upsert(log.pipeline, 2, "a", "x"), a_delete(log.pipeline, 1, "a"))
    log.load(*rows, key="first.csv")

    outcome = log.load(*rows, an_upsert(log.pipeline, 2, "b", "z"), key="second.csv")

    assert outcome == Outcome(rows=3, applied=1, stale=2, newest_changed_at_ms=1000)
    assert log.query(f"SELECT COUNT(*) FROM {log.name()}") == ((3,),)


def test_an_event_log_takes_a_delete_whatever_the_columns_forbid_and_has_no_table_of_deletes(make_target):
    facts = Column("event", a_column("event", "varchar(10)").type, "$event_name", (), False, Misfit.REJECT)
    target = make_target(
        a_pipeline(a_column("id", "varchar(40)"), a_column("n", "int", nullable=False), facts, mode="append")
    )
    pipeline = target.pipeline

    outcome = target.load(a_delete(pipeline, 1, "a", None, "REMOVE"), a_delete(pipeline, 2, "a", "1", None))

    assert outcome == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", None, "REMOVE"),)
    assert [line.rsplit(".", 1)[1] for line in target.migrated if line.startswith("created")] == [
        "Things",
        "_ddb2aurora_loads",
        "_ddb2aurora_rejects",
        "_ddb2aurora_shapes",
        "_ddb2aurora_heartbeat",
    ]


@pytest.mark.parametrize("parts", [{"mode": "soft_delete"}, {"mode": "append"}, {"on_ttl_delete": "soft_delete"}])
def test_the_tables_of_every_mode_match_themselves_and_show_what_the_user_declared(make_target, parts):
    target = make_target(a_pipeline(**parts))

    again = migrate(target.connection, target.pipeline, server=target.server, database=target.database.name)

    assert (again.done, again.plan.differences) == ((), ())
    assert target.loader.load(target.put(), time=target.time) == Outcome()


def test_a_table_made_for_mirror_says_which_column_and_index_soft_deletes_need(target):
    pipeline = msgspec.structs.replace(target.pipeline, mode="soft_delete")

    with pytest.raises(NotMigratedError) as failure:
        check_tables(target.connection, pipeline, server=target.server, database=target.database.name)

    assert str(failure.value).splitlines()[1:] == [
        (
            f"  Things._deleted_at: is missing; ALTER TABLE {target.name()} "
            "ADD COLUMN `_deleted_at` datetime(3) NULL INVISIBLE AFTER `_changed_at_ms`, ALGORITHM=INSTANT"
        ),
        (
            f"  Things__tombstones: has no index _soft_version; ALTER TABLE {target.name('__tombstones')} "
            "ADD INDEX `_soft_version` (`_soft_version`), ALGORITHM=INPLACE, LOCK=NONE"
        ),
    ]


def test_a_table_made_for_mirror_says_which_key_an_event_log_needs(target):
    pipeline = msgspec.structs.replace(target.pipeline, mode="append")

    with pytest.raises(NotMigratedError) as failure:
        check_tables(target.connection, pipeline, server=target.server, database=target.database.name)

    (problem,) = str(failure.value).splitlines()[1:]
    assert problem == (
        f"  Things: has the primary key (id) instead of (id, _version); ALTER TABLE {target.name()} "
        "DROP PRIMARY KEY, ADD PRIMARY KEY (`id`, `_version`)"
    )
