"""Notifications of real buckets of the emulator."""

import json
import threading
import time
from collections import Counter
from urllib.parse import unquote_plus

import pytest

from local_aws.faults import Faults
from local_aws.notifications.bucket import BucketNotifications
from local_aws.notifications.counters import NotificationCounters
from local_aws.notifications.delivery import AsynchronousSettings
from local_aws.notifications.on_failure import BucketDestination, QueueDestination
from local_aws.runtime.in_process import CallableFunction

QUICK = AsynchronousSettings(retry_delays_seconds=(0.01, 0.02), throttle_delay_seconds=0.01)
PATIENCE_SECONDS = 20


class Loader:
    """A function that remembers the keys it is told of, and fails as *answer* says."""

    def __init__(self, answer=lambda _key: None):
        self.keys = []
        self.function = CallableFunction(name="loader", handler=self._handle)
        self._answer = answer
        self._changed = threading.Condition()

    def _handle(self, event, _context):
        (record,) = event["Records"]
        key = unquote_plus(record["s3"]["object"]["key"])
        with self._changed:
            self.keys.append(key)
            self._changed.notify_all()
        self._answer(key)

    def wait_for(self, calls):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.keys) >= calls, PATIENCE_SECONDS), self.keys


@pytest.fixture
def notifications(aws):
    started = []

    def start(bucket, loader, *, queue_name=None, **arguments):
        made = BucketNotifications(
            bucket=bucket,
            prefix="processed/",
            queue_name=queue_name or aws.unique("events"),
            s3=aws.client("s3"),
            sqs=aws.client("sqs"),
            function=loader.function,
            **{"settings": QUICK, **arguments},
        )
        made.start()
        started.append(made)
        return made

    yield start
    for made in started:
        made.stop()


def until_done(made, events):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (made.idle and made.counters.events >= events):
        assert time.monotonic() < deadline, made.counters
        time.sleep(0.01)


def put(aws, bucket, key):
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")


def messages_left(aws, queue_name):
    sqs = aws.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
    return {
        name: int(n) for name, n in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].items()
    }


def test_each_new_object_under_the_prefix_invokes_the_function_with_its_key_url_encoded(aws, notifications):
    bucket, queue_name, loader = aws.bucket(), aws.unique("events"), Loader()
    made = notifications(bucket, loader, queue_name=queue_name)

    for key in ["processed/a b+c=é.csv", "processed/2.csv", "failed/3.csv"]:
        put(aws, bucket, key)
    until_done(made, 2)

    assert sorted(loader.keys) == ["processed/2.csv", "processed/a b+c=é.csv"]
    assert messages_left(aws, queue_name) == {
        "ApproximateNumberOfMessages": 0,
        "ApproximateNumberOfMessagesNotVisible": 0,
    }


def test_the_test_event_and_what_s3_does_not_send_reach_no_function(aws, notifications):
    bucket, queue_name, loader = aws.bucket(), aws.unique("events"), Loader()
    url = aws.client("sqs").create_queue(QueueName=queue_name)["QueueUrl"]
    for body in ['{"Service": "Amazon S3", "Event": "s3:TestEvent"}', "not json"]:
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)

    made = notifications(bucket, loader, queue_name=queue_name)
    put(aws, bucket, "processed/1.csv")
    until_done(made, 1)

    assert loader.keys == ["processed/1.csv"]
    assert made.counters.messages_ignored >= 2


def test_other_notifications_of_the_bucket_stay(aws, notifications):
    bucket = aws.bucket()
    topic = aws.client("sns").create_topic(Name=aws.unique("failed"))["TopicArn"]
    other = {
        "Id": "failed",
        "TopicArn": topic,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "failed/"}]}},
    }
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [other]}
    )

    notifications(bucket, Loader(), queue_name="events-of-others")

    saved = aws.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    assert [topic["Id"] for topic in saved["TopicConfigurations"]] == ["failed"]
    assert [queue["Id"] for queue in saved["QueueConfigurations"]] == ["events-of-others"]


