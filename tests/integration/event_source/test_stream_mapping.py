"""The mapping on real streams of the emulator, with a function in processes of its own."""

import json
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest

from local_aws.event_source.mapping import StreamMapping
from local_aws.event_source.on_failure import BucketDestination, QueueDestination
from local_aws.event_source.settings import MappingSettings
from local_aws.faults import Faults
from local_aws.runtime.in_process import CallableFunction
from local_aws.runtime.process import ProcessFunction

HERE = str(Path(__file__).parent)


@pytest.fixture
def a_table(aws):
    """Make a table with a stream; return its name and the stream's ARN."""
    made = []

    def make():
        name = aws.unique("table")
        table = aws.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        made.append(name)
        return name, table["LatestStreamArn"]

    yield make
    for name in made:
        aws.client("dynamodb").delete_table(TableName=name)


@pytest.fixture
def a_mapping(aws):
    started = []

    def start(arn, function, *, settings=None, **arguments):
        mapping = StreamMapping(
            MappingSettings(stream_arn=arn, **(settings or {})),
            streams=aws.client("dynamodbstreams"),
            function=function,
            **{"retry_delay_seconds": 0.01, **arguments},
        )
        mapping.start()
        started.append(mapping)
        return mapping

    yield start
    for mapping in started:
        mapping.stop()


def until_done(mapping, records, seconds=30):
    deadline = time.monotonic() + seconds
    while not (mapping.idle and mapping.counters.records_read >= records):
        assert time.monotonic() < deadline, mapping.counters
        time.sleep(0.01)


def put(aws, table, key, value):
    item = {"pk": {"S": key}, "value": {"N": str(value)}, "raw": {"B": b"\x00\xff"}}
    aws.client("dynamodb").put_item(TableName=table, Item=item)


