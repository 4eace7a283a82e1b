"""What has to be true of a table before its items are backfilled, as DynamoDB describes it."""

import math
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import parse_stream_arn
from operator_cli.aws import aws_errors
from operator_cli.backfilling.errors import ClockError, NoStreamError
from operator_cli.scanning.table import AttributeType, described
from operator_cli.verifying.source import KeyOfTableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# One page of a Scan is 1 MB; a segment of a GiB is a thousand of them, so that threads end at about the same time.
_SEGMENT_BYTES: Final = 2**30
_MOST_SEGMENTS: Final = 10_000
# Purge forgets nothing of the last minute before the horizon, and this is what may be wrong with clocks; half is for
# those of AWS.
_MOST_AHEAD_MS: Final = 30_000
# The header holds whole seconds, rounded down.
_HEADER_MS: Final = 1000


class TableFacts(NamedTuple):
    """
    What DynamoDB says of a table: its ARN, the types of its key attributes, and its stream's ARN, if that is on.

    *items* and *size_bytes* were counted within the last six hours.
    """

    arn: str
    key: Mapping[str, AttributeType]
    items: int
    size_bytes: int
    stream_arn: str | None

    def stream_began_ms(self, *, table: str) -> int:
        """
        Return when the stream was switched on (ms since 1970).

        Raises:
            NoStreamError: It is off, so that changes from now on would be lost.
            StreamArnError: Its ARN cannot be read.
        """
        if self.stream_arn is None:
            raise NoStreamError(
                f"table {table} has no stream, so what changes while it is read would be lost; switch it on "
                "(NEW_IMAGE), connect the stream-processor to it, and begin again"
            )
        return parse_stream_arn(self.stream_arn)[1]

    def segments(self, *, threads: int) -> int:
        """Return into how many segments to divide the table when nobody says it."""
        return min(_MOST_SEGMENTS, max(threads, math.ceil(self.size_bytes / _SEGMENT_BYTES)))


def facts_of(client: "DynamoDBClient", pipeline: Pipeline, *, now_ms: Callable[[], int]) -> TableFacts:
    """
    Return the facts about *pipeline*'s table, and make sure that the clock of this machine may be used for its items.

    Raises:
        KeyOfTableError: The table has another key than the pipeline.
        ClockError: The clock is ahead of AWS.
        AwsSetUpError: There is no such table, or it may not be described.
        AwsCallError: It cannot be described now.
    """
    table = pipeline.source_table
    key = described(client, table).key
    if tuple(key) != pipeline.source_key:
        raise KeyOfTableError(
            f"table {table} has the key {', '.join(key)}, and pipeline {pipeline.name} names "
            f"{', '.join(pipeline.source_key)}; mend `key` in the pipeline file"
        )
    with aws_errors(where=f"table {table}"):
        answer = client.describe_table(TableName=table)
    _check_clock(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date"), now_ms=now_ms())
    found = answer["Table"]
    is_on = found.get("StreamSpecification", {}).get("StreamEnabled", False)
    return TableFacts(
        arn=found.get("TableArn", ""),
        key=key,
        items=int(found.get("ItemCount", 0)),
        size_bytes=int(found.get("TableSizeBytes", 0)),
        stream_arn=found.get("LatestStreamArn") if is_on else None,
    )


def _check_clock(header: str | None, *, now_ms: int) -> None:
    if header is None:
        return
    try:
        theirs_ms = round(parsedate_to_datetime(header).timestamp() * 1000)
    except ValueError:
        return
    ahead_ms = now_ms - theirs_ms - _HEADER_MS
    if ahead_ms > _MOST_AHEAD_MS:
        raise ClockError(
            f"the clock of this machine is {ahead_ms / 1000:.0f} s ahead of AWS; set it right: rows would claim to be "
            "younger than the deletes that may come before them"
        )
