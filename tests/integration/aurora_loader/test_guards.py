"""What the guards keep apart: a raised tombstone and its time, and duplicates that do not mean "already loaded"."""
# ruff: noqa: S608 - tests name their own tables

from loader_fixtures import a_delete, an_upsert

from aurora_loader.load import Outcome


def test_a_newer_delete_raises_the_tombstone_with_its_time(target):
    pipeline = target.pipeline
    target.load(a_delete(pipeline, 10, "a", changed_at_ms=1000), key="1.csv")
    target.query(f"UPDATE {target.name('__tombstones')} SET _deleted_at = '2001-01-01'")

    newer = target.load(a_delete(pipeline, 20, "a", changed_at_ms=2000), key="2.csv")

    assert newer == Outcome(rows=1, deleted=1, newest_changed_at_ms=2000)
    assert target.query(
        f"SELECT id, _version, _changed_at_ms, _deleted_at > '2001-01-01' FROM {target.name('__tombstones')}"
    ) == (("a", 20, 2000, 1),)


def test_a_duplicate_in_a_table_of_the_users_is_a_reject_and_no_sign_that_the_object_was_loaded(target):
    pipeline = target.pipeline
    audit = f"`{target.database.name}`.audit"
    target.query(f"CREATE TABLE {audit} (name varchar(40) PRIMARY KEY)")
    target.query(
        f"CREATE TRIGGER `{target.database.name}`.audited BEFORE INSERT ON {target.name()} FOR EACH ROW "
        f"INSERT INTO {audit} VALUES (NEW.name)"
    )

    outcome = target.load(an_upsert(pipeline, 1, "a", "same"), an_upsert(pipeline, 2, "b", "same"))

    assert outcome == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "same"),)
    assert target.rejects("line_number, error_code") == ((2, 1062),)
    assert target.ledger() == (("processed/things/a.csv", 2, 1, 0, 0, 1),)


def test_a_newer_upsert_changes_every_column_of_its_row(target):
    pipeline = target.pipeline
    target.load(an_upsert(pipeline, 10, "a", "old", changed_at_ms=1000), key="1.csv")

    newer = target.load(an_upsert(pipeline, 20, "a", "new", changed_at_ms=2000), key="2.csv")

    assert newer == Outcome(rows=1, applied=1, newest_changed_at_ms=2000)
    assert target.rows("id, name, _version, _changed_at_ms") == (("a", "new", 20, 2000),)


def test_a_newer_delete_takes_the_row_that_is_there_and_an_older_one_does_not(target):
    pipeline = target.pipeline
    target.load(an_upsert(pipeline, 10, "a", "x"), an_upsert(pipeline, 30, "b", "y"), key="1.csv")

    deletes = target.load(a_delete(pipeline, 20, "a"), a_delete(pipeline, 20, "b"), key="2.csv")

    assert deletes == Outcome(rows=2, deleted=2, newest_changed_at_ms=1000)
    assert target.rows() == (("b", "y"),)
