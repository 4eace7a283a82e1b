import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace

from loader_fixtures import a_pipeline

from ddb2aurora.database.ledger import ObjectRef
from local_aws.chaos.mending import Mender
from local_aws.functions import FunctionError, Invocation
from operator_cli.sweeping import announcement_of

NOW = datetime(2026, 1, 5, tzinfo=UTC)
FAILED = "failed/things/processing-failed/2026/01/05/12/x"
BATCH = "aws/lambda/mapping/shard/x"
STREAM = "arn:aws:dynamodb:eu-west-1:111122223333:table/things/stream/2026-01-05T10:00:00.000"


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
                "Versions": [
                    {
                        "Key": key,
                        "ETag": '"e"',
                        "VersionId": "null",
                        "Size": len(self.objects[key]),
                        "LastModified": NOW,
                    }
                ]
            },
        }[operation]
        return SimpleNamespace(
            paginate=lambda **given: [listing(key) for key in self.objects if key.startswith(given["Prefix"])]
        )

    def get_object(self, **given):
        return {"Body": io.BytesIO(self.objects[given["Key"]])}

    def delete_object(self, **given):
        del self.objects[given["Key"]]


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


def a_mender(*, objects=None, loader=None, stream_processor=None):
    clients = SimpleNamespace(s3=FakeS3(objects if objects is not None else {}))
    functions = {"loader": loader or FakeFunction(), "stream_processor": stream_processor or FakeFunction()}
    return Mender(a_pipeline(), clients=clients, bucket="bucket", **functions)


def test_a_sweep_loads_the_objects_that_the_ledger_lacks():
    loader = FakeFunction("crash", {})
    names = [f"processed/things/{name}.csv" for name in "abc"]
    mender = a_mender(objects=dict.fromkeys(names, b"row\n"), loader=loader)
    refs = [ObjectRef("bucket", name, etag="e", size=4) for name in names]

    count = mender.sweep(FakeConnection(refs[1]))

    assert count == 2
    assert loader.events == [announcement_of(refs[0]), announcement_of(refs[2])]
    assert mender.mended == {"objects swept": 1}


def test_what_fails_again_is_counted_by_nobody_and_stays():
    objects = {FAILED: b"not json\n"}
    mender = a_mender(objects=objects)

    count = mender.redrive_records()

    assert (count, mender.mended, list(objects)) == (0, {"failed records redriven": 0}, [FAILED])


def test_a_batch_that_crashes_the_stream_processor_again_stays():
    record = {"eventSourceARN": STREAM, "dynamodb": {"SequenceNumber": "7"}}
    objects = {BATCH: json.dumps({"payload": json.dumps({"Records": [record]})}).encode()}
    stream_processor = FakeFunction("crash")

    count = a_mender(objects=objects, stream_processor=stream_processor).replay_batches()

    assert (count, stream_processor.events, list(objects)) == (0, [{"Records": [record]}], [BATCH])
