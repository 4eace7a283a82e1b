"""
A version that no change to come can have: the floor under all of them.

A row that is put back where there is none has no version of its own. With version 0, any old change that is delivered
once more would beat it. With one too high, it would beat a change that nobody has seen yet. DynamoDB says where each
open shard of the stream begins; whatever changes from now on is written there or in a descendant, hence behind it.
"""

from typing import TYPE_CHECKING, Any

from ddb2aurora.version import BACKFILL_VERSION, parse_stream_arn, version_of
from operator_cli.aws import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient


def version_floor(streams: "DynamoDBStreamsClient", stream_arn: str | None) -> int:
    """
    Return a version that is less than that of every change which happens after this call; 0 without a stream.

    Raises:
        StreamArnError: *stream_arn* is not that of a stream.
        AwsSetUpError: The stream may not be described.
        AwsCallError: It cannot be described now.
    """
    if stream_arn is None:
        return BACKFILL_VERSION
    _, epoch_ms = parse_stream_arn(stream_arn)
    starts: list[int] = []
    arguments: dict[str, Any] = {}
    while True:
        with aws_errors(where=f"stream {stream_arn}"):
            described = streams.describe_stream(StreamArn=stream_arn, **arguments)["StreamDescription"]
        for shard in described.get("Shards", []):
            bounds = shard.get("SequenceNumberRange", {})
            if "EndingSequenceNumber" not in bounds:
                # Sequence numbers of different shards say nothing about each other; the least is below those of all.
                starts.append(int(bounds.get("StartingSequenceNumber", "0")))
        last = described.get("LastEvaluatedShardId")
        if last is None:
            break
        arguments = {"ExclusiveStartShardId": last}
    first = version_of(stream_epoch_ms=epoch_ms, sequence_number=str(min(starts, default=0)))
    return max(BACKFILL_VERSION, first - 1)
