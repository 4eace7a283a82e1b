"""`ddb2aurora rebuild`: the table that comes out of the backup is the one that the loader would have made."""
# ruff: noqa: S608 - tests name their own tables

import gzip
from datetime import UTC, datetime

import pytest
from builders import CHANGED_AT_MS, a_change, a_column
from rebuild_fixtures import SECOND_MS, some_changes

from ddb2aurora.envelope import encode_change
from ddb2aurora.failed import FailedRecord, encode_failed
from ddb2aurora.heartbeat import Heartbeat, heartbeat_change

FINE, FAILURES, USAGE = 0, 1, 2
MODES = [
    pytest.param({"mode": "mirror"}, id="mirror"),
    pytest.param({"mode": "soft_delete"}, id="soft_delete"),
    pytest.param({"mode": "append"}, id="append"),
    pytest.param({"on_ttl_delete": "keep"}, id="mirror-keep"),
    pytest.param({"on_ttl_delete": "soft_delete"}, id="mirror-stamp"),
]


def in_objects(changes, size=7):
    return [changes[start : start + size] for start in range(0, len(changes), size)]


def a_failed_object(change):
    return encode_failed(
        FailedRecord(
            attempts_made=1,
            arrival_timestamp=CHANGED_AT_MS,
            error_code="oversized",
            error_message="",
            attempt_ending_timestamp=CHANGED_AT_MS,
            raw_data=encode_change(change),
        )
    )


@pytest.mark.parametrize("parts", MODES)
def test_the_new_table_is_what_the_model_says_of_the_backup_and_takes_the_place_of_the_target(make_history, parts):
    history = make_history(**parts)
    changes = some_changes(90)
    for some in in_objects(changes):
        history.backup(*some)
    history.load(*changes[:40])

    status, told = history.run()

    assert (status, told["outcome"]) == (FINE, "switched"), told
    assert history.found() == history.expected(changes)
    assert history.found(told["old_table"]) == history.expected(changes[:40])


@pytest.mark.parametrize("parts", MODES)
def test_changes_that_come_after_the_switch_find_all_that_the_backup_knew_of_deletes(make_history, parts):
    history = make_history(**parts)
    changes = some_changes(200)
    early, late = changes[::2], changes[1::2]
    history.backup(*early)
    history.run()

    history.load(*late)

    assert history.found() == history.expected(changes)


def test_the_order_in_the_backup_and_repetitions_do_not_matter(history):
    changes = some_changes(60)
    for some in in_objects([*reversed(changes), *changes]):
        history.backup(*some)

    history.run("--concurrency", "8")

    assert history.found() == history.expected(changes)


def test_packed_records_and_heartbeats_are_read_as_what_they_are(history):
    changes = some_changes(30)
    beat = heartbeat_change(Heartbeat(7, CHANGED_AT_MS), pipeline=history.pipeline)
    history.backup(b"".join(map(encode_change, changes[:20])), beat, b"".join(map(encode_change, changes[20:])))

    status, told = history.run()

    assert status == FINE
    assert (told["found"]["rows"], told["found"]["heartbeats"]) == (30, 1)
    assert history.found() == history.expected(changes)


def test_a_backup_that_is_not_compressed_is_read_as_it_is(history):
    changes = some_changes(10)
    history.backup(raw=b"".join(map(encode_change, changes)))

    history.run()

    assert history.found() == history.expected(changes)


def test_changes_too_large_for_firehose_are_taken_from_where_they_were_kept(history):
    kept, replayed = (a_change(item={"id": name, "n": 1, "note": "x" * 2000}) for name in ("kept", "replayed"))
    for prefix, change in (("", kept), ("replayed/", replayed)):
        key = f"{prefix}failed/{history.pipeline.name}/oversized/2026/01/05/10/{change.keys['id']['S']}.json"
        history.s3.put_object(Bucket=history.world.bucket, Key=key, Body=a_failed_object(change))

    history.run()

    assert history.found() == history.expected([kept, replayed])


