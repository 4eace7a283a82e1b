"""`ddb2aurora plan` against the emulator, as a user runs it: each status, each source, and Ctrl-C."""

import gzip
import hashlib
import json
import signal
import time
from base64 import b64encode
from pathlib import Path

import psutil
import pytest
from builders import dynamodb_json
from planning_fixtures import ITEMS, SHAPES

from ddb2aurora.pipeline_file import read_pipeline_file

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def named(tables):
    return {name: tables.of_shape(name) for name in SHAPES}


def planned(tables, *arguments):
    ran = tables.plan(*arguments, "--json")
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_the_reference_table_gets_a_column_for_each_value_of_its_documents(tables, named, tmp_path):
    ran = tables.plan(
        named["visits"], "--write", "--name", "visits", "--database", "Demo", "--pipelines", str(tmp_path)
    )

    pipeline = read_pipeline_file(tmp_path / "visits.yaml")
    assert (ran.returncode, sorted(path.name for path in tmp_path.iterdir())) == (
        0,
        ["visits.schema.json", "visits.yaml"],
    )
    assert (pipeline.source_table, pipeline.target_database, pipeline.target_table) == (
        named["visits"],
        "Demo",
        "visits",
    )
    assert [(column.name, column.type.sql, column.source) for column in pipeline.columns] == [
        ("page_id", "varchar(64)", "page_id"),
        ("activity_dt", "varchar(64)", "activity_dt"),
        ("payload_hits", "bigint", "payload.Hits"),
        ("payload_device_location_country", "varchar(64)", "payload.device.location.country"),
        ("payload_device_location_latitude", "varchar(64)", "payload.device.location.latitude"),
        ("payload_device_location_longitude", "varchar(64)", "payload.device.location.longitude"),
        ("payload_device_make", "varchar(64)", "payload.device.make"),
        ("payload_device_platform_name", "varchar(64)", "payload.device.platform.name"),
        ("payload_device_platform_version", "varchar(64)", "payload.device.platform.version"),
        ("payload_session_session_id", "varchar(64)", "payload.session.session_id"),
        ("payload_session_start_timestamp", "datetime(3)", "payload.session.start_timestamp"),
        ("payload_session_stop_timestamp", "datetime(3)", "payload.session.stop_timestamp"),
    ]


@pytest.mark.parametrize("name", list(SHAPES))
def test_a_whole_table_is_read_and_its_proposal_takes_every_item(tables, named, name):
    status, output = planned(tables, named[name])

    proposal = output["proposal"]
    assert (status, output["items"], output["whole_table"]) == (0, ITEMS, True)
    assert (proposal["tried"], proposal["rejected"], proposal["written"]) == (ITEMS, 0, [])
    assert output["read_units"] > 0


def test_people_see_places_sizes_kinds_and_the_file(tables, named):
    ran = tables.plan(named["app"])

    told = [
        "60 items",
        "createdAt",
        "pk USER#…, sk ORDER#…",
        "a record holds 1024000",
        "of MySQL's 65535",
        "mode: mirror",
    ]
    assert (ran.returncode, [text for text in told if text not in ran.stdout], ran.stderr) == (0, [], "")


def test_items_that_a_pipeline_would_reject_are_status_1_with_reasons_and_what_mends_them(tables, tmp_path):
    table = tables.make({"id": "S"}, [{"id": "a", "n": 1}, {"id": "b", "n": 1000}, {"id": "long key", "n": 2}])
    columns = "{id: {type: varchar(3), from: id}, n: {type: tinyint, from: n}}"
    (tmp_path / "things.yaml").write_text(
        f"name: things\nsource: {{table: {table}, key: [id]}}\ntarget: {{database: d, table: t, columns: {columns}}}\n"
    )

    status, output = planned(tables, "--pipeline", "things", "--pipelines", str(tmp_path))

    assert (status, output["rejected"], output["items"]) == (1, 2, 3)
    assert sorted((found["reason"], found["pointer"], found["items"]) for found in output["reasons"]) == [
        ("misfit", "/id", 1),
        ("misfit", "/n", 1),
    ]
    assert len(output["suggestions"]) == 3
    assert "long key" not in json.dumps(output)


