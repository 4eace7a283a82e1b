"""
What an operator does about what was lost or given up: sweep objects, redrive events and records, replay batches.

The stack's retries are bounded, as they are in production. So a batch of the stream may end in the on-failure
destination, an event of an object in the queue of failures, a record under `failed/` although it fits; and an event may
be lost. All of these are mended here in the way that they are mended on AWS.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.envelope import decode_change
from ddb2aurora.errors import RejectError
from ddb2aurora.failed import FailedRecord, decode_failed
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Pipeline
from local_aws.functions import Function
from local_aws.stack.clients import Clients
from operator_cli.invoking import FunctionFailedError
from operator_cli.loading import load_objects
from operator_cli.sweeping import lacking, objects_under

if TYPE_CHECKING:
    from pymysql.connections import Connection

# Well under the 500 records and 4 MiB that Firehose takes a call.
_RECORDS_A_CALL: Final = 200
_DISCARDED_BATCHES: Final = "aws/lambda/"


class Mender:
    """Mend what one pipeline has lost or given up, and count it in `mended`."""

    def __init__(
        self, pipeline: Pipeline, *, clients: Clients, bucket: str, loader: Function, stream_processor: Function
    ) -> None:
        """Work on *bucket* and the resources of *pipeline*, by way of its functions."""
        self._pipeline = pipeline
        self._clients = clients
        self._bucket = bucket
        self._loader = loader
        self._stream_processor = stream_processor
        self._mapper = Mapper(pipeline)
        self._redriven: set[str] = set()
        self.mended: Counter[str] = Counter()

    def sweep(self, connection: "Connection[Any]", *, older_than_seconds: float = 0) -> int:
        """
        Load every object that the ledger lacks, and return how many there were; one that fails is for the next sweep.

        Raises:
            pymysql.err.Error: The ledger cannot be read.
        """
        lacking_ones = self.lacking(connection, older_than_seconds=older_than_seconds)
        loads = load_objects(lacking_ones, load=self._load, concurrency=1, told=lambda _ref, _failure: None)
        self.mended["objects swept"] += loads.loaded
        return len(lacking_ones)

    def lacking(self, connection: "Connection[Any]", *, older_than_seconds: float = 0) -> list[ObjectRef]:
        """
        Return every object that the ledger lacks.

        Raises:
            pymysql.err.Error: The ledger cannot be read.
        """
        pipeline = self._pipeline
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds) if older_than_seconds else None
        prefix = f"processed/{pipeline.name}/"
        objects = objects_under(self._clients.s3, bucket=self._bucket, prefix=prefix, before=before)
        return list(lacking(objects, connection=connection, database=pipeline.target_database))

    def _load(self, event: Mapping[str, Any]) -> None:
        error = self._loader.invoke(event).error
        if error is not None:
            raise FunctionFailedError(self._loader.name, error.error_type, error.message)

    def redrive_events(self) -> int:
        """Give the loader every event of its queue of failures again, and return how many there were."""
        sqs = self._clients.sqs
        url = sqs.get_queue_url(QueueName=f"{self._pipeline.name}-aurora-loader-failures")["QueueUrl"]
        count = 0
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                count += 1
                if self._loader.invoke(json.loads(message["Body"])["requestPayload"]).error is None:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    self.mended["events redriven"] += 1
        return count

    def replay_batches(self) -> int:
        """Give the stream-processor every batch that its mapping gave up again, and return how many there were."""
        count = 0
        for key in self._keys(_DISCARDED_BATCHES):
            count += 1
            answer = self._stream_processor.invoke(json.loads(json.loads(self._read(key))["payload"]))
            if answer.error is None and not (answer.payload or {}).get("batchItemFailures"):
                self._clients.s3.delete_object(Bucket=self._bucket, Key=key)
                self.mended["batches replayed"] += 1
        return count

    def redrive_records(self) -> int:
        """Give Firehose every failed record that fits today's mapping again, and return how many there were."""
        count = 0
        for key in self._keys(f"failed/{self._pipeline.name}/processing-failed/"):
            if key not in self._redriven:
                fitting = [record.raw_data for record in decode_failed(self._read(key)) if self._fits(record)]
                for start in range(0, len(fitting), _RECORDS_A_CALL):
                    self._put(fitting[start : start + _RECORDS_A_CALL])
                count += len(fitting)
                self._redriven.add(key)
        self.mended["records redriven"] += count
        return count

    def _put(self, lines: Sequence[bytes]) -> None:
        left = list(lines)
        while left:
            answer = self._clients.firehose.put_record_batch(
                DeliveryStreamName=self._pipeline.name, Records=[{"Data": line} for line in left]
            )
            answers = zip(left, answer["RequestResponses"], strict=True)
            left = [line for line, told in answers if "ErrorCode" in told]

    def _fits(self, record: FailedRecord) -> bool:
        try:
            self._mapper.row(decode_change(record.raw_data))
        except RejectError:
            return False
        return True

    def _keys(self, prefix: str) -> list[str]:
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _read(self, key: str) -> bytes:
        return self._clients.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
