"""Heartbeats among the rows of an object: into their own table, and nowhere else."""

import threading

import pytest
from loader_fixtures import a_column, a_delete, a_pipeline, an_upsert

from aurora_loader.heartbeats import Landed
from aurora_loader.outcome import Outcome
from ddb2aurora.heartbeat import Heartbeat, heartbeat_row

SENT_AT_MS = 1_767_700_000_000


@pytest.fixture(params=["mirror", "soft_delete", "append"])
def any_target(request, make_target):
    return make_target(a_pipeline(mode=request.param))


def a_beat(pipeline, number=1, *, sent_at_ms=SENT_AT_MS, streamed_at_ms=None):
    return heartbeat_row(Heartbeat(number, sent_at_ms), pipeline=pipeline, streamed_at_ms=streamed_at_ms)


def landed(target, columns="pipeline, version, sent_at_ms, streamed_at_ms"):
    return target.query(f"SELECT {columns} FROM `{target.database.name}`._ddb2aurora_heartbeat ORDER BY version")  # noqa: S608


def test_a_heartbeat_lands_in_its_own_table_with_its_times_and_touches_nothing_else(any_target):
    target = any_target
    pipeline = target.pipeline

    outcome = target.load(
        an_upsert(pipeline, 5, "a", "n"),
        a_beat(pipeline, 1),
        a_beat(pipeline, 2**127, sent_at_ms=SENT_AT_MS + 1, streamed_at_ms=SENT_AT_MS + 900),
    )

    assert outcome == Outcome(
        rows=1, applied=1, newest_changed_at_ms=1000, landed=Landed(2, newest_sent_at_ms=SENT_AT_MS + 1)
    )
    assert landed(target) == (
        ("things", SENT_AT_MS * 10**40 + 1, SENT_AT_MS, None),
        ("things", (SENT_AT_MS + 1) * 10**40 + 2**127, SENT_AT_MS + 1, SENT_AT_MS + 900),
    )
    assert target.rows() == (("a", "n"),)
    assert target.ledger() == (("processed/things/a.csv", 1, 1, 0, 0, 0),)


def test_its_lag_is_the_time_from_sending_to_loading(target):
    target.load(a_beat(target.pipeline))

    [(lag_ms, age_ms)] = landed(
        target, "lag_ms, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', loaded_at) DIV 1000 - sent_at_ms"
    )
    assert abs(lag_ms - age_ms) <= 1


def test_one_that_comes_from_the_future_has_no_negative_lag(target):
    target.load(a_beat(target.pipeline, sent_at_ms=9_999_999_999_999))

    assert landed(target, "lag_ms") == ((0,),)


def test_an_object_of_nothing_but_heartbeats_is_loaded_and_has_no_rows(any_target):
    outcome = any_target.load(a_beat(any_target.pipeline))

    assert outcome == Outcome(landed=Landed(1, SENT_AT_MS))
    assert any_target.ledger("rows_in_file, newest_changed_at_ms") == ((0, None),)
    assert any_target.rows() == ()


def test_a_heartbeat_that_comes_again_keeps_the_time_of_its_first_landing(target):
    target.load(a_beat(target.pipeline), key="1.csv")
    first = landed(target, "loaded_at")

    target.load(a_beat(target.pipeline), a_beat(target.pipeline), key="2.csv")

    assert landed(target, "loaded_at") == first


def test_a_heartbeat_lands_beside_rows_that_are_refused_and_is_no_share_of_them(target):
    pipeline = target.pipeline

    outcome = target.load(
        a_beat(pipeline),
        an_upsert(pipeline, 1, "a", "x" * 41),
        b"no row\n",
        an_upsert(pipeline, 2, "b", "n"),
        an_upsert(pipeline, 3, "c", "n"),
        a_beat(pipeline, 2),
    )

    assert outcome == Outcome(rows=4, applied=2, rejected=2, newest_changed_at_ms=1000, landed=Landed(2, SENT_AT_MS))
    assert [row[0] for row in target.rows()] == ["b", "c"]
    assert len(landed(target)) == 2


def test_an_old_heartbeat_is_no_change_from_beyond_the_horizon(target):
    target.query(f"UPDATE `{target.database.name}`._ddb2aurora_horizons SET horizon_ms = %s", 2 * SENT_AT_MS)  # noqa: S608

    outcome = target.load(a_beat(target.pipeline, streamed_at_ms=1))

    assert outcome.landed == Landed(1, SENT_AT_MS)


def test_the_key_that_stands_in_a_heartbeat_s_row_is_that_of_no_row(make_target):
    target = make_target(a_pipeline(a_column("id", "bigint"), a_column("name", "varchar(9)")))
    pipeline = target.pipeline
    target.load(an_upsert(pipeline, 2, "0", "n"), key="1.csv")
    target.load(a_delete(pipeline, 1, "0"), key="2.csv")

    target.load(a_beat(pipeline), key="3.csv")

    assert target.rows() == ((0, "n"),)
    assert target.query(f"SELECT _version FROM {target.name('__tombstones')}") == ((1,),)  # noqa: S608


def test_loaders_that_meet_at_a_heartbeat_both_load_their_objects(make_target):
    target = make_target()
    pipeline = target.pipeline
    refs = [target.put(an_upsert(pipeline, n, f"{n}", "n"), a_beat(pipeline), key=f"{n}.csv") for n in range(1, 7)]
    loaders = [target.make_loader() for _ in refs]
    threads = [
        threading.Thread(target=loader.load, args=(ref,), kwargs={"time": target.time})
        for loader, ref in zip(loaders, refs, strict=True)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(target.rows()) == 6
    assert len(landed(target)) == 1


def test_what_is_rolled_back_lands_no_heartbeat(target):
    bad = [an_upsert(target.pipeline, n, f"{n}", "x" * 41) for n in range(4)]

    with pytest.raises(Exception, match="are refused"):
        target.load(a_beat(target.pipeline), *bad)

    assert landed(target) == ()