def test_a_pipeline_that_takes_all_is_status_0(tables, named, tmp_path):
    tables.plan(named["sensors"], "--write", "--name", "sensors", "--pipelines", str(tmp_path))

    status, output = planned(tables, "-p", "sensors", "--pipelines", str(tmp_path))

    assert (status, output["rejected"], output["reasons"], output["items"]) == (0, 0, [], ITEMS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a table"),
        (["no-such-table"], "it is not there"),
        (["t", "--pipeline", "web_analytics"], "reads table web_analytics"),
        (["--pipeline", "web_analytics", "--write"], "names one that there is"),
        (["--pipeline", "nothing"], "no pipeline 'nothing'"),
        (["t", "--sample", "0"], "a sample is"),
        (["t", "--sample", "120%"], "a sample is"),
        (["t", "--sample", "some"], "a sample is"),
        (["t", "--name", "../x"], "is no name of a pipeline"),
        (["t", "--export", "nowhere"], "DescribeTable"),
    ],
)
def test_what_makes_no_sense_is_status_2(tables, arguments, told):
    ran = tables.plan(*arguments, "--pipelines", str(REPOSITORY / "pipelines"))

    assert (ran.returncode, told in " ".join(ran.stderr.replace("│", "").split())) == (2, True), ran.stderr


def test_what_somebody_wrote_stays_unless_force_is_used(tables, named, tmp_path):
    mine = tmp_path / "app.yaml"
    mine.write_text("mine")

    refused = tables.plan(named["app"], "--write", "--name", "app", "--pipelines", str(tmp_path))
    kept = mine.read_text()
    forced = tables.plan(named["app"], "--write", "--force", "--name", "app", "--pipelines", str(tmp_path))

    assert (refused.returncode, kept, "there already" in refused.stderr) == (2, "mine", True)
    assert (forced.returncode, read_pipeline_file(mine).name) == (0, "app")


def test_an_empty_table_has_nothing_to_propose(tables, tmp_path):
    table = tables.make({"id": "S"}, [])

    looked = tables.plan(table)
    written = tables.plan(table, "--write", "--pipelines", str(tmp_path))

    assert (looked.returncode, "nothing to propose" in looked.stdout) == (0, True)
    assert (written.returncode, list(tmp_path.iterdir())) == (2, [])


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["--target-table", "a/b"], "target.table: 'a/b' does not fit: A name has 1 to 64 characters"),
        (["--target-table", "t" * 65], f"target.table: '{'t' * 65}' is too long: A name has 1 to 64 characters"),
        (["--database", "d."], "target.database: 'd.' does not fit: A name has 1 to 64 characters"),
    ],
)
def test_a_target_that_cannot_be_called_so_is_told_before_anything_is_read(tables, arguments, place):
    empty = tables.make({"id": "S"}, [])

    ran = tables.plan(empty, *arguments)

    assert (ran.returncode, ran.stdout) == (2, "")
    told = "ddb2aurora: no pipeline can be called so, mend --name, --database or --target-table: "
    assert ran.stderr.startswith(told + place)
    assert ran.stderr.count("\n") == 1


def test_a_file_that_is_there_is_told_of_before_anything_is_read(tables, tmp_path):
    empty = tables.make({"id": "S"}, [])
    (tmp_path / "mine.yaml").write_text("mine")

    ran = tables.plan(empty, "--write", "--name", "mine", "--pipelines", str(tmp_path))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"ddb2aurora: {tmp_path / 'mine.yaml'}: there already; name another pipeline by --name, or --force\n"
    )


@pytest.mark.parametrize("sample", ["20", "50%", "0.5"])
def test_a_sample_is_a_part_and_said_to_be_one(tables, named, sample):
    status, output = planned(tables, named["sensors"], "--sample", sample)

    assert (status, output["whole_table"]) == (0, False)
    assert 0 < output["items"] < ITEMS


