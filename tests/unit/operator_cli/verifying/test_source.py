"""The source is read by segments and by key, within its budget, and says what is wrong with it."""

import pytest
from builders import a_column, a_pipeline, dynamodb_json
from fake_dynamodb import FakeDynamoDb, throttled

from ddb2aurora.pipeline import KeyPart
from operator_cli.aws import AwsCallError
from operator_cli.scanning.budget import ReadBudget
from operator_cli.verifying.source import KeyOfTableError, Source, UnprocessedKeysError

_ITEMS = [{"id": f"item-{number}", "n": number, "note": "x", "other": b"y"} for number in range(7)]
_EXPECTED = [dynamodb_json({"id": item["id"], "n": item["n"], "note": "x"}) for item in _ITEMS]


def a_source(table, *, pipeline=None, budget=None):
    return Source(table, pipeline or a_pipeline(), budget=budget or ReadBudget(None), sleep=lambda _: None)


def all_of(source, *, segments):
    pages = [page for segment in range(segments) for page in source.pages(segment, of=segments)]
    return sorted((item for page in pages for item in page.items), key=lambda item: item["id"]["S"])


@pytest.mark.parametrize("segments", [1, 3])
def test_the_segments_together_hold_every_item_with_what_columns_read(segments):
    assert all_of(a_source(FakeDynamoDb(*_ITEMS)), segments=segments) == _EXPECTED


def test_a_segment_goes_on_behind_its_last_page():
    source = a_source(FakeDynamoDb(*_ITEMS))
    first = next(source.pages(0, of=1))

    rest = [item for page in source.pages(0, of=1, resume_at=first.resume_at) for item in page.items]

    assert [*first.items, *rest] == _EXPECTED


def test_every_read_is_consistent():
    table = FakeDynamoDb(*_ITEMS)
    source = a_source(table)
    list(source.pages(0, of=1))
    list(source.get([{"id": {"S": "item-1"}}]))

    scans = [arguments["ConsistentRead"] for name, arguments in table.calls if name == "scan"]
    gets = [
        arguments["RequestItems"]["things"]["ConsistentRead"]
        for name, arguments in table.calls
        if name == "batch_get_item"
    ]
    assert (set(scans), gets) == ({True}, [True])


def test_what_a_batch_hands_back_is_asked_for_again():
    source = a_source(FakeDynamoDb(*_ITEMS, batch_items=2))

    found = list(source.get([{"id": item["id"]} for item in [*_EXPECTED, dynamodb_json({"id": "none"})]]))

    assert sorted(found, key=lambda item: item["id"]["S"]) == _EXPECTED


def test_what_a_batch_never_gives_is_an_error():
    source = a_source(FakeDynamoDb(*_ITEMS, batch_items=0))

    with pytest.raises(UnprocessedKeysError, match="table things kept back 1 items"):
        list(source.get([{"id": {"S": "item-1"}}]))


def test_more_keys_than_a_batch_takes_are_asked_for_in_several():
    table = FakeDynamoDb()

    list(a_source(table).get([{"id": {"S": str(number)}} for number in range(101)]))

    sizes = [len(call["RequestItems"]["things"]["Keys"]) for name, call in table.calls if name == "batch_get_item"]
    assert sizes == [100, 1]


def test_a_table_that_is_throttled_is_an_error_that_may_pass():
    table = FakeDynamoDb(*_ITEMS)
    source = a_source(table)

    def fail(name):
        raise throttled(name)

    table.fails = fail
    with pytest.raises(AwsCallError, match="on table things failed with ProvisionedThroughputExceeded"):
        list(source.pages(0, of=1))


def test_a_table_with_another_key_is_an_error_that_names_both():
    with pytest.raises(KeyOfTableError, match="has the key id, and pipeline things names id, n"):
        a_source(FakeDynamoDb(), pipeline=a_pipeline(source_key=("id", "n")))


def test_the_order_of_a_key_is_that_of_its_parts():
    table = FakeDynamoDb(key={"id": "S", "n": "N"})
    columns = (a_column("id", "varchar(10)"), a_column("n", "int"))

    assert list(a_source(table, pipeline=a_pipeline(source_key=("id", "n"), columns=columns)).key_types.items()) == [
        ("id", "S"),
        ("n", "N"),
    ]


def test_the_item_that_is_kept_for_heartbeats_is_no_part_of_the_data():
    import msgspec  # noqa: PLC0415 - used once

    pipeline = msgspec.structs.replace(a_pipeline(), heartbeat=(KeyPart("id", "S", "item-3"),))
    source = a_source(FakeDynamoDb(*_ITEMS), pipeline=pipeline)

    assert all_of(source, segments=1) == [item for item in _EXPECTED if item["id"]["S"] != "item-3"]
    assert list(source.get([{"id": {"S": "item-3"}}])) == []


def test_each_read_waits_until_those_before_it_are_paid_for():
    pauses = []
    budget = ReadBudget(10, monotonic=lambda: sum(pauses), wait=pauses.append)
    table = FakeDynamoDb(*_ITEMS, page_items=3)
    table.units = 5

    list(a_source(table, budget=budget).pages(0, of=1))

    assert pauses == [0.5, 0.5]
    assert budget.take_spent() == 15
    assert budget.take_spent() == 0


def test_an_answer_that_does_not_say_what_it_cost_is_paid_by_its_size():
    table = FakeDynamoDb({"id": "a", "note": "x" * 9000}, page_items=10)
    budget = ReadBudget(None)
    table.units = None
    answers = table.scan

    def scan(**arguments):
        return {name: value for name, value in answers(**arguments).items() if name != "ConsumedCapacity"}

    table.scan = scan
    list(a_source(table, budget=budget).pages(0, of=1))

    assert 2 < budget.take_spent() < 3
