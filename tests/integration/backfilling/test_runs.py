"""What a backfill writes down in a database, and reads again."""
# ruff: noqa: S608 - tests name their own tables

import contextlib
from collections import Counter

import pytest
from loader_fixtures import a_pipeline, an_object, an_upsert

from ddb2aurora.errors import RetryError
from operator_cli.backfilling.errors import BackfillRunningError
from operator_cli.backfilling.runs import Runs
from operator_cli.backfilling.segments import InFlight, Run, Segment
from operator_cli.site import Database


class Opener:
    """Open connections to a target, as a site does."""

    def __init__(self, target):
        self._target = target
        self.opened = []

    @contextlib.contextmanager
    def __call__(self):
        connection, server = self._target.connect()
        self.opened.append(connection)
        try:
            yield Database(connection, server, self._target.database.name, self._target.tables)
        finally:
            if connection.open:
                connection.close()


@pytest.fixture
def opener(target):
    return Opener(target)


@pytest.fixture
def runs(target, opener):
    found = Runs(opener, target.pipeline)
    yield found
    found.close()


def a_run(run_id="r1", *, segments=3, source="scan"):
    return Run(run_id, source, "shape", tuple(Segment(number) for number in range(segments)))


def objects(target):
    return target.query(
        f"SELECT segment, object_key FROM `{target.database.name}`._ddb2aurora_backfill_objects ORDER BY object_key"
    )


def test_nothing_is_unfinished_before_there_was_a_run(runs):
    assert runs.newest_unfinished() is None


def test_a_run_that_was_begun_is_the_one_to_go_on_with(runs):
    run = a_run()

    runs.begin(run)

    assert runs.newest_unfinished() == run


def test_all_that_is_known_of_a_segment_is_read_again(runs):
    run = a_run(segments=1)
    runs.begin(run)
    far = Segment(0, {"id": {"S": "ü"}}, 12345, 7, 2, 1.5, Counter({"misfit": 3}), "written")

    runs.advance(run, far, None, at_ms=1)

    assert runs.newest_unfinished() == Run("r1", "scan", "shape", (far,))


def test_the_runs_of_another_pipeline_are_not_ours(opener, runs):
    runs.begin(a_run())
    runs.close()

    others = Runs(opener, a_pipeline(name="others", target_table="Others"))

    assert others.newest_unfinished() is None
    others.close()


@pytest.mark.parametrize("state", ["loaded", "abandoned"])
def test_a_run_that_has_ended_is_not_gone_on_with_and_nothing_of_it_is_in_flight(target, runs, state):
    run = a_run()
    runs.begin(run)
    runs.advance(run, Segment(0), an_object(), at_ms=1)

    runs.end(run, state)

    assert (runs.newest_unfinished(), objects(target)) == (None, ())


def test_an_object_is_in_flight_until_the_ledger_has_it(target, runs):
    run = a_run()
    runs.begin(run)
    row = an_upsert(target.pipeline, 0, "a", "x")
    loaded, waiting = target.put(row, key="processed/things/1.csv"), target.put(row, key="processed/things/2.csv")
    for number, ref in enumerate((loaded, waiting)):
        runs.advance(run, Segment(number), ref, at_ms=1)

    before = runs.settle(run)
    target.loader.load(loaded, time=target.time)
    after = runs.settle(run)

    assert (before.objects, before.arrived) == (2, 0)
    assert after == InFlight(1, {}, (waiting.url,), 1)
    assert objects(target) == ((1, waiting.key),)


def test_what_is_older_than_the_horizon_is_refused_unless_it_is_loaded_already(target, runs):
    run = a_run()
    runs.begin(run)
    row = an_upsert(target.pipeline, 0, "a", "x")
    refs = [target.put(row, key=f"processed/things/{number}.csv") for number in range(3)]
    for number, (ref, at_ms) in enumerate(zip(refs, (1, 1, 2000), strict=True)):
        runs.advance(run, Segment(number), ref, at_ms=at_ms)
    target.loader.load(refs[0], time=target.time)

    target.query(f"UPDATE `{target.database.name}`._ddb2aurora_horizons SET horizon_ms = 2000")

    assert runs.settle(run) == InFlight(2, {1: 1}, runs.settle(run).named, 1)


def test_a_segment_that_is_read_again_begins_anew_and_the_others_stay(target, runs):
    run = a_run()
    runs.begin(run)
    for number in range(3):
        far = Segment(number, items=5, objects=1, state="written")
        run.segments = tuple(far if segment.number == number else segment for segment in run.segments)
        runs.advance(run, far, an_object(f"processed/things/{number}.csv"), at_ms=1)

    runs.read_again(run, [1])

    assert [(segment.items, segment.state) for segment in run.segments] == [
        (5, "written"),
        (0, "reading"),
        (5, "written"),
    ]
    assert runs.newest_unfinished() == run
    assert [number for number, _ in objects(target)] == [0, 2]


def test_many_objects_are_asked_for_some_at_a_time(runs):
    run = a_run(segments=1)
    runs.begin(run)
    for number in range(1203):
        runs.advance(run, Segment(0), an_object(f"processed/things/{number}.csv"), at_ms=1)

    found = runs.settle(run)

    assert (found.objects, len(found.named)) == (1203, 1000)


def test_a_checkpoint_whose_answer_was_lost_can_be_written_again(target, runs):
    run = a_run()
    runs.begin(run)

    for _ in range(2):
        runs.advance(run, Segment(0, items=3), an_object(), at_ms=1)

    assert len(objects(target)) == 1


def test_a_checkpoint_and_its_object_are_noted_together_or_not_at_all(target, runs):
    run = a_run()
    runs.begin(run)
    target.query(f"ALTER TABLE `{target.database.name}`._ddb2aurora_backfills ADD CONSTRAINT few CHECK (items < 5)")

    with pytest.raises(Exception, match="a checkpoint failed"):
        runs.advance(run, Segment(0, items=5), an_object(), at_ms=1)

    assert objects(target) == ()


def test_a_connection_that_was_lost_is_opened_again(target, opener, runs):
    run = a_run()
    runs.begin(run)
    target.query(f"KILL {opener.opened[0].thread_id()}")

    with pytest.raises(RetryError):
        runs.settle(run)

    assert runs.settle(run).objects == 0
    assert len(opener.opened) == 2


def test_only_one_at_a_time_backfills_a_target(target, opener, runs):
    runs.begin(a_run())
    other = Runs(opener, target.pipeline, lock_wait_seconds=0)

    with pytest.raises(BackfillRunningError):
        other.newest_unfinished()
    runs.close()

    assert other.newest_unfinished() is not None
    other.close()


def test_an_event_log_has_no_horizon(make_target):
    target = make_target(a_pipeline(mode="append"))
    runs = Runs(Opener(target), target.pipeline)
    run = a_run()
    runs.begin(run)

    runs.advance(run, Segment(0), an_object(), at_ms=1)

    assert (runs.horizon_ms(), runs.settle(run).refused) == (0, {})
    runs.close()
