"""`ddb2aurora heartbeat` on real services: where it is sent, what it waits for, and its exit statuses."""

import json
import re

import pytest
from loader_fixtures import a_pipeline

from ddb2aurora.envelope import decode_change
from ddb2aurora.heartbeat import Heartbeat, heartbeat_in, heartbeat_row
from ddb2aurora.pipeline import KeyPart
from local_aws.firehose import FirehoseServer

DAY_MS = 86_400_000


@pytest.fixture
def delivery(operator_world):
    """A delivery stream named `changes`, which writes what it is given into the bucket of the world."""
    aws = operator_world.aws
    with FirehoseServer(s3=aws.client("s3"), resolve_function=_no_function) as server:
        operator_world.more = {"AWS_ENDPOINT_URL_FIREHOSE": server.url}
        client = aws._session.client("firehose", endpoint_url=server.url)
        client.create_delivery_stream(
            DeliveryStreamName="changes",
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::000000000000:role/firehose",
                "BucketARN": f"arn:aws:s3:::{operator_world.bucket}",
                "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
            },
        )
        client.close()
        yield server


def _no_function(arn):
    raise LookupError(arn)


def beat(world, *arguments):
    ran = world.run("heartbeat", "--json", *arguments)
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def landed(target, *beats):
    """Load heartbeats that were sent at the given times."""
    rows = [
        heartbeat_row(Heartbeat(number, sent_at_ms), pipeline=target.pipeline, streamed_at_ms=None)
        for number, sent_at_ms in enumerate(beats)
    ]
    target.load(*rows)


def sent_times(target):
    found = target.query(f"SELECT sent_at_ms FROM `{target.database.name}`._ddb2aurora_heartbeat ORDER BY version")  # noqa: S608
    return [sent_at_ms for (sent_at_ms,) in found]


def test_without_a_key_that_is_kept_it_enters_at_the_delivery_stream(operator_world, delivery):
    status, output = beat(operator_world)

    assert delivery.flush(timeout_seconds=20)
    s3 = operator_world.aws.client("s3")
    [entry] = s3.list_objects_v2(Bucket=operator_world.bucket)["Contents"]
    change = decode_change(s3.get_object(Bucket=operator_world.bucket, Key=entry["Key"])["Body"].read())
    assert heartbeat_in(change) == Heartbeat(int(output["heartbeat_id"]), output["sent_at_ms"])
    assert (status, output["sent_to"], output["waited_ms"]) == (0, "delivery stream changes", None)


def test_with_a_key_that_is_kept_it_is_the_item_of_that_key(make_operator_world, aws):
    table = aws.unique("things")
    world = make_operator_world(a_pipeline(source_table=table, heartbeat=(KeyPart("id", "S", "beat"),)))
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    ran = world.run("heartbeat", "--json", without=("DELIVERY_STREAM_NAME",))

    output = json.loads(ran.stdout)
    assert (ran.returncode, output["sent_to"]) == (0, f"table {table}")
    assert dynamodb.scan(TableName=table)["Items"] == [
        {
            "id": {"S": "beat"},
            "heartbeat_id": {"S": output["heartbeat_id"]},
            "sent_at_ms": {"N": str(output["sent_at_ms"])},
        }
    ]


@pytest.mark.usefixtures("delivery")
def test_one_that_does_not_land_in_time_is_status_1(operator_world):
    ran = operator_world.run("heartbeat", "--wait", "1")

    assert ran.returncode == 1
    verdict, newest = ran.stdout.splitlines()[1:]
    # How long it really waited: a busy machine takes longer than it was told.
    assert re.fullmatch(r"NOT LANDED after [1-9]\d* s: changes do not arrive; ask ddb2aurora status where", verdict)
    assert newest == "no heartbeat has ever landed"


@pytest.mark.usefixtures("delivery")
def test_the_age_is_that_of_the_newest_that_has_landed(operator_world):
    landed(operator_world.target, 1_767_700_000_000, 1_767_700_060_000)

    status, output = beat(operator_world)

    assert (status, output["newest_landed"]["sent_at_ms"]) == (0, 1_767_700_060_000)
    assert abs(output["sent_at_ms"] - 1_767_700_060_000 - output["age_ms"]) < 30_000


@pytest.mark.usefixtures("delivery")
def test_old_ones_are_forgotten_and_the_newest_never(operator_world):
    _, output = beat(operator_world)
    now_ms = output["sent_at_ms"]
    landed(operator_world.target, now_ms - 9 * DAY_MS, now_ms - 3 * DAY_MS, now_ms - 2 * DAY_MS)

    _, after_a_week = beat(operator_world)
    _, after_a_day = beat(operator_world, "--keep", "1d")

    assert (after_a_week["pruned"], after_a_day["pruned"]) == (1, 1)
    assert sent_times(operator_world.target) == [now_ms - 2 * DAY_MS]


@pytest.mark.usefixtures("delivery")
def test_a_delivery_stream_that_is_not_there_is_status_2_and_named(operator_world):
    ran = operator_world.run("heartbeat", DELIVERY_STREAM_NAME="nothing")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "PutRecord on delivery stream nothing failed with ResourceNotFoundException" in ran.stderr


def test_a_missing_name_of_the_delivery_stream_is_status_2(operator_world):
    ran = operator_world.run("heartbeat", without=("DELIVERY_STREAM_NAME",))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "DELIVERY_STREAM_NAME is missing: set it to the name of the delivery stream" in ran.stderr


@pytest.mark.parametrize("wait", ["soon", "-1", "0"])
def test_a_wait_that_is_none_is_status_2(operator_world, wait):
    assert operator_world.run("heartbeat", "--wait", wait).returncode == 2


@pytest.mark.usefixtures("delivery")
def test_as_a_lambda_function_it_measures_the_age_also_when_it_fails(operator_world):
    landed(operator_world.target, 1_767_700_000_000)

    ran = operator_world.invoke({"command": "heartbeat", "options": {"wait": 1}})

    [line] = [json.loads(line) for line in ran.stdout.splitlines() if "_aws" in line]
    assert ran.returncode == 1
    assert "CommandFailedError: heartbeat ended with status 1" in ran.stderr
    assert (line["Stage"], line["Pipeline"], line["HeartbeatAge"] > DAY_MS) == ("operator", "things", True)
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "HeartbeatAge", "Unit": "Milliseconds"}]
