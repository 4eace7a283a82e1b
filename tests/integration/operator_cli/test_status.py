"""`ddb2aurora status` on real services: what it reads, and its exit statuses."""

import json
import re
import signal
from types import SimpleNamespace

from command_line import start_command
from loader_fixtures import a_delete, a_pipeline, an_upsert

from ddb2aurora.heartbeat import Heartbeat, heartbeat_row
from operator_cli.overseeing.tables import read_tables

UNUSED_PORT = "http://127.0.0.1:9"


def seen(world, *arguments, **more):
    ran = world.run("status", "--json", *arguments, **more)
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def loaded(world, *rows, name="2026/01/05/12/a.csv"):
    """Write an object of *rows* and have it loaded, whatever comes of it."""
    world.put(name, *rows)
    key = f"processed/things/Things/{name}"
    head = world.aws.client("s3").head_object(Bucket=world.bucket, Key=key)
    detail = {"key": key, "size": head["ContentLength"], "eTag": head["ETag"].strip('"')}
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": world.bucket}}}
    record["s3"]["object"] = detail
    return world._load({"Records": [record]}, None)


def test_a_pipeline_that_was_just_made_is_well(operator_world):
    status, output = seen(operator_world)

    assert (status, output["needs_attention"]) == (0, [])
    assert (output["ledger"]["recent"]["objects"], output["ledger"]["last_loaded_ms"]) == (0, None)
    assert (output["heartbeat"], output["failure_queue"]) == (None, {"waiting": 0, "in_flight": 0})


def test_what_was_loaded_is_told(operator_world):
    pipeline = operator_world.target.pipeline
    beat = heartbeat_row(Heartbeat(1, 1_767_700_000_000), pipeline=pipeline, streamed_at_ms=None)
    loaded(operator_world, an_upsert(pipeline, 1, "a", "n"), a_delete(pipeline, 2, "b"), beat)

    _, output = seen(operator_world, "--heartbeat-within", "36000d")

    ledger = output["ledger"]
    counts = {name: ledger["recent"][name] for name in ("objects", "rows", "applied", "stale", "deleted", "rejected")}
    assert counts == {"objects": 1, "rows": 2, "applied": 1, "stale": 0, "deleted": 1, "rejected": 0}
    assert {name: ledger["ever"][name] for name in counts} == counts
    assert ledger["recent_newest_change_ms"] == 1000
    assert output["tombstones"] == {"number": 1, "more": False}
    assert output["heartbeat"]["sent_at_ms"] == 1_767_700_000_000
    assert output["needs_attention"] == []


def test_what_was_loaded_earlier_is_no_part_of_the_sums_and_the_screen_says_so(operator_world):
    target = operator_world.target
    for number, days in enumerate((9, 2, 0), start=1):
        loaded(operator_world, an_upsert(target.pipeline, number, f"{number}", "n"), name=f"2026/01/05/12/{number}.csv")
        target.query(
            f"UPDATE `{target.database.name}`._ddb2aurora_loads SET loaded_at = loaded_at - INTERVAL %s DAY "  # noqa: S608
            "WHERE object_key LIKE %s",
            days,
            f"%{number}.csv",
        )

    ledgers = [seen(operator_world, "--window", window)[1]["ledger"] for window in ("15m", "3d", "36500d")]
    screen = operator_world.run("status", "--window", "3d").stdout

    told = [(found["recent"]["objects"], found["recent"]["applied"]) for found in ledgers]
    assert told == [(1, 1), (2, 2), (3, 3)]
    assert {(found["ever"]["objects"], found["ever"]["applied"]) for found in ledgers} == {(3, 3)}
    assert re.search(
        r"^loaded +2 objects \(.*\), 2 rows since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d: *$", screen, re.MULTILINE
    )
    assert re.search(r"^loaded ever +3 objects \(.*\), 3 rows: *$", screen, re.MULTILINE)


