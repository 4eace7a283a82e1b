"""Which shards of a stream can be read now."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard; *closed* when nothing will be added to it."""

    shard_id: str
    parent_id: str | None
    closed: bool


def list_shards(streams: "DynamoDBStreamsClient", *, stream_arn: str) -> tuple[Shard, ...]:
    """
    Return all shards of the stream, over all pages.

    Raises:
        ClientError: The stream cannot be described.
    """
    found: list[Shard] = []
    after: str | None = None
    while True:
        page = (
            streams.describe_stream(StreamArn=stream_arn)
            if after is None
            else streams.describe_stream(StreamArn=stream_arn, ExclusiveStartShardId=after)
        )["StreamDescription"]
        for shard in page.get("Shards", []):
            numbers = shard.get("SequenceNumberRange", {})
            found.append(Shard(shard["ShardId"], shard.get("ParentShardId"), closed="EndingSequenceNumber" in numbers))
        after = page.get("LastEvaluatedShardId")
        if after is None:
            return tuple(found)


def startable(shards: Iterable[Shard], *, started: Collection[str], finished: Collection[str]) -> tuple[Shard, ...]:
    """
    Return the shards that are not started and whose parent is out of the way.

    An item's history goes on in the child of a shard, so a parent is worked through to its end before its child. A
    parent that the stream no longer lists has been trimmed.
    """
    shards = tuple(shards)
    known = {shard.shard_id for shard in shards}
    return tuple(
        shard
        for shard in shards
        if shard.shard_id not in started
        and shard.shard_id not in finished
        and (shard.parent_id is None or shard.parent_id in finished or shard.parent_id not in known)
    )