def test_what_today_s_mapping_rejects_is_counted_with_its_reason_and_the_row_keeps_its_last_good_state(history):
    good = a_change(item={"id": "a", "n": 1, "note": "good"}, sequence_number=1)
    bad = a_change(kind="MODIFY", item={"id": "a", "n": "no number", "note": "bad"}, sequence_number=2)
    key = history.backup(good, bad)

    status, told = history.run()

    assert (status, told["outcome"]) == (FAILURES, "switched")
    assert told["found"]["reasons"] == {"misfit": 1}
    assert [sample["where"] for sample in told["found"]["samples"]] == [f"s3://{history.world.bucket}/{key}"]
    assert "no number" not in str(told)
    assert history.found() == history.expected([good])


def test_a_row_that_the_database_refuses_is_counted_and_costs_no_other_its_place(make_history):
    history = make_history()
    history.target.query(f"ALTER TABLE {history.target.name()} ADD CONSTRAINT small CHECK (n < 1000)")
    changes = some_changes(20)
    large = a_change(item={"id": "large", "n": 1000, "note": ""}, sequence_number=5)
    history.backup(*changes[:10], large, *changes[10:])

    status, told = history.run()

    assert (status, told["found"]["reasons"]) == (FAILURES, {"database: check_constraint": 1})
    assert history.found() == history.expected(changes)


def test_garbage_in_an_object_is_told_and_costs_no_change_its_place(history):
    before, glued, after = (a_change(item={"id": name, "n": 1, "note": ""}) for name in ("a", "b", "c"))
    history.backup(before, b"what is this?\n", b"\xff\xfe{", glued, b'{"v":9}\n', b"\n\n", after)

    status, told = history.run()

    assert (status, told["outcome"]) == (FAILURES, "switched")
    assert told["found"]["reasons"] == {"undecodable": 1, "garbage_before_a_change": 1, "unknown_format": 1}
    assert history.found(told["table"]) == history.expected([before, glued, after])


