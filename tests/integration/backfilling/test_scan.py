"""`ddb2aurora backfill` by Scan, as a user runs it."""

import json
import os
import signal

import msgspec
import pytest
from backfill_fixtures import Loading, some_things
from loader_fixtures import a_column, a_delete, a_pipeline, an_upsert

from ddb2aurora.pipeline import KeyPart
from operator_cli.backfilling.runs import BACKFILL
from operator_cli.named_locks import alone

pytestmark = pytest.mark.long

_ITEMS = [{"id": f"thing {number:02}", "no": number, "name": f"name {number}"} for number in range(20)]
_ROWS = tuple((item["id"], item["no"], item["name"], 0) for item in _ITEMS)


def a_large_table(world, count=24):
    """Fill the table with items of a quarter of a megabyte, so that a page of a Scan holds four of them."""
    world.put(*({"id": f"{number:02}", "no": number, "name": "x" * 250_000} for number in range(count)))


def test_every_item_becomes_a_row_of_version_0(world):
    world.put(*_ITEMS)

    status, output = world.backfill()

    assert (status, output["complete"], output["items"], output["rows"]) == (0, True, 20, 20)
    assert world.target.rows("id, no, name, _version") == _ROWS


def test_the_rows_have_a_time_from_before_they_were_read(world):
    ((before_ms,),) = world.query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
    world.put(*_ITEMS[:1])

    world.backfill()

    ((after_ms,),) = world.query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
    ((changed_at_ms,),) = world.target.rows("_changed_at_ms")
    assert before_ms <= changed_at_ms <= after_ms


def test_a_change_that_was_loaded_before_is_not_overwritten(world):
    world.put(*_ITEMS[:1])
    world.target.load(an_upsert(world.pipeline, 1, "thing 00", "0", "newer"))

    world.backfill()

    assert world.target.rows("name, _version") == (("newer", 1),)


def test_a_delete_that_was_loaded_between_reading_and_loading_is_not_undone(world):
    world.put(*_ITEMS[:2])
    world.written()
    world.target.load(a_delete(world.pipeline, 1, "thing 00"))

    world.bucket.load_all()

    assert world.target.rows("id") == (("thing 01",),)


def test_items_that_do_not_map_are_kept_with_their_reason_and_the_status_is_1(world):
    world.put(*_ITEMS, {"id": "wide", "no": 70_000}, {"id": "i" * 41, "no": 1}, {"id": "text", "no": "x"})

    status, output = world.backfill()

    assert (status, output["complete"], output["rows"], output["reasons"]) == (1, True, 20, {"misfit": 3})
    assert all("/backfill/" in key for key in world.bucket.keys("failed/"))


def test_what_was_kept_is_redriven_once_the_pipeline_takes_it_and_loses_to_any_change(world):
    world.put({"id": "wide", "no": 70_000}, {"id": "changed", "no": 70_001})
    world.backfill()
    wider = a_pipeline(
        a_column("id", "varchar(40)"),
        a_column("no", "int"),
        a_column("name", "mediumtext"),
        source_table=world.table,
        target_database=world.target.database.name,
    )
    world.compile(wider)
    assert world.run("migrate", "--allow-copy").returncode == 0
    world.target.query(
        f"INSERT INTO {world.target.name()} (id, no, name, _version) VALUES ('changed', 1, 'newer', 1)"  # noqa: S608
    )

    ran = world.run("redrive", "--from", "records", "--json")
    world.bucket.load_all(wider)

    assert (ran.returncode, world.bucket.keys("failed/")) == (0, [])
    assert world.target.rows("id, no, _version") == (("changed", 1, 1), ("wide", 70_000, 0))


def test_one_table_is_read_by_many_segments_and_each_item_once(world):
    world.put(*_ITEMS)

    status, output = world.backfill("--segments", "7", "--threads", "3")

    assert (status, output["segments"], output["items"]) == (0, 7, 20)
    assert sum(items for _, items, *_ in world.checkpoints()) == 20
    assert world.target.rows("id, no, name, _version") == _ROWS


def test_an_empty_table_is_backfilled_at_once(world):
    status, output = world.backfill()

    assert (status, output["complete"], output["items"], output["objects"]) == (0, True, 0, 0)


def test_the_item_that_is_kept_for_heartbeats_is_no_row(make_backfill_world):
    world = make_backfill_world(some_things(heartbeat=(KeyPart(attribute="id", kind="S", value="beat"),)))
    world.put({"id": "beat", "heartbeat_id": 1}, *_ITEMS[:1])

    status, output = world.backfill()

    assert (status, output["items"], world.target.rows("id")) == (0, 1, (("thing 00",),))


