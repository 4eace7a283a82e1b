import io
import json
from types import SimpleNamespace

import pytest
from loader_fixtures import a_pipeline

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.envelope import Change, encode_change
from ddb2aurora.failed import FailedRecord, encode_failed
from local_aws.chaos.mending import Mender
from local_aws.functions import FunctionError, Invocation
from operator_cli.sweeping import announcement_of

FAILED = "failed/things/processing-failed/2026/01/05/12/x"


class FakeFunction:
    """A function that writes down its events and answers, or fails, as it is told."""

    name = arn = "function"

    def __init__(self, *answers):
        self.answers = list(answers)
        self.events = []

    def invoke(self, event):
        self.events.append(event)
        answer = self.answers.pop(0) if self.answers else {}
        error = FunctionError("Unhandled", "Crash", "died") if answer == "crash" else None
        return Invocation("id", payload=None if error else answer, error=error)


class FakeS3:
    """A bucket of a dictionary."""

    def __init__(self, objects):
        self.objects = objects

    def get_paginator(self, operation):
        listing = {
            "list_objects_v2": lambda key: {"Contents": [{"Key": key}]},
            "list_object_versions": lambda key: {
                "Versions": [{"Key": key, "ETag": '"e"', "VersionId": "null", "Size": len(self.objects[key])}]
            },
        }[operation]
        return SimpleNamespace(
            paginate=lambda **given: [listing(key) for key in self.objects if key.startswith(given["Prefix"])]
        )

    def get_object(self, **given):
        return {"Body": io.BytesIO(self.objects[given["Key"]])}

    def delete_object(self, **given):
        del self.objects[given["Key"]]


class FakeSqs:
    """A queue that hides what it has given out."""

    def __init__(self, *payloads):
        bodies = [json.dumps({"requestPayload": payload}) for payload in payloads]
        self.left = {str(number): body for number, body in enumerate(bodies)}
        self._given = iter([list(self.left.items()), []])

    def get_queue_url(self, **given):
        assert given == {"QueueName": "things-aurora-loader-failures"}
        return {"QueueUrl": "url"}

    def receive_message(self, **_given):
        return {"Messages": [{"ReceiptHandle": receipt, "Body": body} for receipt, body in next(self._given)]}

    def delete_message(self, **given):
        del self.left[given["ReceiptHandle"]]


class FakeFirehose:
    """A stream that refuses the first record of its first call."""

    def __init__(self):
        self.calls = []

    def put_record_batch(self, **given):
        assert given["DeliveryStreamName"] == "things"
        self.calls.append([record["Data"] for record in given["Records"]])
        answers = [{} for _ in given["Records"]]
        if len(self.calls) == 1:
            answers[0] = {"ErrorCode": "ServiceUnavailableException"}
        return {"RequestResponses": answers}


class FakeConnection:
    """A database whose ledger holds the given objects."""

    def __init__(self, *refs):
        self._refs = refs

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Close it."""

    def execute(self, _statement, arguments):
        self._found = [(ref.object_id,) for ref in self._refs if ref.object_id in arguments]

    def fetchall(self):
        return self._found


def a_mender(*, objects=None, sqs=None, firehose=None, loader=None, stream_processor=None):
    clients = SimpleNamespace(s3=FakeS3(objects if objects is not None else {}), sqs=sqs, firehose=firehose)
    functions = {"loader": loader or FakeFunction(), "stream_processor": stream_processor or FakeFunction()}
    return Mender(a_pipeline(), clients=clients, bucket="bucket", **functions)


def a_line(**image):
    image = {"id": {"S": "a"}, **image}
    keys = {"id": image["id"]}
    return encode_change(
        Change(
            event="INSERT",
            event_id="1",
            table="things",
            keys=keys,
            image=image,
            changed_at_ms=1000,
            sequence_number="7",
            stream_epoch_ms=1,
        )
    )


def a_failed_record(line):
    return encode_failed(
        FailedRecord(
            attempts_made=4,
            arrival_timestamp=1,
            error_code="Lambda.FunctionError",
            error_message="",
            attempt_ending_timestamp=2,
            raw_data=line,
        )
    )


def test_a_sweep_loads_the_objects_that_the_ledger_lacks():
    loader = FakeFunction("crash", {})
    names = [f"processed/things/{name}.csv" for name in "abc"]
    mender = a_mender(objects=dict.fromkeys(names, b"row\n"), loader=loader)
    refs = [ObjectRef("bucket", name, etag="e", size=4) for name in names]

    count = mender.sweep(FakeConnection(refs[1]))

    assert count == 2
    assert loader.events == [announcement_of(refs[0]), announcement_of(refs[2])]
    assert mender.mended == {"objects swept": 1}


def test_an_event_stays_in_the_queue_of_failures_until_the_loader_has_done_it():
    sqs = FakeSqs({"n": 1}, {"n": 2})
    loader = FakeFunction("crash", {})

    count = a_mender(sqs=sqs, loader=loader).redrive_events()

    assert (count, loader.events) == (2, [{"n": 1}, {"n": 2}])
    assert list(sqs.left) == ["0"]


@pytest.mark.parametrize(
    ("answer", "left"),
    [({"batchItemFailures": []}, 0), ({"batchItemFailures": [{"itemIdentifier": "1"}]}, 1), ("crash", 1)],
)
def test_a_discarded_batch_is_kept_until_all_of_it_is_delivered(answer, left):
    objects = {"aws/lambda/m/s/x": json.dumps({"payload": json.dumps({"Records": [1]})}).encode()}
    stream_processor = FakeFunction(answer)

    count = a_mender(objects=objects, stream_processor=stream_processor).replay_batches()

    assert (count, stream_processor.events) == (1, [{"Records": [1]}])
    assert len(objects) == left


def test_failed_records_that_fit_are_given_to_firehose_once_and_the_others_stay():
    fits, also, broken = a_line(), a_line(name={"S": "n"}), a_line(name={"S": "x" * 41})
    firehose = FakeFirehose()
    content = b"".join(a_failed_record(line) for line in (fits, broken, also))
    mender = a_mender(objects={FAILED: content}, firehose=firehose)

    counts = [mender.redrive_records(), mender.redrive_records()]

    assert counts == [2, 0]
    assert firehose.calls == [[fits, also], [fits]]