def test_an_export_gives_what_the_table_gives(aws, tables, named):
    items = SHAPES["sensors"]()
    bucket, prefix = aws.bucket(), "AWSDynamoDB/01764000000000-abcdef12"
    put = aws.client("s3").put_object
    files = []
    for number, part in enumerate((items[:20], items[20:], [])):
        content = gzip.compress(b"".join(json.dumps({"Item": dynamodb_json(item)}).encode() + b"\n" for item in part))
        key = f"{prefix}/data/{number}.json.gz"
        put(Bucket=bucket, Key=key, Body=content)
        files.append({"itemCount": len(part), "md5Checksum": md5(content), "dataFileS3Key": key})
    manifests = {
        "manifest-files": b"".join(json.dumps(file).encode() + b"\n" for file in files),
        "manifest-summary": json.dumps(
            {
                "tableArn": f"arn:aws:dynamodb:us-east-1:111122223333:table/{named['sensors']}",
                "exportTime": "2026-11-24T09:55:00.000Z",
                "itemCount": len(items),
                "outputFormat": "DYNAMODB_JSON",
                "manifestFilesS3Key": f"{prefix}/manifest-files.json",
            }
        ).encode(),
    }
    for name, content in manifests.items():
        put(Bucket=bucket, Key=f"{prefix}/{name}.json", Body=content)
        put(Bucket=bucket, Key=f"{prefix}/{name}.md5", Body=md5(content).encode())

    status, exported = planned(tables, named["sensors"], "--export", f"s3://{bucket}/{prefix}/")
    _, scanned = planned(tables, named["sensors"])
    other = tables.plan(named["app"], "--export", f"s3://{bucket}/{prefix}/").returncode

    assert (status, exported["read_units"], exported["items"]) == (0, 0, ITEMS)
    assert exported["places"] == scanned["places"]
    assert exported["proposal"]["pipeline_file"] == scanned["proposal"]["pipeline_file"]
    assert other == 2


def md5(content):
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def test_ctrl_c_ends_a_long_reading_cleanly_and_writes_nothing(tables, tmp_path):
    # A share of all is read by twenty calls, at one read unit a second.
    table = tables.make({"id": "S"}, [{"id": f"{number:04}"} for number in range(200)])
    arguments = ["--segments", "1", "--sample", "100%", "--read-units", "1", "--write", "--json"]
    with tables.start(table, *arguments, "--pipelines", str(tmp_path)) as process:
        deadline = time.monotonic() + 30
        while not psutil.Process(process.pid).net_connections() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)

    found = json.loads(output or "{}")
    assert (process.returncode, found.get("interrupted", True), "proposal" in found) == (130, True, False)
    assert errors.strip() in ("", "ddb2aurora: interrupted; what was done stays done, run it again to go on")
    assert list(tmp_path.iterdir()) == []


def test_the_item_that_is_kept_for_heartbeats_is_no_part_of_the_data(tables, tmp_path):
    table = tables.make({"id": "S"}, [{"id": "a"}, {"id": "heartbeat", "at": 1}])
    (tmp_path / "things.yaml").write_text(
        f"name: things\nsource: {{table: {table}, key: [id], heartbeat: {{id: heartbeat}}}}\n"
        "target: {database: d, table: t, columns: {id: {type: varchar(10), from: id}}}\n"
    )

    _, output = planned(tables, "-p", "things", "--pipelines", str(tmp_path))

    assert (output["items"], output["unread_attributes"]) == (1, [])


def test_three_hundred_attributes_make_tables_that_the_server_takes(tables, make_target, tmp_path):
    item = {"id": "k" * 500, "n": 1, **{f"a{number:03}": "x" * (number * 5) for number in range(300)}}
    table = tables.make({"id": "S", "n": "N"}, [item])
    tables.plan(table, "--write", "--name", "wide", "--pipelines", str(tmp_path))

    target = make_target(read_pipeline_file(tmp_path / "wide.yaml"))

    assert target.query(f"SELECT COUNT(*) FROM {target.name()}") == ((0,),)  # noqa: S608 - the test's own table