def test_keys_of_text_number_and_binary_are_gone_on_with(make_backfill_world):
    columns = (a_column("bytes", "varbinary(40)"), a_column("no", "decimal(38,0)"))
    world = make_backfill_world(a_pipeline(*columns, key=("bytes", "no")))
    world.put(*({"bytes": bytes([number, 255]), "no": -number, "rest": "x" * 250_000} for number in range(12)))

    world.written("--segments", "1", "--within", "1s", "--read-units", "1")
    status, output = world.backfill()

    assert (status, output["resumed"], output["items"]) == (0, True, 12)
    assert {bytes(key) for (key,) in world.target.rows("bytes")} == {bytes([number, 255]) for number in range(12)}


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_where_it_was(world, by):
    a_large_table(world)
    process = world.start("backfill", "--segments", "2", "--threads", "1", "--object-mb", "1", "--read-units", "2")
    with Loading(world.bucket):
        world.await_items(1, process)
        os.kill(process.pid, by)
        _, errors = process.communicate(timeout=60)
    ended_at = sum(items for _, items, *_ in world.checkpoints())

    status, output = world.backfill()

    assert process.returncode == (130 if by == signal.SIGINT else -signal.SIGKILL)
    assert by == signal.SIGKILL or "interrupted" in errors
    assert (status, output["resumed"], output["items"], output["segments"]) == (0, True, 24, 2)
    assert 0 < ended_at < 24
    assert len(world.target.rows()) == 24


def test_a_run_that_found_its_end_is_not_gone_on_with(world):
    world.put(*_ITEMS[:1])
    world.backfill()

    _, output = world.backfill()

    assert (output["resumed"], output["items"]) == (False, 1)
    assert [state for *_, state in world.checkpoints()] == ["loaded"] * 8


def test_without_waiting_what_is_written_is_told_and_the_next_run_sees_it_loaded(world):
    world.put(*_ITEMS)

    status, written = world.written("--segments", "1")
    world.bucket.load_all()
    again, loaded = world.written()

    assert (status, written["complete"], written["objects_missing"], len(written["missing"])) == (0, False, 1, 1)
    assert (again, loaded["complete"], loaded["resumed"], loaded["items"]) == (0, True, True, 20)


def test_objects_that_nobody_loads_are_named_with_status_1_and_the_next_run_waits_for_them(world):
    world.put(*_ITEMS)

    ran = world.run("backfill", "--patience", "1s", "--segments", "1")
    status, output = world.backfill()

    assert ran.returncode == 1
    assert "NOT LOADED: 1 objects are written, such as s3://" in ran.stdout
    assert (status, output["complete"], output["items"]) == (0, True, 20)


def test_a_loader_that_stands_still_stops_the_reading(world):
    a_large_table(world, 48)

    ran = world.run("backfill", "--patience", "1s", "--segments", "1", "--object-mb", "1", "--in-flight", "2", "--json")

    assert (ran.returncode, ran.stdout) == (1, "")
    assert "for 1 s none was loaded" in ran.stderr
    assert len(world.bucket.rows()) == 3


def test_a_run_whose_time_is_up_stops_with_what_it_has_and_the_next_one_goes_on(world):
    a_large_table(world)

    status, output = world.written("--segments", "1", "--read-units", "1", "--within", "2s")
    again, whole = world.backfill()

    assert (status, output["complete"], 0 < output["items"] < 24) == (0, False, True)
    assert (again, whole["items"], len(world.target.rows())) == (0, 24, 24)


def test_the_read_units_are_those_that_the_table_says(world):
    a_large_table(world, 8)

    _, output = world.backfill("--segments", "1")

    assert output["read_units"] == 2


def test_a_run_of_another_shape_is_not_gone_on_with_unless_that_is_wanted(world):
    world.put(*_ITEMS)
    world.written()
    other = some_things(source_table=world.table, target_database=world.target.database.name)
    world.compile(_with_a_column_less(other))

    refused = world.run("backfill", "--no-wait")
    wanted = world.run("backfill", "--no-wait", "--resume")

    assert (refused.returncode, "the pipeline file has other columns since" in refused.stderr) == (2, True)
    assert wanted.returncode == 0


def _with_a_column_less(pipeline):
    return msgspec.structs.replace(pipeline, columns=pipeline.columns[:-1])


