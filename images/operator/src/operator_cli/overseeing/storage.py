"""Read what the bucket and the queue of a pipeline say about it."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from operator_cli.aws import aws_errors
from operator_cli.overseeing.readings import Counted, Kept, Queue, Waiting
from operator_cli.site import Database
from operator_cli.sweeping import Looked, folders_under, lacking, objects_under

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_MOST_COUNTED: Final = 5000
# AWS: aws/lambda/<mapping>/<shard>/…; what an asynchronous invocation failed lies under aws/lambda/async/ instead.
_BATCHES: Final = "aws/lambda/"
_NOT_BATCHES: Final = "aws/lambda/async/"


class Bucket:
    """The bucket of one pipeline."""

    def __init__(self, client: "S3Client", *, bucket: str, pipeline: str) -> None:
        """Look into *bucket* for what belongs to *pipeline*."""
        self._client = client
        self._bucket = bucket
        self._pipeline = pipeline

    def waiting(self, database: Database, *, first_hour: str, before: datetime) -> Waiting:
        """
        Return what waits of the objects of *first_hour* (yyyy/MM/dd/HH) and later, if it was written before a time.

        Raises:
            AwsSetUpError: The bucket cannot be listed before someone acts.
            AwsCallError: It may be listed later.
            pymysql.err.Error: The ledger cannot be read.
        """
        looked, waiting, oldest = Looked(), 0, None
        with aws_errors(where=f"bucket {self._bucket}"):
            for folder in folders_under(self._client, bucket=self._bucket, prefix=f"processed/{self._pipeline}/"):
                objects = objects_under(
                    self._client,
                    bucket=self._bucket,
                    prefix=folder,
                    after=f"{folder}{first_hour}",
                    before=before,
                    looked=looked,
                )
                first = True
                for ref in lacking(objects, connection=database.connection, database=database.name):
                    waiting += 1
                    # Keys are in the order of time, so the first of them is the oldest.
                    if first:
                        first = False
                        written = self._written_ms(ref.key)
                        oldest = written if oldest is None else min(oldest, written)
        newest = None if looked.newest is None else _ms(looked.newest)
        return Waiting(newest, looked.seen, waiting, oldest)

    def failed(self) -> dict[str, Kept]:
        """
        Return what lies under `failed/`, by error type.

        Raises:
            AwsSetUpError: The bucket cannot be listed before someone acts.
            AwsCallError: It may be listed later.
        """
        prefix = f"failed/{self._pipeline}/"
        with aws_errors(where=f"bucket {self._bucket}"):
            folders = folders_under(self._client, bucket=self._bucket, prefix=prefix)
            kept = {folder.removeprefix(prefix).rstrip("/"): self._kept(folder) for folder in folders}
        return {kind: found for kind, found in kept.items() if found is not None}

    def batches(self) -> Kept | None:
        """
        Return the batches that the event source mapping gave up, None when there are none.

        Raises:
            AwsSetUpError: The bucket cannot be listed before someone acts.
            AwsCallError: It may be listed later.
        """
        with aws_errors(where=f"bucket {self._bucket}"):
            return self._kept(_BATCHES, without=_NOT_BATCHES)

    def newest_backup_ms(self, *, hours: tuple[str, ...]) -> int | None:
        """
        Return when the newest backup object of *hours* (yyyy/MM/dd/HH) was written.

        Raises:
            AwsSetUpError: The bucket cannot be listed before someone acts.
            AwsCallError: It may be listed later.
        """
        newest = None
        with aws_errors(where=f"bucket {self._bucket}"):
            for hour in hours:
                for entry in self._entries(f"backup/{self._pipeline}/{hour}/"):
                    written = _ms(entry["LastModified"])
                    newest = written if newest is None else max(newest, written)
        return newest

    def _written_ms(self, key: str) -> int:
        answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        return _ms(answer["Contents"][0]["LastModified"])

    def _kept(self, prefix: str, *, without: str | None = None) -> Kept | None:
        number, newest = 0, 0
        for entry in self._entries(prefix):
            if without is not None and entry["Key"].startswith(without):
                continue
            if number == _MOST_COUNTED:
                return Kept(Counted(number, more=True), newest)
            number, newest = number + 1, max(newest, _ms(entry["LastModified"]))
        return Kept(Counted(number), newest) if number else None

    def _entries(self, prefix: str) -> Iterator[Any]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return (entry for page in pages for entry in page.get("Contents", []))


def read_queue(client: "SQSClient", *, url: str) -> Queue:
    """
    Return how many events are in the queue of failures.

    Raises:
        AwsSetUpError: The queue cannot be read before someone acts.
        AwsCallError: It may be read later.
    """
    with aws_errors(where=f"queue {url}"):
        found = client.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    return Queue(
        waiting=int(found.get("ApproximateNumberOfMessages", "0")),
        in_flight=int(found.get("ApproximateNumberOfMessagesNotVisible", "0")),
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
