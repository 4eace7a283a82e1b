"""One object into the target: what arrives, what is counted, and what a repetition does."""
# ruff: noqa: S608 - tests name their own tables

import pytest
from loader_fixtures import a_delete, an_upsert

from aurora_loader.belonging import OtherPipelineError
from aurora_loader.load import Outcome


def test_an_object_is_loaded_and_counted(target):
    pipeline = target.pipeline

    outcome = target.load(an_upsert(pipeline, 1, "a", "x"), an_upsert(pipeline, 2, "b", None, changed_at_ms=5000))

    assert outcome == Outcome(rows=2, applied=2, newest_changed_at_ms=5000)
    assert target.rows() == (("a", "x"), ("b", None))
    assert target.rows("id, _version, _changed_at_ms") == (("a", 1, 1000), ("b", 2, 5000))
    assert target.ledger() == (("processed/things/a.csv", 2, 2, 0, 0, 0),)


def test_an_object_that_was_loaded_is_not_loaded_again(target):
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"))
    target.loader.load(ref, time=target.time)
    target.query(f"TRUNCATE {target.name()}")

    again = target.loader.load(ref, time=target.time)

    assert again == Outcome(repeated=True)
    assert target.rows() == ()
    assert target.ledger() == (("processed/things/a.csv", 1, 1, 0, 0, 0),)


def test_the_same_rows_under_another_name_are_stale(target):
    rows = (an_upsert(target.pipeline, 1, "a", "x"), a_delete(target.pipeline, 2, "b"))
    target.load(*rows, key="first.csv")

    outcome = target.load(*rows, key="second.csv")

    assert outcome == Outcome(rows=2, stale=2, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "x"),)


def test_an_empty_object_is_loaded_with_zeros(target):
    outcome = target.load()

    assert outcome == Outcome()
    assert target.ledger() == (("processed/things/a.csv", 0, 0, 0, 0, 0),)


def test_a_last_line_without_its_newline_is_loaded(target):
    outcome = target.load(b"".join([target.pipeline.shape.encode(), b",U,1,1000,a,x"]))

    assert outcome == Outcome(rows=1, applied=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "x"),)


def test_a_late_update_loses_to_a_delete_and_a_recreation_wins(target):
    pipeline = target.pipeline

    late = target.load(a_delete(pipeline, 30, "a"), an_upsert(pipeline, 20, "a", "late"), key="1.csv")
    rows_after_delete = target.rows()
    recreated = target.load(an_upsert(pipeline, 40, "a", "new"), key="2.csv")

    assert late == Outcome(rows=2, deleted=1, stale=1, newest_changed_at_ms=1000)
    assert rows_after_delete == ()
    assert recreated == Outcome(rows=1, applied=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "new"),)


def test_versions_of_one_key_in_one_object_may_stand_in_any_order(target):
    pipeline = target.pipeline

    outcome = target.load(
        an_upsert(pipeline, 2, "a", "newest"),
        an_upsert(pipeline, 1, "a", "oldest"),
        an_upsert(pipeline, 1, "b", "1"),
        an_upsert(pipeline, 3, "b", "3"),
        a_delete(pipeline, 2, "b"),
    )

    assert target.rows() == (("a", "newest"), ("b", "3"))
    assert outcome == Outcome(rows=5, applied=2, deleted=1, stale=2, newest_changed_at_ms=1000)


def test_a_backfilled_row_loses_to_any_change(target):
    pipeline = target.pipeline
    target.load(an_upsert(pipeline, 1, "a", "change"), key="1.csv")

    outcome = target.load(an_upsert(pipeline, 0, "a", "backfill"), an_upsert(pipeline, 0, "b", "backfill"), key="2.csv")

    assert outcome == Outcome(rows=2, applied=1, stale=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "change"), ("b", "backfill"))


def test_an_older_delete_does_not_lower_the_tombstone(target):
    pipeline = target.pipeline
    target.load(a_delete(pipeline, 30, "a", changed_at_ms=3000), key="1.csv")

    older = target.load(a_delete(pipeline, 20, "a", changed_at_ms=2000), key="2.csv")
    between = target.load(an_upsert(pipeline, 25, "a", "dead"), key="3.csv")

    assert (older.stale, between.stale) == (1, 1)
    assert target.rows() == ()
    assert target.query(f"SELECT id, _version, _changed_at_ms FROM {target.name('__tombstones')}") == (("a", 30, 3000),)


def test_of_two_changes_of_one_version_the_first_stays(target):
    pipeline = target.pipeline
    target.load(an_upsert(pipeline, 0, "a", "backfilled"), key="1.csv")

    again = target.load(an_upsert(pipeline, 0, "a", "backfilled again", changed_at_ms=9), key="2.csv")

    assert again == Outcome(rows=1, stale=1, newest_changed_at_ms=9)
    assert target.rows("id, name, _changed_at_ms") == (("a", "backfilled", 1000),)


def test_an_object_of_another_pipeline_is_refused_although_its_rows_are_of_the_same_shape(target):
    row = an_upsert(target.pipeline, 1, "a", "x")

    with pytest.raises(OtherPipelineError) as refused:
        target.load(row, key="processed/twins/things/a.csv")

    assert str(refused.value) == (
        "s3://bucket/processed/twins/things/a.csv is of the pipeline twins, and this loader loads those of things; "
        "mend the prefix of the bucket's notification, or AURORA_LOADER_FUNCTION where a command asked for it"
    )
    assert (target.rows(), target.ledger()) == ((), ())


@pytest.mark.parametrize("key", ["processed/things/renamed_since/a.csv", "processed/a.csv", "twins/things/a.csv"])
def test_an_object_is_loaded_that_bears_no_other_pipeline_in_its_place(target, key):
    target.load(an_upsert(target.pipeline, 1, "a", "x"), key=key)

    assert target.rows() == (("a", "x"),)