def test_an_object_that_breaks_off_is_told_its_beginning_is_used_and_nothing_is_switched(history):
    changes = some_changes(400)
    history.backup(*changes[:200])
    whole = gzip.compress(b"".join(map(encode_change, changes[200:])), 1)
    history.backup(raw=whole[: len(whole) // 2])
    history.backup(raw=b"\x1f\x8b, but no gzip")

    status, told = history.run()

    assert (status, told["outcome"], told["found"]["damaged"]) == (FAILURES, "held_back", 2)
    assert 200 < told["found"]["rows"] < 400
    assert history.found() == {}


def test_to_a_point_in_time_it_is_what_the_model_says_of_that_time_and_stays_beside_the_target(history):
    changes = some_changes(90)
    history.both(*changes)
    until_ms = CHANGED_AT_MS + 45 * SECOND_MS
    until = datetime.fromtimestamp(until_ms / 1000, UTC).isoformat()

    status, told = history.run("--until", until)

    then = [change for change in changes if change.changed_at_ms <= until_ms]
    assert (status, told["outcome"], told["found"]["later"]) == (FINE, "left", 45)
    assert history.found(told["table"]) == history.expected(then)
    assert history.found() == history.expected(changes)
    assert told["rows"] == len(history.expected(then))


def test_a_table_at_a_point_in_time_takes_the_place_of_the_target_only_when_asked_to(history):
    changes = some_changes(30)
    history.both(*changes)
    until = datetime.fromtimestamp(CHANGED_AT_MS / 1000 + 10, UTC).isoformat()
    _, beside = history.run("--until", until)

    status, told = history.run("--until", until, "--swap")

    then = [change for change in changes if change.changed_at_ms <= CHANGED_AT_MS + 10 * SECOND_MS]
    assert (status, told["outcome"]) == (FINE, "switched")
    assert history.found() == history.expected(then)
    assert beside["table"] not in history.tables()


def test_a_dry_run_counts_and_writes_nothing(history):
    changes = some_changes(30)
    history.backup(*changes)
    before = history.tables()

    status, told = history.run("--dry-run")

    assert (status, told["outcome"], told["found"]["rows"]) == (FINE, "counted", 30)
    assert history.tables() == before


def test_a_column_that_was_added_is_filled_for_all_of_history(history):
    changes = some_changes(40)
    history.both(*changes)
    pipeline = history.change_file(columns=(*history.pipeline.columns, a_column("again", "bigint", source="n")))
    assert history.world.run("migrate").returncode == FINE

    status, told = history.run("--patience", "1s")

    assert (status, told["outcome"]) == (FINE, "switched"), told
    assert history.found(pipeline=pipeline) == history.expected(changes, pipeline=pipeline)


def test_a_type_that_no_server_converts_is_that_of_the_file_afterwards(history):
    changes = some_changes(40)
    history.both(*changes)
    key, _, note = history.pipeline.columns
    pipeline = history.change_file(columns=(key, a_column("n", "varchar(20)"), note))
    assert history.world.run("migrate").returncode == FAILURES

    status, told = history.run("--patience", "1s")
    migrated = history.world.run("migrate")

    assert (status, told["outcome"]) == (FINE, "switched"), told
    assert history.found(pipeline=pipeline) == history.expected(changes, pipeline=pipeline)
    assert migrated.returncode == FINE, migrated.stderr


def test_the_old_table_stays_until_it_is_to_be_dropped(history):
    history.both(*some_changes(10))
    _, kept = history.run()
    history.run("--drop-old")

    there = history.tables()

    assert {kept["old_table"], kept["old_table"] + "_t"} <= there
    assert len([name for name in there if "__old_" in name]) == 2


def test_indexes_of_ones_own_are_on_the_new_table(history):
    history.both(*some_changes(10))
    history.target.query(f"ALTER TABLE {history.target.name()} ADD KEY by_n (n), ADD mine int DEFAULT 7")

    history.run()

    indexes = {row[2] for row in history.target.query(f"SHOW INDEX FROM {history.target.name()}")}
    assert indexes == {"PRIMARY", "by_n"}
    assert set(history.target.query(f"SELECT mine FROM {history.target.name()}")) == {(7,)}


def test_a_trigger_that_would_go_with_the_old_table_holds_the_switch_back(history):
    history.both(*some_changes(10))
    history.target.query(
        f"CREATE TRIGGER `{history.target.database.name}`.watch BEFORE INSERT ON {history.target.name()} "
        "FOR EACH ROW SET NEW.note = NEW.note"
    )

    status, told = history.run()

    assert (status, told["outcome"], told["left_behind"]) == (FAILURES, "held_back", ["trigger watch"])


def test_a_backup_that_lacks_many_rows_of_the_target_holds_the_switch_back_and_swap_overrides(history):
    known, unknown = some_changes(20), some_changes(20, key="unknown", seed=2)
    history.both(*known)
    history.load(*unknown)
    # As if it had been loaded long ago, before what the bucket remembers.
    history.target.query(
        f"UPDATE `{history.target.database.name}`._ddb2aurora_loads SET loaded_at = loaded_at - INTERVAL 99 DAY "
        "ORDER BY loaded_at DESC LIMIT 1"
    )

    held = history.run()
    there = history.found()
    forced = history.run("--swap")

    assert (held[0], held[1]["outcome"], held[1]["lacking"]) == (FAILURES, "held_back", len(history.expected(unknown)))
    assert there == history.expected([*known, *unknown])
    assert (forced[0], forced[1]["outcome"]) == (FINE, "switched")
    assert history.found() == history.expected(known)


def test_without_tables_it_says_what_to_run_first(history):
    history.target.query(f"DROP TABLE {history.target.name()}")

    ran = history.world.run("rebuild")

    assert ran.returncode == USAGE
    assert "ddb2aurora migrate" in ran.stderr


def test_a_point_in_time_that_is_none_is_a_mistake(history):
    ran = history.world.run("rebuild", "--until", "yesterday")

    assert ran.returncode == USAGE
    assert "2026-11-24T10:30:00Z" in ran.stderr
