"""The stream-processor's own clients against the stand-in for Data Firehose, and against the emulator's S3."""

import json
import socket
from threading import Thread
from types import SimpleNamespace

import boto3
import pytest
from builders import a_pipeline, a_stream_record

from ddb2aurora.envelope import decode_change
from ddb2aurora.failed import decode_failed
from ddb2aurora.metrics import Metrics
from local_aws.faults import Faults
from local_aws.firehose import FirehoseServer
from stream_processor.app import App, UnexpectedError
from stream_processor.aws import AwsCallError, FailedObjects, FirehoseStream
from stream_processor.changes import MAX_RECORD_BYTES
from stream_processor.delivery import Refused

NOW_MS = 1_767_790_000_000


class Context:
    """The context of an invocation whose time goes by in pauses alone."""

    def __init__(self, seconds):
        self.seconds = seconds

    def get_remaining_time_in_millis(self):
        return round(self.seconds * 1000)

    def sleep(self, seconds):
        self.seconds -= seconds


@pytest.fixture
def bucket(aws):
    return aws.bucket("lake")


@pytest.fixture
def environment(aws, monkeypatch):
    """The environment of a function: the SDK is led to the emulator."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def start(aws, bucket, environment):
    """Start a Firehose with faults and a delivery stream `changes`, and lead the SDK to it."""
    servers = []

    def started(**rates):
        def no_function(arn):
            raise LookupError(arn)

        faults = Faults(seed=1, rates={name.replace("__", "."): rate for name, rate in rates.items()})
        server = FirehoseServer(s3=aws.client("s3"), resolve_function=no_function, faults=faults)
        server.start()
        servers.append(server)
        environment.setenv("AWS_ENDPOINT_URL_FIREHOSE", server.url)
        client = boto3.client("firehose")
        client.create_delivery_stream(
            DeliveryStreamName="changes",
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::000000000000:role/firehose",
                "BucketARN": f"arn:aws:s3:::{bucket}",
                "Prefix": "changes/",
                "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/",
            },
        )
        client.close()
        return SimpleNamespace(server=server, faults=faults)

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def run(bucket):
    """Run the stream-processor on records; return its answer and its metrics."""

    def ran(records, *, seconds=60.0, bucket_name=bucket):
        lines = SimpleNamespace(text="")
        lines.write = lambda text: setattr(lines, "text", lines.text + text)
        lines.flush = lambda: None
        context = Context(seconds)
        metrics = Metrics(stage="stream-processor", pipeline="things", clock_ms=lambda: NOW_MS, stream=lines)
        stream, quarantine = FirehoseStream("changes"), FailedObjects(bucket_name)
        app = App(a_pipeline(), stream, quarantine, metrics, sleep=context.sleep, random=lambda: 0.5)
        try:
            answer = app.handle({"Records": records}, context, now_ms=NOW_MS)
        finally:
            stream._client.close()
            quarantine._client.close()
        return answer, json.loads(lines.text)

    return ran


def delivered(aws, bucket, firehose):
    """Return how often each sequence number lies in S3."""
    assert firehose.server.flush()
    s3 = aws.client("s3")
    counts = {}
    for found in s3.list_objects_v2(Bucket=bucket, Prefix="changes/").get("Contents", []):
        for line in s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read().splitlines():
            number = int(decode_change(line).sequence_number)
            counts[number] = counts.get(number, 0) + 1
    return counts


def records(count):
    return [a_stream_record(sequence_number=number) for number in range(count)]


def test_every_change_is_accepted_once_by_a_healthy_firehose(aws, bucket, start, run):
    firehose = start()

    answer, metrics = run(records(1200))

    assert answer == {"batchItemFailures": []}
    assert (metrics["ChangesForwarded"], metrics["RecordsRefused"]) == (1200, 0)
    assert delivered(aws, bucket, firehose) == dict.fromkeys(range(1200), 1)


def test_records_refused_in_any_positions_are_each_accepted_exactly_once_in_the_end(aws, bucket, start, run):
    firehose = start(firehose__refuse_record=0.4)

    answer, metrics = run(records(700))

    refusals = firehose.faults.counts["firehose.refuse_record"]
    assert answer == {"batchItemFailures": []}
    assert metrics["RecordsRefused"] == refusals > 200
    assert delivered(aws, bucket, firehose) == dict.fromkeys(range(700), 1)


def test_calls_that_are_throttled_are_made_again(aws, bucket, start, run):
    firehose = start(firehose__throttle_call=0.6)

    answer, metrics = run(records(1500))

    assert firehose.faults.counts["firehose.throttle_call"] > 0
    assert answer == {"batchItemFailures": []}
    assert metrics["RecordsRefused"] > 0
    assert delivered(aws, bucket, firehose) == dict.fromkeys(range(1500), 1)


def test_an_answer_that_is_lost_makes_doubles_and_never_a_gap(aws, bucket, start, run):
    firehose = start(firehose__lose_answer=0.6)

    answer, _ = run(records(1500))

    assert firehose.faults.counts["firehose.lose_answer"] > 0
    assert answer == {"batchItemFailures": []}
    counts = delivered(aws, bucket, firehose)
    assert set(counts) == set(range(1500))
    assert max(counts.values()) > 1


def test_all_faults_together_lose_nothing_that_was_not_reported(aws, bucket, start, run):
    firehose = start(firehose__refuse_record=0.5, firehose__throttle_call=0.5, firehose__lose_answer=0.3)

    # Two seconds are hardly enough; what is left is reported.
    answer, metrics = run(records(300), seconds=5.0 + 0.8)

    [failure] = answer["batchItemFailures"]
    checkpoint = int(failure["itemIdentifier"])
    counts = delivered(aws, bucket, firehose)
    assert set(range(checkpoint)) <= set(counts)
    assert metrics["ChangesReceived"] == 300 == metrics["ChangesForwarded"] + metrics["ChangesFailed"]


def test_a_firehose_that_takes_nothing_leaves_the_whole_batch_to_the_stream(start, run):
    start(firehose__throttle_call=1.0)

    answer, metrics = run(records(3), seconds=6.0)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert (metrics["ChangesForwarded"], metrics["ChangesFailed"]) == (0, 3)


@pytest.mark.usefixtures("start")
def test_a_firehose_that_is_away_leaves_the_whole_batch_to_the_stream(environment, run):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        environment.setenv("AWS_ENDPOINT_URL_FIREHOSE", f"http://127.0.0.1:{unused.getsockname()[1]}")

        answer, _ = run(records(2), seconds=6.0)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_a_delivery_stream_that_is_not_there_halts(start):
    start()
    stream = FirehoseStream("nonesuch")

    with pytest.raises(AwsCallError, match="ResourceNotFoundException: check DELIVERY_STREAM_NAME"):
        stream.put([b"x"])

    stream._client.close()


def test_the_largest_record_and_the_largest_call_are_within_firehoses_limits(start):
    start()
    stream = FirehoseStream("changes")

    answers = stream.put([bytes(MAX_RECORD_BYTES)] * 4)

    assert answers == [None] * 4
    with pytest.raises(AwsCallError, match="InvalidArgumentException"):
        stream.put([bytes(MAX_RECORD_BYTES + 1)])
    stream._client.close()


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"{}", b""])
@pytest.mark.usefixtures("start")
def test_a_success_that_confirms_nothing_is_no_success(environment, body):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment.setenv("AWS_ENDPOINT_URL_FIREHOSE", f"http://127.0.0.1:{listener.getsockname()[1]}")
        answering = Thread(target=_answer_once, args=(listener, body))
        answering.start()
        stream = FirehoseStream("changes")

        answer = stream.put([b"x"])

        answering.join()
    stream._client.close()
    assert isinstance(answer, Refused)


@pytest.mark.parametrize("body", [b"null", b"[]"])
@pytest.mark.usefixtures("start")
def test_an_answer_on_which_the_sdk_itself_breaks_fails_the_batch(environment, run, body):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment.setenv("AWS_ENDPOINT_URL_FIREHOSE", f"http://127.0.0.1:{listener.getsockname()[1]}")
        answering = Thread(target=_answer_once, args=(listener, body))
        answering.start()

        with pytest.raises(UnexpectedError):
            run(records(1))

        answering.join()


def _answer_once(listener, body):
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))


def test_an_oversized_change_lies_whole_under_failed(aws, bucket, start, run):
    start()
    huge = a_stream_record(item={"id": "a", "note": "x" * MAX_RECORD_BYTES}, sequence_number=7)

    answer, metrics = run([huge, *records(1)])

    s3 = aws.client("s3")
    [found] = s3.list_objects_v2(Bucket=bucket, Prefix="failed/things/oversized/")["Contents"]
    [failed] = decode_failed(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert answer == {"batchItemFailures": []}
    assert (metrics["ChangesForwarded"], metrics["ChangesOversized"]) == (1, 1)
    assert decode_change(failed.raw_data).image == huge["dynamodb"]["NewImage"]


def test_an_oversized_change_without_a_bucket_halts_and_names_it(start, run):
    start()
    huge = a_stream_record(item={"id": "a", "note": "x" * MAX_RECORD_BYTES})

    with pytest.raises(AwsCallError, match="PutObject on no-such-bucket failed with NoSuchBucket: check BUCKET_NAME"):
        run([huge], bucket_name="no-such-bucket")


def test_an_oversized_change_while_s3_is_away_is_reported_as_failed(environment, start, run):
    start()
    huge = a_stream_record(item={"id": "a", "note": "x" * MAX_RECORD_BYTES}, sequence_number=7)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        environment.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{unused.getsockname()[1]}")

        answer, metrics = run([*records(1), huge])

    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert (metrics["ChangesForwarded"], metrics["ChangesFailed"]) == (1, 1)
