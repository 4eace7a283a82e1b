"""`ddb2aurora backfill` from the files of an export, as a user runs it."""

import json
import time

import pytest
from backfill_fixtures import ExportWriter, Loading, export_line
from loader_fixtures import a_delete

pytestmark = pytest.mark.long

_ITEMS = [{"id": f"thing {number:02}", "no": number, "name": f"name {number}"} for number in range(20)]
_HOUR_MS = 3_600_000


@pytest.fixture
def export(world):
    return ExportWriter(world, at_ms=time.time_ns() // 1_000_000 + 60_000)


def test_every_item_of_every_file_becomes_a_row_of_version_0_and_of_the_export_s_time(world, export):
    url = export.write(_ITEMS[:7], [], _ITEMS[7:])

    status, output = world.backfill("--export", url)

    assert (status, output["source"], output["segments"], output["items"]) == (0, url, 3, 20)
    assert world.target.rows("id, no, name, _version, _changed_at_ms") == tuple(
        (item["id"], item["no"], item["name"], 0, export.at_ms) for item in _ITEMS
    )
    assert output["read_units"] == 0


def test_a_delete_since_the_export_is_not_undone(world, export):
    url = export.write(_ITEMS[:2])
    world.target.load(a_delete(world.pipeline, 1, "thing 00", changed_at_ms=export.at_ms + 1))

    world.backfill("--export", url)

    assert world.target.rows("id") == (("thing 01",),)


def test_items_that_do_not_map_are_kept_and_the_status_is_1(world, export):
    status, output = world.backfill("--export", export.write([*_ITEMS, {"id": "wide", "no": 70_000}]))

    assert (status, output["rows"], output["reasons"]) == (1, 20, {"misfit": 1})
    assert len(world.bucket.keys("failed/things/backfill/")) == 1


@pytest.mark.parametrize("versions", ["Suspended", "Enabled"])
def test_an_export_that_was_killed_goes_on_and_what_it_writes_again_is_the_same_object(world, export, versions):
    world.bucket.s3.put_bucket_versioning(Bucket=world.bucket.name, VersioningConfiguration={"Status": versions})
    large = [{"id": f"{number:05}", "no": 1, "name": "x" * 1000} for number in range(6000)]
    url = export.write(*(large[start::3] for start in range(3)))
    process = world.start("backfill", "--export", url, "--threads", "1", "--object-mb", "1", "--no-wait")
    world.await_items(1, process)
    process.kill()
    process.communicate()
    # As if it had been killed between writing an object and noting it.
    world.query("UPDATE {db}._ddb2aurora_backfills SET resume_key = NULL, items = 0, objects = 0, state = 'reading'")

    status, output = world.backfill("--export", url, "--object-mb", "1")

    assert (status, output["resumed"], output["items"]) == (0, True, 6000)
    assert len(world.target.rows("id")) == 6000
    assert len(world.bucket.rows()) == output["objects"]
    assert len(world.target.ledger()) == output["objects"]


def test_another_run_of_the_same_export_is_loaded_anew(world, export):
    url = export.write(_ITEMS)
    world.backfill("--export", url)
    world.target.query(f"DELETE FROM {world.target.name()}")  # noqa: S608

    status, _ = world.backfill("--export", url)

    assert (status, len(world.target.rows())) == (0, 20)


def test_an_unfinished_scan_is_no_export_and_the_other_way_round(world, export):
    world.put(*_ITEMS)
    world.written()

    ran = world.run("backfill", "--export", export.write(_ITEMS))

    assert ran.returncode == 2
    assert "it reads scan, and that is not what is wanted now" in ran.stderr


def test_people_read_which_export_it_was(world, export):
    url = export.write(_ITEMS)

    with Loading(world.bucket):
        ran = world.run("backfill", "--export", url.rstrip("/"))

    assert ran.stdout.splitlines()[0].endswith(f": {url} in 1 segments")


def refused(world, url, error):
    ran = world.run("backfill", "--export", url)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert error in ran.stderr
    assert (world.target.rows(), world.bucket.rows()) == ((), [])


def test_nothing_at_that_place_is_status_2(world):
    refused(world, f"s3://{world.bucket.name}/nothing/", "holds no finished export that can be read")


def test_an_incremental_export_is_status_2(world, export):
    refused(world, export.write(_ITEMS, exportType="INCREMENTAL_EXPORT"), "is of an incremental export")


def test_an_export_of_another_table_is_status_2(world, export):
    url = export.write(_ITEMS, tableArn="arn:aws:dynamodb:eu-west-1:111122223333:table/others")

    refused(world, url, "is an export of table others")


def test_an_export_from_before_the_stream_is_status_2(world):
    early = ExportWriter(world, at_ms=time.time_ns() // 1_000_000 - _HOUR_MS)

    refused(world, early.write(_ITEMS), "what changed in between is in neither")


def test_a_broken_file_is_status_2_and_named(world, export):
    url = export.write(_ITEMS)
    world.bucket.write(f"{export.prefix}/data/file00.json.gz", b"no gzip")

    refused(world, url, "/data/file00.json.gz is not what AWS wrote")


def test_a_file_of_another_table_s_items_is_status_2(world, export):
    refused(world, export.write([{"other": "a"}]), "has no key attribute id of type S")


def test_a_summary_that_is_no_json_is_status_2(world, export):
    export.write(_ITEMS)
    export.manifest("manifest-summary", b"{")

    refused(world, export.url, "is no manifest of an export")


def test_an_export_older_than_the_horizon_is_status_2(world, export):
    url = export.write(_ITEMS)
    world.query("UPDATE {db}._ddb2aurora_horizons SET horizon_ms = %s", export.at_ms + 1)

    refused(world, url, "deleted rows could come back")


def test_an_export_that_passes_the_horizon_on_its_way_is_told(world, export):
    url = export.write(_ITEMS)
    world.run("backfill", "--export", url, "--no-wait")
    world.query("UPDATE {db}._ddb2aurora_horizons SET horizon_ms = %s", export.at_ms + 1)

    ran = world.run("backfill", "--export", url)

    assert (ran.returncode, "deleted rows could come back" in ran.stderr) == (2, True)


def test_an_export_that_the_emulator_makes_without_files_is_told_as_such(world):
    ran = world.run("backfill", "--start-export", f"s3://{world.bucket.name}/made")

    # MiniStack takes the call and answers COMPLETED, but writes nothing.
    assert (ran.returncode, "holds no finished export that can be read" in ran.stderr) == (2, True)


def test_a_line_of_an_export_is_the_json_that_aws_writes():
    assert json.loads(export_line({"id": "a", "no": 1})) == {"Item": {"id": {"S": "a"}, "no": {"N": "1"}}}
