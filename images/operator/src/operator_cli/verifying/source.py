"""The source's side of a comparison: pages of a parallel Scan, and items by key, never more read units than allowed."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ddb2aurora.errors import HaltError, RetryError
from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import aws_errors
from operator_cli.verifying.keys import AttributeType, ItemKeys
from operator_cli.verifying.sides import Item, as_in_a_stream

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_BATCH_READS: Final = 100  # DynamoDB: BatchGetItem takes at most 100 keys
_UNIT_BYTES: Final = 4096  # DynamoDB: a strongly consistent read unit is 4 KB
_MOST_TRIES: Final = 10
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0


class KeyOfTableError(HaltError):
    """The table has another key than the pipeline file says."""


class UnprocessedKeysError(RetryError):
    """The table did not give some items, however often they were asked for."""


class Page(NamedTuple):
    """One page of a segment: its *items* as a stream carries them, and where to go on; None at the end."""

    items: tuple[Item, ...]
    resume_at: Mapping[str, Any] | None


class ReadBudget:
    """
    How many read units may be spent a second, by all threads together.

    What a read costs is known after it. So each read waits until the ones before it are paid for.
    """

    def __init__(
        self,
        units_per_second: float | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """Allow *units_per_second*; None allows any number. *wait* waits for some seconds, in tests."""
        self._rate = units_per_second
        self._monotonic = monotonic
        self._hurries = threading.Event()
        self._wait = wait or self._hurries.wait
        self._lock = threading.Lock()
        self._paid_at = monotonic()
        self._spent = 0.0

    def wait_for_turn(self) -> None:
        """Wait until what was read so far is paid for."""
        with self._lock:
            seconds = self._paid_at - self._monotonic()
        if seconds > 0:
            self._wait(seconds)

    def spend(self, units: float) -> None:
        """Note that a read has cost *units*."""
        with self._lock:
            self._spent += units
            if self._rate:
                self._paid_at = max(self._paid_at, self._monotonic()) + units / self._rate

    def hurry(self) -> None:
        """Let nobody wait any more, since the work is about to end."""
        self._hurries.set()

    def take_spent(self) -> float:
        """Return how many units were spent since this was asked last."""
        with self._lock:
            spent, self._spent = self._spent, 0.0
        return spent


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
        with aws_errors(where=f"table {self._table}"):
            described = client.describe_table(TableName=self._table)["Table"]
        types: dict[str, AttributeType] = {
            found["AttributeName"]: found["AttributeType"] for found in described.get("AttributeDefinitions", [])
        }
        kinds = {found["AttributeName"]: found["KeyType"] for found in described["KeySchema"]}
        key = tuple(sorted(kinds, key=lambda name: kinds[name] != "HASH"))
        if key != pipeline.source_key:
            raise KeyOfTableError(
                f"table {self._table} has the key {', '.join(key)}, and pipeline {pipeline.name} names "
                f"{', '.join(pipeline.source_key)}; mend `key` in the pipeline file"
            )
        self.key_types: Mapping[str, AttributeType] = {name: types[name] for name in key}
        self.keys = ItemKeys(pipeline, types)
        # It spares the network, not the read units.
        names = {f"#{position}": name for position, name in enumerate(pipeline.source_key)}
        self._projection = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        self.about_items = int(described.get("ItemCount", 0))
        """How many items DynamoDB counted within the last six hours."""
        self.stream_arn: str | None = described.get("LatestStreamArn")

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
        start = resume_at
        while True:
            arguments: dict[str, Any] = {"ExclusiveStartKey": self.keys.for_sdk(start)} if start else {}
            self._budget.wait_for_turn()
            with aws_errors(where=f"table {self._table}"):
                answer = self._client.scan(
                    TableName=self._table,
                    Segment=segment,
                    TotalSegments=of,
                    ConsistentRead=True,
                    ReturnConsumedCapacity="TOTAL",
                    **arguments,
                )
            found = answer.get("Items", [])
            self._budget.spend(_units(answer.get("ConsumedCapacity"), found))
            last = answer.get("LastEvaluatedKey")
            start = as_in_a_stream(last) if last else None
            yield Page(tuple(self._carried(found)), start)
            if not start:
                return

    def get(self, keys: Sequence[Mapping[str, Any]], *, keys_only: bool = False) -> Iterator[Item]:
        """
        Yield those of the items with *keys* that are there, in any order, read consistently; with *keys_only* no more.

        Raises:
            UnprocessedKeysError: The table kept back some of them.
            AwsSetUpError: The table cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        for start in range(0, len(keys), MAX_BATCH_READS):
            batch = [self.keys.for_sdk(found) for found in keys[start : start + MAX_BATCH_READS]]
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
            self._budget.spend(_units(consumed[0] if consumed else None, found))
            yield from self._carried(found)
            # More than 16 MB, or a throttled partition: the rest is handed back.
            left: Any = answer.get("UnprocessedKeys", {}).get(self._table)
            wanted = list(left["Keys"]) if left else []
            if not wanted:
                return
        raise UnprocessedKeysError(
            f"table {self._table} kept back {len(wanted)} items; raise its capacity or lower --read-units"
        )

    def _carried(self, items: Iterable[Mapping[str, Any]]) -> Iterator[Item]:
        """Yield *items* as a stream carries them; the one that is kept for heartbeats is no part of the data."""
        wanted = self._attributes
        for item in items:
            if not self._is_heartbeat(item):
                yield {name: as_in_a_stream(value) for name, value in item.items() if wanted is None or name in wanted}


def _units(consumed: Any, items: Sequence[Any]) -> float:  # noqa: ANN401 - a part of the SDK's answer
    if consumed and "CapacityUnits" in consumed:
        return float(consumed["CapacityUnits"])
    # An emulator that does not say. The text of an item is about as long as what is counted.
    return max(1.0, sum(len(repr(item)) for item in items) / _UNIT_BYTES)
