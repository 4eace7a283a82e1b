"""Reading one shard from a position to its end, page by page."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from local_aws.event_source.records import StreamRecord, from_stream
from local_aws.event_source.settings import LATEST, TRIM_HORIZON

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

_LOG = logging.getLogger(__name__)
_PAGE_RECORDS = 1000
"""GetRecords gives at most 1,000 records or 1 MB a call."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records that follow each other, and whether the shard ends after them."""

    records: Sequence[StreamRecord]
    last: bool


class ShardReader:
    """Read a shard in order; a lost or expired iterator is renewed behind the last record read."""

    def __init__(
        self, *, streams: "DynamoDBStreamsClient", stream_arn: str, shard_id: str, start: str, after: str | None
    ) -> None:
        """Begin behind sequence number *after*, or at *start* (TRIM_HORIZON or LATEST) when there is none."""
        self._streams = streams
        self._stream_arn = stream_arn
        self._shard_id = shard_id
        self._start = start
        self._after = after
        self._iterator: str | None = None

    def read(self) -> Page:
        """
        Return the next records; none when there are none at the moment.

        Raises:
            ClientError: The stream refused the call; the next call begins at the same place.
            BotoCoreError: The service cannot be reached; likewise.
        """
        try:
            iterator = self._iterator or self._new_iterator()
            page = self._streams.get_records(ShardIterator=iterator, Limit=_PAGE_RECORDS)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            # A new iterator begins where this one stood, unless that is LATEST: then only this one knows the place.
            if self._start != LATEST or self._after is not None:
                self._iterator = None
            if code == "TrimmedDataAccessException":
                # What lay between the last record read and the oldest that is kept is gone: 24 h are over.
                _LOG.warning("records of the stream expired unread", extra={"shard": self._shard_id})
                self._start, self._after, self._iterator = TRIM_HORIZON, None, None
                return Page((), last=False)
            if code == "ExpiredIteratorException":  # After 15 minutes.
                self._iterator = None
                return Page((), last=False)
            raise
        following = page.get("NextShardIterator")
        self._iterator = following
        records = [from_stream(record, stream_arn=self._stream_arn) for record in page["Records"]]
        if records:
            self._after = records[-1].sequence_number
        return Page(records, last=following is None)

    def _new_iterator(self) -> str:
        if self._after is not None:
            answer = self._streams.get_shard_iterator(
                StreamArn=self._stream_arn,
                ShardId=self._shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                SequenceNumber=self._after,
            )
        else:
            answer = self._streams.get_shard_iterator(
                StreamArn=self._stream_arn,
                ShardId=self._shard_id,
                ShardIteratorType="LATEST" if self._start == LATEST else "TRIM_HORIZON",
            )
        return answer["ShardIterator"]
