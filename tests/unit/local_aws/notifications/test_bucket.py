import json
import threading

import pytest
from botocore.exceptions import ClientError

from local_aws.functions import FunctionError, Invocation
from local_aws.notifications.bucket import BucketNotifications
from local_aws.notifications.delivery import AsynchronousSettings

PATIENCE_SECONDS = 20


class FakeS3:
    def get_bucket_notification_configuration(self, **_arguments):
        return {}

    def put_bucket_notification_configuration(self, **_arguments):
        """Accept it."""


class FakeSqs:
    """A queue that gives out its messages once, and writes down what is asked about them."""

    def __init__(self, *bodies, failing=()):
        self.messages = [
            {"ReceiptHandle": str(number), "Body": body, "Attributes": {"SentTimestamp": "1000"}}
            for number, body in enumerate(bodies)
        ]
        self.failing = list(failing)
        self.said = []
        self._changed = threading.Condition()

    def get_queue_url(self, **_arguments):
        return {"QueueUrl": "url"}

    def get_queue_attributes(self, **_arguments):
        return {"Attributes": {"QueueArn": "arn"}}

    def receive_message(self, **_arguments):
        with self._changed:
            self._fail("receive")
            given, self.messages = self.messages[:10], self.messages[10:]
            if not given:
                self._changed.wait(0.01)
            return {"Messages": given}

    def delete_message(self, **arguments):
        with self._changed:
            self._say("delete", arguments["ReceiptHandle"])
            self._fail("delete")

    def change_message_visibility_batch(self, **arguments):
        with self._changed:
            for entry in arguments["Entries"]:
                self._say("hide", entry["ReceiptHandle"], entry["VisibilityTimeout"])
            self._fail("hide")

    def wait_for(self, *what):
        with self._changed:
            assert self._changed.wait_for(lambda: what in self.said, PATIENCE_SECONDS), self.said

    def _say(self, *what):
        self.said.append(what)
        self._changed.notify_all()

    def _fail(self, what):
        if what in self.failing:
            self.failing.remove(what)
            raise ClientError({"Error": {"Code": "InternalError", "Message": ""}}, what)


class HeldFunction:
    """Work on an event until it is released; fail when told to."""

    name = "loader"
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:loader:$LATEST"

    def __init__(self, error=None):
        self.entered = threading.Semaphore(0)
        self.released = threading.Semaphore(0)
        self.error = error

    def invoke(self, _event):
        self.entered.release()
        assert self.released.acquire(timeout=PATIENCE_SECONDS)
        return Invocation("request", error=self.error)


class SetClock:
    def __init__(self):
        self.now = 1.0

    def __call__(self):
        return self.now


def a_message(records=1):
    return json.dumps({"Records": [{"s3": {"object": {"key": str(number)}}} for number in range(records)]})


@pytest.fixture
def notifications():
    started = []

    def start(sqs, function, **arguments):
        made = BucketNotifications(
            bucket="bucket", prefix="", queue_name="queue", s3=FakeS3(), sqs=sqs, function=function, **arguments
        )
        made.start()
        started.append(made)
        return made

    yield start
    for made in started:
        made.stop()


def test_a_message_is_deleted_only_after_all_its_events_are_done(notifications):
    sqs, function = FakeSqs(a_message(records=2)), HeldFunction()
    made = notifications(sqs, function, max_concurrency=1, clock=SetClock())

    assert function.entered.acquire(timeout=PATIENCE_SECONDS)
    function.released.release()
    assert function.entered.acquire(timeout=PATIENCE_SECONDS)
    said_after_the_first, idle_after_the_first = list(sqs.said), made.idle
    function.released.release()
    sqs.wait_for("delete", "0")

    assert (said_after_the_first, idle_after_the_first) == ([], False)
    assert sqs.said == [("delete", "0")]


def test_a_message_that_is_worked_on_is_hidden_again_in_time(notifications):
    sqs, function, clock = FakeSqs(a_message()), HeldFunction(), SetClock()
    notifications(sqs, function, clock=clock)
    assert function.entered.acquire(timeout=PATIENCE_SECONDS)

    # A third of the 30 s for which it is hidden.
    clock.now += 10

    sqs.wait_for("hide", "0", 30)
    function.released.release()
    sqs.wait_for("delete", "0")


def test_a_stop_hands_back_at_once_what_waits_for_a_retry(notifications):
    sqs, function = FakeSqs(a_message()), HeldFunction(FunctionError("Unhandled", "ValueError", "boom"))
    made = notifications(sqs, function, clock=SetClock(), settings=AsynchronousSettings())
    assert function.entered.acquire(timeout=PATIENCE_SECONDS)
    function.released.release()

    made.stop()

    assert sqs.said == [("hide", "0", 0)]


def test_a_queue_that_refuses_a_call_is_asked_again_and_loses_nothing(notifications):
    sqs, function = FakeSqs(a_message(), failing=["receive", "delete"]), HeldFunction()
    function.released.release()
    made = notifications(sqs, function, clock=SetClock())

    sqs.wait_for("delete", "0")
    made.stop()

    assert (made.counters.queue_errors, made.counters.succeeded) == (2, 1)