def test_a_function_error_is_retried_twice_then_the_destination_gets_the_event(aws, notifications):
    bucket, kept = aws.bucket(), aws.bucket("kept")

    def answer(key):
        if "poison" in key:
            raise ValueError("no such table")

    loader = Loader(answer)
    made = notifications(bucket, loader, on_failure=BucketDestination(s3=aws.client("s3"), bucket=kept))
    put(aws, bucket, "processed/poison.csv")
    put(aws, bucket, "processed/good.csv")
    until_done(made, 2)

    (listed,) = aws.client("s3").list_objects_v2(Bucket=kept)["Contents"]
    record = json.loads(aws.client("s3").get_object(Bucket=kept, Key=listed["Key"])["Body"].read())
    assert Counter(loader.keys) == {"processed/poison.csv": 3, "processed/good.csv": 1}
    assert record["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "processed/poison.csv"
    assert (record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]) == (
        "RetriesExhausted",
        3,
    )
    assert record["responsePayload"] == {"errorMessage": "no such table", "errorType": "ValueError", "stackTrace": []}
    assert listed["Key"].startswith("aws/lambda/async/loader/20")
    assert (made.counters.succeeded, made.counters.failed, made.counters.retries) == (1, 1, 2)


def test_a_destination_can_be_a_queue(aws, notifications):
    def answer(_key):
        raise ValueError("boom")

    sqs = aws.client("sqs")
    queue_url = sqs.create_queue(QueueName=aws.unique("dead"))["QueueUrl"]
    bucket = aws.bucket()
    made = notifications(bucket, Loader(answer), on_failure=QueueDestination(sqs=sqs, queue_url=queue_url))
    put(aws, bucket, "processed/poison.csv")
    until_done(made, 1)

    (message,) = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    assert json.loads(message["Body"])["requestPayload"]["Records"][0]["s3"]["bucket"]["name"] == bucket


def test_an_event_that_was_not_done_before_a_crash_comes_again(aws, notifications):
    """A stand-in that dies leaves its messages on the queue; a stop hands back at once those that still wait."""
    bucket, queue_name = aws.bucket(), aws.unique("events")

    def answer(_key):
        raise ValueError("the database is down")

    slow = AsynchronousSettings(retry_delays_seconds=(3600,))
    first = Loader(answer)
    made = notifications(bucket, first, queue_name=queue_name, settings=slow)
    put(aws, bucket, "processed/1.csv")
    first.wait_for(calls=1)
    left_while_waiting = messages_left(aws, queue_name)
    made.stop()

    second = Loader()
    made = notifications(bucket, second, queue_name=queue_name)
    second.wait_for(calls=1)
    until_done(made, 1)

    assert left_while_waiting["ApproximateNumberOfMessagesNotVisible"] == 1
    assert second.keys == ["processed/1.csv"]
    assert sum(messages_left(aws, queue_name).values()) == 0


def test_several_events_are_worked_on_at_the_same_time_up_to_the_limit(aws, notifications):
    bucket = aws.bucket()
    together = threading.Barrier(3)
    running, most = [], []

    def answer(key):
        running.append(key)
        together.wait(PATIENCE_SECONDS)
        most.append(len(running))
        together.wait(PATIENCE_SECONDS)
        running.remove(key)

    loader = Loader(answer)
    made = notifications(bucket, loader, max_concurrency=3)
    for number in range(6):
        put(aws, bucket, f"processed/{number}.csv")
    until_done(made, 6)

    assert made.counters.succeeded == 6
    assert max(most) == 3


@pytest.mark.parametrize(
    ("fault", "calls", "counters"),
    [
        ("notification.lose", 0, {"events": 1, "lost": 1}),
        ("notification.duplicate", 2, {"events": 2, "succeeded": 2, "invocations": 2, "duplicated": 1}),
        ("notification.delay", 1, {"events": 1, "succeeded": 1, "invocations": 1, "delayed": 1}),
    ],
)
def test_a_fault_loses_doubles_or_delays_an_event(aws, notifications, fault, calls, counters):
    bucket, loader = aws.bucket(), Loader()
    made = notifications(bucket, loader, faults=Faults(rates={fault: 1.0}), fault_delay_seconds=0.1)

    put(aws, bucket, "processed/1.csv")
    until_done(made, 1)

    assert loader.keys == ["processed/1.csv"] * calls
    ignored = made.counters.messages_ignored
    assert made.counters == NotificationCounters(messages=1 + ignored, messages_ignored=ignored, **counters)
