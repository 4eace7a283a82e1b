"""Writing a workload: batches, what the table leaves unprocessed, and errors of AWS."""

import copy

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.aws import AwsSetUpError
from operator_cli.clickstream import Operation
from operator_cli.seeding import Seeder, UnprocessedItemsError, batches


def put(page, visit="1"):
    return Operation((page, visit), {"page_id": page, "activity_dt": visit, "payload": "{}"})


def delete(page, visit="1"):
    return Operation((page, visit), None)


def put_request(page, visit="1"):
    return {"PutRequest": {"Item": {"page_id": {"S": page}, "activity_dt": {"S": visit}, "payload": {"S": "{}"}}}}


class Table:
    """Leaves of call number n the writes at the positions *unprocessed*[n]; then takes everything."""

    def __init__(self, *unprocessed, error=None):
        self.calls = []
        self._unprocessed = list(unprocessed)
        self._error = error

    def batch_write_item(self, *, RequestItems):  # noqa: N803 - the names of the SDK
        if self._error:
            raise self._error
        [(_, requests)] = RequestItems.items()
        self.calls.append(copy.deepcopy(RequestItems))
        positions = self._unprocessed.pop(0) if self._unprocessed else ()
        left = [requests[position] for position in positions]
        return {"UnprocessedItems": {"visits": left} if left else {}}


def seeder(table, pauses=None):
    sleep = (lambda _: None) if pauses is None else pauses.append
    return Seeder(table, table="visits", key=("page_id", "activity_dt"), sleep=sleep)


def test_puts_and_deletes_are_written_in_order_in_one_batch():
    table, told = Table(), []

    count = seeder(table).write([put("a"), delete("b")], written=told.append)

    key = {"page_id": {"S": "b"}, "activity_dt": {"S": "1"}}
    assert table.calls == [{"visits": [put_request("a"), {"DeleteRequest": {"Key": key}}]}]
    assert told == [(put("a"), delete("b"))]
    assert count == 2


def test_only_unprocessed_writes_are_offered_again_after_growing_pauses():
    table, pauses = Table((0, 2), (1,)), []

    seeder(table, pauses).write([put("a"), put("b"), put("c")], written=lambda _: None)

    assert table.calls == [
        {"visits": [put_request("a"), put_request("b"), put_request("c")]},
        {"visits": [put_request("a"), put_request("c")]},
        {"visits": [put_request("c")]},
    ]
    assert pauses == [0.05, 0.1]


def test_a_table_that_keeps_refusing_is_given_up_with_the_count_and_the_mend():
    table, pauses, told = Table(*[(0,)] * 10), [], []

    with pytest.raises(UnprocessedItemsError, match="table visits left 1 writes undone; raise its capacity"):
        seeder(table, pauses).write([put("a")], written=told.append)

    assert len(table.calls) == 10
    assert pauses == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0])
    assert told == []


def test_an_error_of_aws_names_the_table_and_what_mends_it():
    error = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "gone"}}, "BatchWriteItem")

    with pytest.raises(AwsSetUpError) as caught:
        seeder(Table(error=error)).write([put("a")], written=lambda _: None)

    assert str(caught.value) == (
        "BatchWriteItem on table visits failed with ResourceNotFoundException (gone): it is not there; create it, or "
        "check the region and AWS_ENDPOINT_URL"
    )


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (25, [25]), (26, [25, 1])])
def test_a_batch_holds_at_most_25_writes(count, sizes):
    assert [len(batch) for batch in batches(put(str(number)) for number in range(count))] == sizes


@given(
    st.lists(st.builds(lambda page, dead: (delete if dead else put)(page), st.sampled_from("abcdef"), st.booleans()))
)
def test_the_same_key_is_never_twice_in_a_batch_and_the_order_is_kept(planned):
    made = list(batches(planned))

    assert [operation for batch in made for operation in batch] == planned
    assert all(len({operation.key for operation in batch}) == len(batch) for batch in made)