def test_everything_that_was_ever_loaded_is_only_summed_up_where_somebody_asks(operator_world):
    loaded(operator_world, an_upsert(operator_world.target.pipeline, 1, "a", "n"))

    _, output = seen(operator_world, "--no-totals")
    screen = operator_world.run("status", "--no-totals").stdout

    assert (output["ledger"]["recent"]["objects"], output["ledger"]["ever"]) == (1, None)
    assert "loaded ever" not in screen


def test_a_pipeline_that_has_long_been_quiet_tells_when_it_loaded_last(operator_world):
    target = operator_world.target
    loaded(operator_world, an_upsert(target.pipeline, 1, "a", "n"))
    moment = "2026-01-05 12:00:00.125000"
    target.query(f"UPDATE `{target.database.name}`._ddb2aurora_loads SET loaded_at = %s", moment)  # noqa: S608

    ledger = seen(operator_world)[1]["ledger"]

    told = (ledger["recent"]["objects"], ledger["recent_newest_change_ms"], ledger["last_loaded_ms"])
    assert told == (0, None, 1_767_614_400_125)


def test_what_is_read_of_the_ledger_does_not_grow_with_it(operator_world):
    target = operator_world.target
    ledger = f"`{target.database.name}`._ddb2aurora_loads"
    for number in range(3):
        loaded(operator_world, an_upsert(target.pipeline, number, f"{number}", "n"), name=f"2026/01/05/12/{number}.csv")

    def entries_read(old):
        """Return how many entries the server reads, with so many *old* ones of this pipeline and of another."""
        target.query(f"DELETE FROM {ledger} WHERE object_key LIKE 'old%%'")  # noqa: S608
        target.query(
            f"INSERT INTO {ledger} (object_id, bucket, object_key, object_version, pipeline, target_table, loaded_at) "  # noqa: S608
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %s) "
            "SELECT UNHEX(SHA2(n, 256)), 'b', CONCAT('old ', n), '', IF(n %% 2, %s, 'another'), 't', "
            "'2026-01-05' + INTERVAL n SECOND FROM n",
            old,
            target.pipeline.name,
        )
        database = SimpleNamespace(connection=target.connection, name=target.database.name, tables=target.tables)
        target.query("FLUSH STATUS")
        found = read_tables(database, pipeline=target.pipeline.name, window_seconds=900).ledger
        return sum(int(count) for _, count in target.query("SHOW SESSION STATUS LIKE 'Handler_read%%'")), found

    entries_read(10)  # the first time the server reads up on the tables as well
    (few, _), (many, found) = entries_read(100), entries_read(900)

    assert found.recent.objects == 3
    assert many <= few < 100


def test_everything_that_is_wrong_is_status_1_and_named(operator_world):
    pipeline, s3 = operator_world.target.pipeline, operator_world.aws.client("s3")
    beat = heartbeat_row(Heartbeat(1, 1_767_700_000_000), pipeline=pipeline, streamed_at_ms=None)
    loaded(operator_world, an_upsert(pipeline, 1, "a", "n"), an_upsert(pipeline, 2, "b", "x" * 41), beat)
    operator_world.put("2026/01/05/12/lost.csv", an_upsert(pipeline, 3, "c", "n"))
    s3.put_object(Bucket=operator_world.bucket, Key="failed/things/processing-failed/2026/01/05/12/x", Body=b"")
    s3.put_object(Bucket=operator_world.bucket, Key="failed/things/oversized/2026/01/05/12/x.json", Body=b"")
    s3.put_object(Bucket=operator_world.bucket, Key="aws/lambda/mapping/shard/2026/01/05/x", Body=b"")
    s3.put_object(Bucket=operator_world.bucket, Key="aws/lambda/async/loader/2026/01/05/x", Body=b"")
    operator_world.aws.client("sqs").send_message(QueueUrl=operator_world.queue, MessageBody="{}")

    status, output = seen(operator_world, "--since", "36000d", "--waiting", "1s")
    while not output["processed"]["waiting"]:  # the object is a second old before long
        status, output = seen(operator_world, "--since", "36000d", "--waiting", "1s")

    assert status == 1
    assert [concern["what"] for concern in output["needs_attention"]] == [
        "heartbeat",
        "waiting",
        "failed_events",
        "failed",
        "failed",
        "given_up_batches",
        "rejects",
    ]
    assert output["processed"]["waiting"] == 1
    assert {kind: kept["objects"]["number"] for kind, kept in output["failed"].items()} == {
        "oversized": 1,
        "processing-failed": 1,
    }
    assert output["given_up_batches"]["objects"] == {"number": 1, "more": False}
    assert output["rejects"] == {"too_long in column name": 1}