def test_a_restart_gives_the_unfinished_run_up(world):
    world.put(*_ITEMS)
    world.written("--segments", "2")

    status, output = world.backfill("--segments", "3", "--restart")

    assert (status, output["resumed"], output["items"], output["segments"]) == (0, False, 20, 3)
    assert [state for *_, state in world.checkpoints()] == ["abandoned"] * 2 + ["loaded"] * 3


def test_two_backfills_of_one_table_do_not_run_at_the_same_time(world):
    world.put(*_ITEMS)
    connection, _ = world.target.connect()

    with alone(connection, BACKFILL, target=f"{world.target.database.name}.{world.target.pipeline.target_table}"):
        ran = world.run("backfill")
    status, output = world.backfill()

    assert (ran.returncode, "is being backfilled by somebody else" in ran.stderr) == (1, True)
    assert (status, output["resumed"], output["items"]) == (0, False, 20)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--resume"], "no backfill of things is unfinished"),
        (["--resume", "--restart"], "--resume goes on, --restart begins anew"),
        (["--export", "s3://b/p", "--start-export", "s3://b/p"], "give one of the two"),
        (["--export", "s3://b/p", "--segments", "2"], "an export has files, and costs no read units"),
        (["--export", "here"], "is no place of an export"),
        (["--patience", "soon"], "an age is a number and one of"),
        (["--segments", "0"], "Invalid value for '--segments'"),
        (["--pipeline", "nobody"], "no pipeline 'nobody'"),
    ],
)
def test_a_mistake_of_usage_is_status_2(world, arguments, error):
    ran = world.run("backfill", *arguments)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert error in " ".join(ran.stderr.split())


@pytest.mark.parametrize("table", ["{}", "{}__tombstones", "_ddb2aurora_loads", "_ddb2aurora_heartbeat"])
def test_without_a_table_to_load_into_it_is_named_and_nothing_is_read(world, table):
    missing = table.format(world.pipeline.target_table)
    world.put(*_ITEMS)
    world.query(f"DROP TABLE {{db}}.`{missing}`")

    ran = world.run("backfill", "--patience", "1s")

    assert (ran.returncode, ran.stdout, world.bucket.keys("processed/")) == (2, "", [])
    assert f"`{missing}`: error 1146 of the database; a table is missing; run ddb2aurora migrate" in ran.stderr


def test_a_missing_bucket_setting_is_status_2(world):
    ran = world.run("backfill", without=("BUCKET_NAME",))

    assert (ran.returncode, "BUCKET_NAME" in ran.stderr) == (2, True)


def test_a_bucket_that_is_not_there_is_status_2_and_nothing_is_counted(world):
    world.put(*_ITEMS)

    ran = world.run("backfill", BUCKET_NAME="nobody-has-this-one")

    assert (ran.returncode, "NoSuchBucket" in ran.stderr) == (2, True)
    assert sum(items for _, items, *_ in world.checkpoints()) == 0


def test_other_segments_than_the_run_has_are_status_2(world):
    world.put(*_ITEMS)
    world.written("--segments", "2")

    ran = world.run("backfill", "--segments", "3")

    assert (ran.returncode, "it has 2 segments, not 3" in ran.stderr) == (2, True)


def test_a_table_without_a_stream_is_status_2_since_changes_would_be_lost(make_backfill_world):
    ran = make_backfill_world(stream=False).run("backfill")

    assert (ran.returncode, "has no stream, so what changes while it is read would be lost" in ran.stderr) == (2, True)


def test_a_target_that_was_not_migrated_is_status_2_with_the_mend(world):
    world.target.query(f"DELETE FROM `{world.target.database.name}`._ddb2aurora_horizons")  # noqa: S608

    ran = world.run("backfill")

    assert (ran.returncode, "run ddb2aurora migrate" in ran.stderr) == (2, True)


def test_people_read_how_far_it_is(world):
    world.put(*_ITEMS, {"id": "wide", "no": 70_000})

    with Loading(world.bucket):
        ran = world.run("backfill", "--segments", "2")

    lines = ran.stdout.splitlines()
    assert lines[0].endswith(": scan in 2 segments")
    assert lines[1].startswith("21 items, 21 of them now in ")
    assert lines[2:] == [
        "20 rows in 2 objects, 0 of them not loaded yet",
        "rejected 1: misfit",
        "rejected items are kept under failed/; mend what they break and run ddb2aurora redrive",
    ]


def test_as_json_it_is_one_document(world):
    ran = world.run("backfill", "--json")

    assert json.loads(ran.stdout)["source"] == "scan"
