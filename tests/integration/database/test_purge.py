"""Old deletes are forgotten, and what they might have beaten is refused from then on."""
# ruff: noqa: S608 - tests name their own tables

import threading

import pytest
from loader_fixtures import a_delete, a_pipeline, a_soft_delete, an_upsert

from aurora_loader.outcome import Outcome
from aurora_loader.staging import BeyondHorizonError
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.errors import DatabaseRetryError
from ddb2aurora.database.horizon import HorizonMissingError, raise_horizon
from ddb2aurora.database.purge import SLACK_MS, NothingToPurgeError, purge
from ddb2aurora.database.schema import tables_of

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def now_ms(target):
    ((now,),) = target.query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
    return int(now)


def purge_of(target, older_than_ms=DAY_MS, connection=None):
    return purge(
        connection or target.connection,
        target.pipeline,
        server=target.server,
        database=target.database.name,
        older_than_ms=older_than_ms,
    )


def grow_old(target, *, days=30):
    """Make the tombstones look as if they had been loaded long ago."""
    target.query(f"UPDATE {target.name('__tombstones')} SET _deleted_at = _deleted_at - INTERVAL {days} DAY")


def tombstones(target):
    return [key for (key,) in target.query(f"SELECT id FROM {target.name('__tombstones')} ORDER BY id")]


