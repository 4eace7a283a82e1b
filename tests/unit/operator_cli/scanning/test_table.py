"""A table is read by segments, in pages of a size that is asked for, as a stream would carry its items."""

import pytest
from builders import dynamodb_json
from fake_dynamodb import FakeDynamoDb

from operator_cli.scanning.budget import ReadBudget
from operator_cli.scanning.table import TableScan, as_in_a_stream, described, for_sdk

_ITEMS = [{"id": f"item-{number}", "n": number} for number in range(7)]


def a_scan(table):
    return TableScan(table, "things", budget=ReadBudget(None))


@pytest.mark.parametrize("segments", [1, 3])
def test_the_segments_together_hold_every_item(segments):
    scan = a_scan(FakeDynamoDb(*_ITEMS))

    found = [item for segment in range(segments) for page in scan.pages(segment, of=segments) for item in page.items]

    assert sorted(found, key=lambda item: item["id"]["S"]) == [dynamodb_json(item) for item in _ITEMS]


@pytest.mark.parametrize("consistent", [True, False])
def test_a_read_is_as_consistent_as_it_is_asked_to_be(consistent):
    table = FakeDynamoDb(*_ITEMS)

    list(a_scan(table).pages(0, of=1, consistent=consistent, limit=5))

    assert {(call["ConsistentRead"], call["Limit"]) for _, call in table.calls} == {(consistent, 5)}


def test_a_page_without_a_limit_asks_for_none():
    table = FakeDynamoDb(*_ITEMS)

    list(a_scan(table).pages(0, of=1))

    assert not any("Limit" in call for _, call in table.calls)


def test_what_dynamodb_says_of_a_table_begins_with_the_hash_key():
    table = FakeDynamoDb(*_ITEMS, key={"n": "N", "id": "S"})

    assert list(described(table, "things").key.items()) == [("n", "N"), ("id", "S")]


def test_binary_is_handed_to_the_sdk_as_bytes():
    assert for_sdk({"id": {"B": "AP8="}, "n": {"N": "5"}}) == {"id": {"B": b"\x00\xff"}, "n": {"N": "5"}}


def test_binary_is_base64_as_in_a_stream():
    item = {"a": {"B": b"\x00\xff"}, "b": {"L": [{"BS": [b"\x01"]}]}, "c": {"S": "x"}}

    assert as_in_a_stream(item) == {"a": {"B": "AP8="}, "b": {"L": [{"BS": ["AQ=="]}]}, "c": {"S": "x"}}
