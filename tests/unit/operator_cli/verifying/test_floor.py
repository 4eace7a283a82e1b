"""The floor lies below every change to come, wherever it is written."""

import pytest
from builders import STREAM_EPOCH_MS
from fake_dynamodb import FakeDynamoDb, throttled

from operator_cli.aws import AwsCallError
from operator_cli.verifying.floor import version_floor

_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/things/stream/2026-01-05T10:00:00.000"
_EPOCH = STREAM_EPOCH_MS * 10**40


def floor_of(*bounds):
    table = FakeDynamoDb()
    table.shards = [{"ShardId": f"shard-{number}", "SequenceNumberRange": bound} for number, bound in enumerate(bounds)]
    return version_floor(table, _ARN)


def test_it_is_below_the_beginning_of_every_open_shard_on_whatever_page():
    assert floor_of({"StartingSequenceNumber": "900"}, {"StartingSequenceNumber": "1000"}) == _EPOCH + 899


def test_a_closed_shard_takes_no_more_changes():
    closed = {"StartingSequenceNumber": "5", "EndingSequenceNumber": "899"}

    assert floor_of(closed, {"StartingSequenceNumber": "900"}) == _EPOCH + 899


@pytest.mark.parametrize("bounds", [[], [{}], [{"StartingSequenceNumber": "5", "EndingSequenceNumber": "6"}]])
def test_where_nothing_is_known_of_the_shards_it_is_below_the_stream(bounds):
    assert floor_of(*bounds) == _EPOCH - 1


def test_a_table_without_a_stream_has_none():
    assert version_floor(FakeDynamoDb(), None) == 0


def test_a_stream_that_cannot_be_described_is_an_error():
    table = FakeDynamoDb()

    def fail(name):
        raise throttled(name)

    table.fails = fail
    with pytest.raises(AwsCallError):
        version_floor(table, _ARN)
