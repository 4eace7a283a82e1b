"""Write a workload into a DynamoDB table: in batches, again for what the table did not take, with progress."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeSerializer

from ddb2aurora.errors import RetryError
from operator_cli.clickstream import Operation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_BATCH_WRITES: Final = 25  # DynamoDB: BatchWriteItem takes at most 25 writes, each of another item
_MOST_TRIES: Final = 10
_SERIALIZER: Final = TypeSerializer()


class UnprocessedItemsError(RetryError):
    """The table did not take some writes, however often they were offered."""


def batches(operations: Iterable[Operation]) -> Iterator[tuple[Operation, ...]]:
    """Yield *operations* in order, in groups that one BatchWriteItem takes."""
    group: dict[tuple[str, str], Operation] = {}
    for operation in operations:
        if len(group) == MAX_BATCH_WRITES or operation.key in group:
            yield tuple(group.values())
            group = {}
        group[operation.key] = operation
    if group:
        yield tuple(group.values())


class Seeder:
    """Write operations into one table."""

    def __init__(self, client: "DynamoDBClient", *, table: str, key: Sequence[str]) -> None:
        """Write into *table*, whose key attributes are *key*."""
        self._client = client
        self._table = table
        self._key = tuple(key)

    def write(self, operations: Iterable[Operation], *, written: Callable[[Sequence[Operation]], None]) -> int:
        """
        Write *operations* in order, call *written* after each batch, and return how many there were.

        Raises:
            UnprocessedItemsError: The table kept refusing some of them.
        """
        count = 0
        for batch in batches(operations):
            self._write_batch([self._request(operation) for operation in batch])
            written(batch)
            count += len(batch)
        return count

    def _request(self, operation: Operation) -> dict[str, Any]:
        if operation.item is None:
            return {"DeleteRequest": {"Key": _serialize(dict(zip(self._key, operation.key, strict=True)))}}
        return {"PutRequest": {"Item": _serialize(operation.item)}}

    def _write_batch(self, requests: list[Any]) -> None:
        for attempt in range(_MOST_TRIES):
            answer = self._client.batch_write_item(RequestItems={self._table: requests})
            requests = list(answer.get("UnprocessedItems", {}).get(self._table, []))
            if not requests:
                return
            time.sleep(min(2.0, 0.05 * 2**attempt))
        raise UnprocessedItemsError(
            f"{self._table} left {len(requests)} writes undone; raise its capacity and seed again"
        )


def _serialize(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _SERIALIZER.serialize(value) for name, value in item.items()}