def test_every_change_arrives_in_the_shape_of_a_lambda_event(aws, a_table, a_mapping):
    table, arn = a_table()
    events = []
    function = CallableFunction(name="reader", handler=lambda event, _context: events.append(event))
    put(aws, table, "a", 1)
    put(aws, table, "a", 2)
    aws.client("dynamodb").delete_item(TableName=table, Key={"pk": {"S": "a"}})

    until_done(a_mapping(arn, function), 3)

    records = [record for event in events for record in event["Records"]]
    first, second = ({"pk": {"S": "a"}, "value": {"N": value}, "raw": {"B": "AP8="}} for value in ("1", "2"))
    assert [
        (record["eventName"], record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage"))
        for record in records
    ] == [("INSERT", None, first), ("MODIFY", first, second), ("REMOVE", second, None)]
    assert {record["eventSourceARN"] for record in records} == {arn}
    assert all(isinstance(record["dynamodb"]["ApproximateCreationDateTime"], int) for record in records)


def test_every_item_keeps_its_order_through_crashes_partial_failures_and_doubles(aws, a_table, a_mapping, tmp_path):
    table, arn = a_table()
    seen = tmp_path / "seen.jsonl"
    faults = Faults(
        seed=7,
        rates={
            "function.crash_before": 0.1,
            "function.crash_during": 0.1,
            "function.lose_answer": 0.1,
            "stream.duplicate_batch": 0.1,
        },
    )
    function = ProcessFunction(
        name="reader",
        handler="sample_consumer.handler",
        environment={"PYTHONPATH": HERE, "SEEN": str(seen)},
        log_path=tmp_path / "reader.log",
        timeout_seconds=20,
        concurrency=3,
        faults=faults,
    )
    for value in range(20):
        for key in "abcdefgh":
            put(aws, table, key, value)
    settings = {
        "batch_size": 7,
        "parallelization_factor": 3,
        "bisect_batch_on_function_error": True,
        "function_response_types": ("ReportBatchItemFailures",),
    }

    mapping = a_mapping(arn, function, settings=settings, faults=faults)
    until_done(mapping, 160)
    mapping.stop()
    function.stop()

    assert sum(faults.counts.values()) >= 4, "the faults of this test hardly struck"
    values = defaultdict(list)
    for line in seen.read_text().splitlines():
        key, value = json.loads(line)
        # The first sight of each value is in order, whatever is repeated later.
        if value not in values[key]:
            values[key].append(value)
    assert values == {key: list(range(20)) for key in "abcdefgh"}
    assert mapping.counters.records_succeeded == 160


def test_a_poisonous_record_reaches_the_bucket_whole_and_nothing_else_does(aws, a_table, a_mapping):
    table, arn = a_table()
    bucket = aws.bucket()
    good = []

    def handler(event, _context):
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
        if "poison" in keys:
            raise ValueError("cannot be read")
        good.extend(keys)

    for key in ["a", "b", "c", "poison", "d", "e"]:
        put(aws, table, key, 1)
    settings = {"maximum_retry_attempts": 1, "bisect_batch_on_function_error": True, "uuid": "the-mapping"}
    destination = BucketDestination(s3=aws.client("s3"), bucket=bucket)

    mapping = a_mapping(
        arn, CallableFunction(name="reader", handler=handler), settings=settings, on_failure=destination
    )
    until_done(mapping, 6)

    (listed,) = aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    written = json.loads(aws.client("s3").get_object(Bucket=bucket, Key=listed["Key"])["Body"].read())
    (record,) = json.loads(written["payload"])["Records"]
    assert good == ["a", "b", "c", "d", "e"]
    assert record["dynamodb"]["NewImage"] == {"pk": {"S": "poison"}, "value": {"N": "1"}, "raw": {"B": "AP8="}}
    assert written["DDBStreamBatchInfo"]["startSequenceNumber"] == record["dynamodb"]["SequenceNumber"]
    assert listed["Key"].startswith(f"aws/lambda/the-mapping/{written['DDBStreamBatchInfo']['shardId']}/20")
    assert (mapping.counters.records_succeeded, mapping.counters.records_discarded) == (5, 1)


def test_the_pointer_on_a_queue_finds_the_discarded_records_in_the_stream(aws, a_table, a_mapping):
    table, arn = a_table()
    sqs, streams = aws.client("sqs"), aws.client("dynamodbstreams")
    queue_url = sqs.create_queue(QueueName=aws.unique("queue"))["QueueUrl"]

    def handler(_event, _context):
        raise ValueError("cannot be read")

    put(aws, table, "poison", 1)
    mapping = a_mapping(
        arn,
        CallableFunction(name="reader", handler=handler),
        settings={"maximum_retry_attempts": 0},
        on_failure=QueueDestination(sqs=sqs, queue_url=queue_url),
    )
    until_done(mapping, 1)

    (message,) = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    place = json.loads(message["Body"])["DDBStreamBatchInfo"]
    iterator = streams.get_shard_iterator(
        StreamArn=place["streamArn"],
        ShardId=place["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=place["startSequenceNumber"],
    )["ShardIterator"]
    (record,) = streams.get_records(ShardIterator=iterator)["Records"]
    assert record["dynamodb"]["Keys"] == {"pk": {"S": "poison"}}


def test_latest_begins_with_what_is_written_after_the_start(aws, a_table, a_mapping):
    table, arn = a_table()
    put(aws, table, "before", 1)
    keys = []
    arrived = threading.Event()

    def handler(event, _context):
        keys.extend(record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"])
        arrived.set()

    mapping = a_mapping(arn, CallableFunction(name="reader", handler=handler), settings={"starting_position": "LATEST"})
    until_done(mapping, 0)
    put(aws, table, "after", 1)

    assert arrived.wait(20)
    assert keys == ["after"]


def test_a_mapping_that_is_made_again_goes_on_where_the_last_one_stood(aws, a_table, a_mapping, tmp_path):
    table, arn = a_table()
    keys = []

    def handler(event, _context):
        keys.extend(record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"])

    function = CallableFunction(name="reader", handler=handler)
    put(aws, table, "a", 1)
    first = a_mapping(arn, function, checkpoint_path=tmp_path / "checkpoints.json")
    until_done(first, 1)
    first.stop()
    put(aws, table, "b", 1)

    until_done(a_mapping(arn, function, checkpoint_path=tmp_path / "checkpoints.json"), 1)

    assert keys == ["a", "b"]