def test_an_alarm_of_the_deployment_is_named_and_those_of_others_are_not(operator_world):
    cloudwatch = operator_world.aws.client("cloudwatch")
    name = operator_world.aws.unique("dev")
    for alarm in (f"{name}-errors", f"{name}2-errors"):
        cloudwatch.put_metric_alarm(
            AlarmName=alarm,
            Namespace="n",
            MetricName="m",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            Statistic="Sum",
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="for a test")

    status, output = seen(operator_world, DELIVERY_STREAM_NAME=name)

    assert (status, [found["name"] for found in output["cloudwatch"]["alarms"]]) == (1, [f"{name}-errors"])


def test_without_cloudwatch_the_rest_is_told_and_why_it_is_missing(operator_world):
    ran = operator_world.run("status", AWS_ENDPOINT_URL_CLOUDWATCH=UNUSED_PORT)

    assert ran.returncode == 0
    assert re.search(r"CloudWatch +not available: CloudWatch: Could not connect to the endpoint URL", ran.stdout)
    assert ran.stdout.rstrip().endswith("all is well")


def test_without_a_queue_the_rest_is_told_and_what_sets_it(operator_world):
    ran = operator_world.run("status", without=("LOADER_FAILURES_QUEUE_URL",))

    assert ran.returncode == 0
    assert re.search(r"failure queue +not known: set LOADER_FAILURES_QUEUE_URL", ran.stdout)


def test_a_queue_that_is_out_of_reach_hides_nothing_of_the_rest(operator_world):
    ran = operator_world.run("status", "--json", AWS_ENDPOINT_URL_SQS=UNUSED_PORT)

    output = json.loads(ran.stdout)
    assert (ran.returncode, output["needs_attention"]) == (0, [])
    assert output["failure_queue"]["unavailable"].startswith("not available: queue ")


def test_a_database_that_is_away_is_status_1_and_named(operator_world):
    ran = operator_world.run("status", DB_PORT="9")

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("ddb2aurora: connecting failed on 127.0.0.1:9")


def test_a_bucket_that_is_not_there_is_status_2_and_named(operator_world):
    ran = operator_world.run("status", BUCKET_NAME="no-such-bucket")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "on bucket no-such-bucket failed with NoSuchBucket" in ran.stderr


def test_an_age_that_is_none_is_status_2(operator_world):
    assert operator_world.run("status", "--window", "soon").returncode == 2


def test_watching_prints_one_look_after_the_other_until_ctrl_c_and_ends_with_the_last_one_s_status(operator_world):
    command = ["status", "--watch", "--every", "1s", "--json"]

    with start_command(command, operator_world.environment) as watching:
        lines = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        rest, errors = watching.communicate(timeout=30)

    looks = [json.loads(line) for line in (*lines, *rest.splitlines())]
    assert (watching.returncode, errors) == (0, "")
    assert looks[1]["at_ms"] - looks[0]["at_ms"] >= 1000
    assert {look["pipeline"] for look in looks} == {"things"}
    assert [look["ledger"]["ever"] for look in looks] == [None] * len(looks)


def test_an_event_log_has_no_tombstones(make_operator_world):
    world = make_operator_world(a_pipeline(mode="append"))

    _, output = seen(world)

    assert (output["tombstones"], output["horizon_ms"]) == (None, None)
