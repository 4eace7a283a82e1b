"""
Give the stream-processor again what it, or Lambda before it, gave up: batches of the stream, and malformed records.

Lambda writes a discarded batch to S3 with the whole event inside, as a text of JSON. The stream-processor itself keeps
a record that it cannot read, under `failed/<pipeline>/malformed/`. Only the stream-processor reads either.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ddb2aurora.errors import Ddb2AuroraError
from ddb2aurora.failed import FailedRecordError, decode_failed
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import StreamArnError, parse_stream_arn
from operator_cli.invoking import FunctionFailedError, Invoke
from operator_cli.redriving.kept import KeptObjects
from operator_cli.redriving.tally import Circuit, Sample, Tally

# AWS: aws/lambda/<mapping>/<shard>/…; what an asynchronous invocation failed lies under aws/lambda/async/ instead.
DISCARDED: Final = "aws/lambda/"
_ASYNCHRONOUS: Final = "aws/lambda/async/"
_NOT_A_BATCH: Final = "not_a_discarded_batch"
_NOT_A_FAILED_RECORD: Final = "not_a_failed_record"
_STILL_MALFORMED: Final = "malformed"
_LEFT_BEHIND: Final = "not_forwarded"
# What Firehose refuses at one time it may take at the next; each try begins where the last one ended.
_MOST_TRIES: Final = 5


class NotABatchError(Ddb2AuroraError):
    """An object is not a batch that Lambda discarded."""


class Batches:
    """What the stream-processor of one pipeline is to be given again."""

    def __init__(self, kept: KeptObjects, *, pipeline: Pipeline, stream_processor: Invoke) -> None:
        """Read from *kept*, and give it to the *stream_processor* of *pipeline*."""
        self._kept = kept
        self._pipeline = pipeline
        self._stream_processor = stream_processor

    def redrive_batches(self, tally: Tally, circuit: Circuit, *, dry: bool, limit: int | None = None) -> None:
        """
        Replay the discarded batches of the pipeline's table; see `records.FailedRecords.redrive`.

        Raises:
            AwsSetUpError: The bucket or the function cannot be used before someone acts.
            AwsCallError: It may work later.
        """
        for key in self._kept.keys(DISCARDED):
            if key.startswith(_ASYNCHRONOUS):
                continue
            if tally.kept_in == limit or circuit.is_open:
                return
            where = self._kept.url(key)
            try:
                records = records_of(self._kept.read(key))
            except NotABatchError as error:
                tally.kept_in += 1
                tally.fail(_NOT_A_BATCH, Sample(where, "-", f"{_NOT_A_BATCH}: {error}"))
                continue
            if table_of(records) != self._pipeline.source_table:
                continue  # the bucket may serve several pipelines
            tally.kept_in += 1
            if dry:
                tally.redriven += len(records)
                continue
            why, left = self._forward(records)
            circuit.note(tried=len(records), failed=left)
            tally.redriven += len(records) - left
            if why is not None:
                tally.fail(why.partition(":")[0], Sample(where, "-", why), count=left)
                continue
            self._kept.settle(key, note=f"{len(records)} changes given to the stream-processor")
            tally.settled += 1

    def redrive_malformed(self, tally: Tally, circuit: Circuit, *, dry: bool, limit: int | None = None) -> None:
        """
        Replay the records that the stream-processor could not read; see `records.FailedRecords.redrive`.

        One that it still cannot read is kept by it again, under the hour of this try.

        Raises:
            AwsSetUpError: The bucket or the function cannot be used before someone acts.
            AwsCallError: It may work later.
        """
        prefix = f"failed/{self._pipeline.name}/malformed/"
        for key in tuple(self._kept.keys(prefix)):
            if tally.kept_in == limit or circuit.is_open:
                return
            tally.kept_in += 1
            where, content = self._kept.url(key), self._kept.read(key)
            try:
                records = [json.loads(record.raw_data) for record in decode_failed(content)]
            except (FailedRecordError, ValueError) as error:
                reason = f"{_NOT_A_FAILED_RECORD}: {type(error).__name__}"
                tally.fail(_NOT_A_FAILED_RECORD, Sample(where, "-", reason))
                continue
            if dry:
                tally.redriven += len(records)
                continue
            why, _ = self._forward(records)
            anew = self._kept_anew(key, content, prefix=prefix) if why is None else None
            circuit.note(tried=len(records), failed=len(records) if why or anew else 0)
            if anew is not None:
                why = f"{_STILL_MALFORMED}: the stream-processor still cannot read it"
            if why is not None:
                tally.fail(why.partition(":")[0], Sample(where, "-", why), count=len(records))
            else:
                tally.redriven += len(records)
                tally.settled += 1
            if anew not in {None, key}:
                self._kept.settle(key, note=f"still malformed; now {anew}")
            elif why is None:
                self._kept.settle(key, note=f"{len(records)} records given to the stream-processor")

    def _kept_anew(self, key: str, content: bytes, *, prefix: str) -> str | None:
        """Return the key under which the stream-processor has just kept the record of *key* again, if it did."""
        # The name comes from the record, the hour from the try; its time stands in the object.
        if self._kept.read(key) != content:
            return key
        name = key.rpartition("/")[2]
        return next((found for found in self._kept.keys(prefix) if found.endswith("/" + name) and found > key), None)

    def _forward(self, records: Sequence[Mapping[str, Any]]) -> tuple[str | None, int]:
        """Give *records* to the stream-processor; return why some are left, and how many."""
        left = list(records)
        for _ in range(_MOST_TRIES):
            try:
                answer = self._stream_processor({"Records": left})
            except FunctionFailedError as error:
                return f"{error.error_type}: {error.reason}", len(left)
            first = _first_failure(answer)
            if first is None:
                return None, 0
            # Lambda's own rule: the lowest number that is reported, and everything after it, is to be done again.
            left = [record for record in left if int(record["dynamodb"]["SequenceNumber"]) >= first]
        return f"{_LEFT_BEHIND}: Firehose did not take them in {_MOST_TRIES} tries", len(left)


def _first_failure(answer: Any) -> int | None:  # noqa: ANN401 - what the function answered
    failures = (answer or {}).get("batchItemFailures") or []
    return min((int(failure["itemIdentifier"]) for failure in failures), default=None)


def records_of(content: bytes) -> list[dict[str, Any]]:
    """
    Return the records of the event inside an object that Lambda wrote to its on-failure destination.

    Raises:
        NotABatchError: It is none.
    """
    try:
        records = json.loads(json.loads(content)["payload"])["Records"]
        numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    except (ValueError, TypeError, KeyError) as error:
        raise NotABatchError(f"no event of a stream inside ({type(error).__name__})") from error
    if not numbers:
        raise NotABatchError("its event has no records")
    return list(records)


def table_of(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the table whose stream *records* come from, None if they do not say."""
    for arn in _arns(records):
        try:
            return parse_stream_arn(arn)[0]
        except StreamArnError:
            continue
    return None


def _arns(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    return (str(record["eventSourceARN"]) for record in records if "eventSourceARN" in record)
