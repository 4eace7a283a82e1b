"""The source's side of a comparison: pages of a parallel Scan, and items by key, never more read units than allowed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.errors import HaltError, RetryError
from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import aws_errors
from operator_cli.scanning.budget import ReadBudget
from operator_cli.scanning.table import AttributeType, Item, Page, TableScan, carried, described, for_sdk, units_of
from operator_cli.verifying.keys import ItemKeys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_BATCH_READS: Final = 100  # DynamoDB: BatchGetItem takes at most 100 keys
_MOST_TRIES: Final = 10
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0


class KeyOfTableError(HaltError):
    """The table has another key than the pipeline file says."""


class UnprocessedKeysError(RetryError):
    """The table did not give some items, however often they were asked for."""


class Source:
    """The items of one table; it may be shared by threads."""

    def __init__(
        self,
        client: "DynamoDBClient",
        pipeline: Pipeline,
        *,
        budget: ReadBudget,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Read the table of *pipeline* within *budget*.

        Raises:
            KeyOfTableError: The table has another key than the pipeline.
            AwsSetUpError: There is no such table, or it may not be read.
            AwsCallError: It cannot be read now.
        """
        self._client = client
        self._table = pipeline.source_table
        self._budget = budget
        self._sleep = sleep
        self._is_heartbeat = pipeline.is_heartbeat
        # What no column reads need not be turned into another form.
        self._attributes = None if pipeline.reads_whole_item else pipeline.attributes
        self._scan = TableScan(client, self._table, budget=budget, attributes=self._attributes)
        found = described(client, self._table)
        key = tuple(found.key)
        if key != pipeline.source_key:
            raise KeyOfTableError(
                f"table {self._table} has the key {', '.join(key)}, and pipeline {pipeline.name} names "
                f"{', '.join(pipeline.source_key)}; mend `key` in the pipeline file"
            )
        self.key_types: Mapping[str, AttributeType] = found.key
        self.keys = ItemKeys(pipeline, found.key)
        # It spares the network, not the read units.
        names = {f"#{position}": name for position, name in enumerate(pipeline.source_key)}
        self._projection = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        self.about_items = found.about_items
        """How many items DynamoDB counted within the last six hours."""
        self.stream_arn: str | None = found.stream_arn

    def take_spent(self) -> float:
        """Return how many read units were spent since this was asked last."""
        return self._budget.take_spent()

    def hurry(self) -> None:
        """Let nobody wait for the budget any more, since the work is about to end."""
        self._budget.hurry()

    def pages(self, segment: int, *, of: int, resume_at: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """
        Yield the pages of *segment*, from 0 on, *of* so many, read consistently.

        Raises:
            AwsSetUpError: The table cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        for page in self._scan.pages(segment, of=of, resume_at=resume_at):
            yield Page(tuple(self._data(page.items)), page.resume_at)

    def get(self, keys: Sequence[Mapping[str, Any]], *, keys_only: bool = False) -> Iterator[Item]:
        """
        Yield those of the items with *keys* that are there, in any order, read consistently; with *keys_only* no more.

        Raises:
            UnprocessedKeysError: The table kept back some of them.
            AwsSetUpError: The table cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        for start in range(0, len(keys), MAX_BATCH_READS):
            batch = [for_sdk(found) for found in keys[start : start + MAX_BATCH_READS]]
            yield from self._get_batch(batch, keys_only=keys_only)

    def _get_batch(self, wanted: list[dict[str, Any]], *, keys_only: bool) -> Iterator[Item]:
        projection: dict[str, Any] = self._projection if keys_only else {}
        for attempt in range(_MOST_TRIES):
            if attempt:
                self._sleep(min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)))
            self._budget.wait_for_turn()
            request: Any = {"Keys": wanted, "ConsistentRead": True, **projection}
            with aws_errors(where=f"table {self._table}"):
                answer = self._client.batch_get_item(
                    RequestItems={self._table: request},
                    ReturnConsumedCapacity="TOTAL",
                )
            found = answer.get("Responses", {}).get(self._table, [])
            consumed = answer.get("ConsumedCapacity")
            self._budget.spend(units_of(consumed[0] if consumed else None, found))
            yield from self._data(carried(found, attributes=self._attributes))
            # More than 16 MB, or a throttled partition: the rest is handed back.
            left: Any = answer.get("UnprocessedKeys", {}).get(self._table)
            wanted = list(left["Keys"]) if left else []
            if not wanted:
                return
        raise UnprocessedKeysError(
            f"table {self._table} kept back {len(wanted)} items; raise its capacity or lower --read-units"
        )

    def _data(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield *items* without the one that is kept for heartbeats, which is no part of the data."""
        return (item for item in items if not self._is_heartbeat(item))
