"""Send heartbeats, and look where they landed."""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ddb2aurora.database.connection import as_template
from ddb2aurora.envelope import encode_change
from ddb2aurora.heartbeat import Heartbeat, heartbeat_change, heartbeat_item
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import version_of
from operator_cli.aws import aws_errors
from operator_cli.site import Database

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_firehose import FirehoseClient

_PRUNED_AT_ONCE: Final = 1000
_COLUMNS: Final = (
    "sent_at_ms, streamed_at_ms, "
    "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', loaded_at) DIV 1000, lag_ms, version"
)


class Landing(NamedTuple):
    """
    A heartbeat that landed: when it was sent, passed the stream, and was loaded (ms since 1970), and its *lag_ms*.

    *streamed_at_ms* is None when it did not pass the stream; DynamoDB gives that time in whole seconds.
    """

    sent_at_ms: int
    streamed_at_ms: int | None
    loaded_at_ms: int
    lag_ms: int
    version: int

    def as_json(self) -> dict[str, Any]:
        """Return it for machines, without its version, which is too large a number for many of them."""
        return {name: value for name, value in self._asdict().items() if name != "version"}


def send_as_item(client: "DynamoDBClient", heartbeat: Heartbeat, *, pipeline: Pipeline) -> None:
    """
    Write *heartbeat* into the source table, over the one before it.

    Raises:
        AwsSetUpError: The table cannot be written before someone acts.
        AwsCallError: It may be written later.
    """
    with aws_errors(where=f"table {pipeline.source_table}"):
        client.put_item(TableName=pipeline.source_table, Item=heartbeat_item(heartbeat, pipeline=pipeline))


def send_as_record(client: "FirehoseClient", heartbeat: Heartbeat, *, pipeline: Pipeline, stream: str) -> None:
    """
    Put *heartbeat* into the delivery *stream*.

    Raises:
        AwsSetUpError: The stream cannot be written before someone acts.
        AwsCallError: It may be written later.
    """
    data = encode_change(heartbeat_change(heartbeat, pipeline=pipeline))
    with aws_errors(where=f"delivery stream {stream}"):
        client.put_record(DeliveryStreamName=stream, Record={"Data": data})


class HeartbeatTable:
    """Where the heartbeats of one pipeline land."""

    def __init__(self, database: Database, *, pipeline: str) -> None:
        """Look in *database* for those of *pipeline*."""
        self._connection = database.connection
        self._table = as_template(database.tables.heartbeats.quoted)
        self._pipeline = pipeline

    def landing_of(self, heartbeat: Heartbeat) -> Landing | None:
        """
        Return where *heartbeat* landed, None while it is on its way.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        return self._one("AND version = %s", heartbeat.version)

    def newest(self) -> Landing | None:
        """
        Return the newest heartbeat that has landed, None when there is none.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        return self._one("ORDER BY version DESC LIMIT 1")

    def prune(self, *, sent_before_ms: int) -> int:
        """
        Forget heartbeats that were sent before a time, but never the newest, and return how many there were.

        Raises:
            pymysql.err.Error: The database did not answer, or does not let us.
        """
        newest = self.newest()
        if newest is None:
            return 0
        limit = min(version_of(stream_epoch_ms=max(0, sent_before_ms), sequence_number="0"), newest.version)
        pruned = 0
        while True:
            gone = self._connection.run(
                f"DELETE FROM {self._table} WHERE pipeline = %s AND version < %s LIMIT %s",
                (self._pipeline, limit, _PRUNED_AT_ONCE),
            ).affected
            pruned += gone
            if gone < _PRUNED_AT_ONCE:
                return pruned

    def _one(self, condition: str, *values: object) -> Landing | None:
        found = self._connection.rows(
            f"SELECT {_COLUMNS} FROM {self._table} WHERE pipeline = %s {condition}", (self._pipeline, *values)
        )
        if not found:
            return None
        sent_at_ms, streamed_at_ms, loaded_at_ms, lag_ms, version = found[0]
        streamed = None if streamed_at_ms is None else int(streamed_at_ms)
        return Landing(int(sent_at_ms), streamed, int(loaded_at_ms), int(lag_ms), int(version))
