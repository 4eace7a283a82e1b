import json

import pytest
from builders import a_pipeline

from operator_cli.redriving.batches import Batches, NotABatchError, records_of, table_of
from operator_cli.redriving.tally import Circuit, Tally

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/things/stream/2026-01-05T10:00:00.000"
KEY = "aws/lambda/mapping/shard/2026/01/05/a"


def a_record(number: int) -> dict:
    return {"eventSourceARN": ARN, "dynamodb": {"SequenceNumber": str(number)}}


def a_batch(*numbers: int) -> bytes:
    return json.dumps({"payload": json.dumps({"Records": [a_record(number) for number in numbers]})}).encode()


class KeptInMemory:
    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.settled = []

    def keys(self, prefix):
        return [key for key in self.objects if key.startswith(prefix)]

    def read(self, key):
        return self.objects[key]

    def settle(self, key, *, note):
        self.settled.append((key, note))

    def url(self, key):
        return f"s3://bucket/{key}"


class AStreamProcessor:
    """Answers with the failures it was told of, one list an invocation, then with none."""

    def __init__(self, *failures: list[int]) -> None:
        self._failures = list(failures)
        self.given = []

    def __call__(self, event):
        self.given.append([int(record["dynamodb"]["SequenceNumber"]) for record in event["Records"]])
        failed = self._failures.pop(0) if self._failures else []
        return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in failed]}


def redrive(kept, function, *, dry=False):
    tally = Tally("batches")
    batches = Batches(kept, pipeline=a_pipeline(), stream_processor=function)
    batches.redrive_batches(tally, Circuit(most=0.5), dry=dry)
    return tally


def test_what_is_reported_as_failed_is_given_again_with_all_that_follows_it():
    function = AStreamProcessor([100, 9])
    kept = KeptInMemory(**{KEY: a_batch(8, 9, 100, 101)})

    tally = redrive(kept, function)

    assert function.given == [[8, 9, 100, 101], [9, 100, 101]]
    assert (tally.redriven, tally.failing, [key for key, _ in kept.settled]) == (4, 0, [KEY])


def test_a_batch_of_which_some_changes_are_never_taken_stays():
    function = AStreamProcessor(*[[9]] * 20)
    kept = KeptInMemory(**{KEY: a_batch(8, 9)})

    tally = redrive(kept, function)

    assert (tally.redriven, dict(tally.reasons), kept.settled) == (1, {"not_forwarded": 1}, [])


def test_a_dry_run_invokes_nothing():
    function = AStreamProcessor()

    tally = redrive(KeptInMemory(**{KEY: a_batch(8, 9)}), function, dry=True)

    assert (tally.redriven, function.given) == (2, [])


def test_what_an_asynchronous_invocation_left_is_no_batch():
    assert redrive(KeptInMemory(**{"aws/lambda/async/f/a": b"{}"}), AStreamProcessor()).kept_in == 0


@pytest.mark.parametrize("content", [b"", b"[]", b'{"payload": "{}"}', b'{"payload": "{\\"Records\\": []}"}'])
def test_an_object_that_holds_no_batch_is_told_of(content):
    with pytest.raises(NotABatchError):
        records_of(content)


def test_the_table_is_that_of_the_stream():
    assert table_of([{"eventSourceARN": "nonsense"}, a_record(1)]) == "things"
    assert table_of([{}]) is None