def test_deletes_of_the_age_are_forgotten_and_younger_ones_are_not(target, now_ms):
    pipeline = target.pipeline
    target.load(
        a_delete(pipeline, 1, "old", changed_at_ms=now_ms - 3 * DAY_MS),
        a_delete(pipeline, 1, "without a time", changed_at_ms=None),
        a_soft_delete(pipeline, 1, "old and soft", changed_at_ms=now_ms - 3 * DAY_MS),
        a_delete(pipeline, 1, "of the future", changed_at_ms=now_ms + DAY_MS),
        a_delete(pipeline, 1, "of the last minute", changed_at_ms=now_ms - DAY_MS - SLACK_MS // 2),
        key="1.csv",
    )
    grow_old(target)
    target.load(a_delete(pipeline, 1, "loaded now", changed_at_ms=now_ms - 3 * DAY_MS), key="2.csv")

    purged = purge_of(target)

    assert purged.tombstones == 3
    assert 0 <= purged.horizon_ms - (now_ms - DAY_MS) < HOUR_MS
    assert tombstones(target) == ["loaded now", "of the future", "of the last minute"]


def test_many_deletes_go_in_batches(target):
    target.load(*(a_delete(target.pipeline, 1, f"k{number}") for number in range(2500)))
    grow_old(target)

    purged = purge_of(target)

    assert purged.tombstones == 2500
    assert tombstones(target) == []


def test_an_object_older_than_the_horizon_is_refused_and_leaves_nothing(target, now_ms):
    pipeline = target.pipeline
    target.load(a_delete(pipeline, 20, "a", changed_at_ms=now_ms - 3 * DAY_MS), key="1.csv")
    grow_old(target)
    horizon = purge_of(target).horizon_ms

    with pytest.raises(BeyondHorizonError) as failure:
        target.load(
            an_upsert(pipeline, 30, "b", "young", changed_at_ms=now_ms),
            an_upsert(pipeline, 10, "a", "dead", changed_at_ms=horizon - 1),
            key="2.csv",
        )

    assert "it could bring deleted rows back, so nothing of it was loaded" in str(failure.value)
    assert target.rows() == ()
    assert target.ledger("object_key") == (("1.csv",),)


def test_an_object_on_the_horizon_is_loaded(target):
    horizon = purge_of(target).horizon_ms

    outcome = target.load(an_upsert(target.pipeline, 1, "a", "x", changed_at_ms=horizon))

    assert outcome == Outcome(rows=1, applied=1, newest_changed_at_ms=horizon)


@pytest.mark.parametrize("slow", [False, True], ids=["fast path", "slow path"])
@pytest.mark.parametrize(
    ("version", "hours_after_the_horizon", "loads"),
    [
        pytest.param(0, None, False, id="backfilled, and nobody says when"),
        pytest.param(0, -1, False, id="backfilled before the horizon"),
        pytest.param(0, 1, True, id="backfilled after it"),
        pytest.param("before", None, False, id="without a time, of a stream begun before it"),
        pytest.param("after", None, True, id="without a time, of a stream begun after it"),
    ],
)
def test_rows_that_do_not_say_their_age(target, slow, version, hours_after_the_horizon, loads):
    horizon = purge_of(target).horizon_ms
    epochs = {"before": horizon - 1, "after": horizon}
    row = an_upsert(
        target.pipeline,
        epochs[version] * 10**40 + 1 if version else 0,
        "a",
        "x",
        changed_at_ms=hours_after_the_horizon and horizon + hours_after_the_horizon * HOUR_MS,
    )
    try:
        target.load(row, *([b"malformed\n"] if slow else []))
        loaded = True
    except BeyondHorizonError:
        loaded = False

    assert loaded == loads
    assert target.rows("id") == ((("a",),) if loads else ())


def test_a_repetition_of_what_was_loaded_is_no_error_however_old(target):
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"))
    target.loader.load(ref, time=target.time)
    purge_of(target)

    assert target.loader.load(ref, time=target.time) == Outcome(repeated=True)


def test_the_horizon_is_never_lowered(target):
    first = purge_of(target, older_than_ms=HOUR_MS)

    second = purge_of(target, older_than_ms=DAY_MS)

    assert second.horizon_ms == first.horizon_ms


def test_an_event_log_has_nothing_to_forget(make_target):
    target = make_target(a_pipeline(mode="append"))

    with pytest.raises(NothingToPurgeError):
        purge_of(target)


def test_a_target_that_nothing_is_noted_of_halts_the_loader(target):
    target.query(f"DELETE FROM `{target.database.name}`._ddb2aurora_horizons")

    with pytest.raises(HorizonMissingError) as failure:
        target.load(an_upsert(target.pipeline, 1, "a", "x"))

    assert str(failure.value) == "_ddb2aurora_horizons does not know the table Things; run ddb2aurora migrate"
    assert target.ledger() == ()


def test_purge_waits_for_a_loader_that_read_the_lower_horizon(target):
    """Its horizon is the lower one, so the tombstone that beats its row has to outlast its transaction."""
    pipeline = target.pipeline
    target.load(a_delete(pipeline, 20, "a"), key="1.csv")
    grow_old(target)
    ref = target.put(an_upsert(pipeline, 10, "a", "dead"), key="2.csv")
    seen = {}

    def while_loading():
        with pytest.raises(DatabaseRetryError):
            purge_of(target)
        seen.update(tombstones=tombstones(target))

    # The lock is waited for in vain, as the loader waits for us.
    target.source.before = while_loading
    target.query("SET SESSION innodb_lock_wait_timeout = 1")
    target.connection.__class__ = Impatient

    outcome = target.loader.load(ref, time=target.time)
    after = purge_of(target)

    assert seen == {"tombstones": ["a"]}
    assert (outcome.stale, after.tombstones) == (1, 1)
    assert target.rows() == ()


class Impatient(DatabaseConnection):
    """A connection whose patience the test has set."""

    def run(self, statement, arguments=()):
        return super().run("DO 0" if "innodb_lock_wait_timeout" in statement else statement, arguments)


def test_a_loader_that_comes_while_the_horizon_is_raised_waits_and_reads_the_higher_one(target, now_ms):
    tables = tables_of(target.pipeline, database=target.database.name, key_collation=target.server.key_collation)
    other, _ = target.connect()
    other.run("START TRANSACTION")
    raise_horizon(other, tables, horizon_ms=now_ms)
    errors = []

    def load():
        try:
            target.load(an_upsert(target.pipeline, 10, "a", "dead", changed_at_ms=now_ms - 1))
        except BeyondHorizonError as error:
            errors.append(error)

    loader = threading.Thread(target=load)
    loader.start()
    while not target.query("SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"):
        assert loader.is_alive(), errors
        threading.Event().wait(0.15)
    other.run("COMMIT")
    loader.join(timeout=10)

    assert len(errors) == 1
    assert target.rows() == ()
