"""A DynamoDB table in memory, by hand: what Scan, BatchGetItem and the descriptions of table and stream answer."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from builders import STREAM_EPOCH_MS, STREAM_LABEL, dynamodb_json

__all__ = ["STREAM_EPOCH_MS", "FakeDynamoDb", "throttled"]


def throttled(operation: str) -> ClientError:
    """Return the error of a table that is asked for too much."""
    return ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, operation)


class FakeDynamoDb:
    """One table; `fails` is told of each call and may raise, `reading` runs before items are read."""

    def __init__(
        self,
        *items: Mapping[str, Any],
        key: Mapping[str, str] | None = None,
        name: str = "things",
        page_items: int = 2,
        batch_items: int = 100,
    ) -> None:
        self.name = name
        self.key = dict(key or {"id": "S"})
        self.items: dict[str, dict[str, Any]] = {}
        self.page_items = page_items
        self.batch_items = batch_items
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.fails: Callable[[str], None] = lambda _: None
        self.reading: Callable[[], None] = lambda: None
        self.shards: list[dict[str, Any]] = []
        self.units = 1.0
        for item in items:
            self.put(item)

    def put(self, item: Mapping[str, Any]) -> None:
        written = dynamodb_json(item)
        self.items[self._identity(written)] = written

    def delete(self, item: Mapping[str, Any]) -> None:
        self.items.pop(self._identity(dynamodb_json(item)), None)

    def describe_table(self, **arguments: Any) -> dict[str, Any]:
        self._called("describe_table", arguments)
        kinds = ("HASH", "RANGE")
        table = {
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in self.key.items()],
            "KeySchema": [
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(self.key, kinds, strict=False)
            ],
            "ItemCount": len(self.items),
            "LatestStreamArn": f"arn:aws:dynamodb:eu-west-1:111122223333:table/{self.name}/stream/{STREAM_LABEL}",
        }
        return {"Table": table}

    def scan(self, **arguments: Any) -> dict[str, Any]:
        self._called("scan", arguments)
        self.reading()
        mine = [
            item
            for identity, item in sorted(self.items.items())
            if zlib.crc32(identity.encode()) % arguments["TotalSegments"] == arguments["Segment"]
        ]
        start = arguments.get("ExclusiveStartKey")
        if start is not None:
            mine = [item for item in mine if self._identity(item) > self._identity(start)]
        page = mine[: self.page_items]
        answer: dict[str, Any] = {"Items": page, "ConsumedCapacity": {"CapacityUnits": self.units}}
        if len(mine) > self.page_items:
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in self.key}
        return answer

    def batch_get_item(self, **arguments: Any) -> dict[str, Any]:
        self._called("batch_get_item", arguments)
        self.reading()
        request = arguments["RequestItems"][self.name]
        now, later = request["Keys"][: self.batch_items], request["Keys"][self.batch_items :]
        found = [self.items[self._identity(key)] for key in now if self._identity(key) in self.items]
        left = {self.name: {**request, "Keys": later}} if later else {}
        return {
            "Responses": {self.name: found},
            "UnprocessedKeys": left,
            "ConsumedCapacity": [{"CapacityUnits": self.units}],
        }

    def describe_stream(self, **arguments: Any) -> dict[str, Any]:
        self._called("describe_stream", arguments)
        start = arguments.get("ExclusiveStartShardId")
        names = [shard["ShardId"] for shard in self.shards]
        at = 0 if start is None else names.index(start) + 1
        described: dict[str, Any] = {"Shards": self.shards[at : at + 1]}
        if at + 1 < len(names):
            described["LastEvaluatedShardId"] = names[at]
        return {"StreamDescription": described}

    def _called(self, name: str, arguments: dict[str, Any]) -> None:
        self.calls.append((name, arguments))
        self.fails(name)

    def _identity(self, item: Mapping[str, Any]) -> str:
        return repr([item[name] for name in self.key])
