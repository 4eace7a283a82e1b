"""Write a workload into a DynamoDB table: in batches, again for what the table did not take, with progress."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.codec import encode_item
from ddb2aurora.errors import RetryError
from operator_cli.aws import aws_errors
from operator_cli.clickstream import Operation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_BATCH_WRITES: Final = 25  # DynamoDB: BatchWriteItem takes at most 25 writes, each of another item
_MOST_TRIES: Final = 10
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 2.0


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

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table: str,
        key: Sequence[str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Write into *table*, whose key attributes are *key*; *sleep* makes the pauses between the tries."""
        self._client = client
        self._table = table
        self._key = tuple(key)
        self._sleep = sleep

    def write(self, operations: Iterable[Operation], *, written: Callable[[Sequence[Operation]], None]) -> int:
        """
        Write *operations* in order, call *written* after each batch, and return how many there were.

        Raises:
            UnprocessedItemsError: The table kept refusing some of them.
            AwsSetUpError: The table cannot be written before someone acts.
            AwsCallError: It may be written later.
        """
        count = 0
        for batch in batches(operations):
            self._write_batch([self._request(operation) for operation in batch])
            written(batch)
            count += len(batch)
        return count

    def _request(self, operation: Operation) -> dict[str, Any]:
        if operation.item is None:
            return {"DeleteRequest": {"Key": encode_item(dict(zip(self._key, operation.key, strict=True)))}}
        return {"PutRequest": {"Item": encode_item(operation.item)}}

    def _write_batch(self, requests: list[Any]) -> None:
        for attempt in range(_MOST_TRIES):
            if attempt:
                self._sleep(min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)))
            with aws_errors(where=f"table {self._table}"):
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
            requests = list(answer.get("UnprocessedItems", {}).get(self._table, []))
            if not requests:
                return
        raise UnprocessedItemsError(
            f"table {self._table} left {len(requests)} writes undone; raise its capacity and seed again"
        )
