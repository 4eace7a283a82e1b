"""Forward one batch of a stream: decide what each record becomes, deliver, and account for every change."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ddb2aurora.errors import HaltError, RejectError, RetryError
from ddb2aurora.failed import FailedRecord, encode_failed, failed_key
from ddb2aurora.logs import fields, get_logger
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import version_of
from stream_processor.changes import Outgoing, TooLargeError, change_from, outgoing_from
from stream_processor.delivery import Outcome

_LOG = get_logger("stream-processor")


class LostChangeError(HaltError):
    """The counts of a batch do not add up: a change was neither forwarded, kept nor reported."""


class WrongTableError(HaltError):
    """The stream is another table's, whose items have no business in the pipeline's target."""

    def __init__(self, table: str, pipeline: Pipeline) -> None:
        """Say that the stream of *table* feeds *pipeline*, which reads another."""
        super().__init__(
            f"the stream is that of table {table!r}, but pipeline {pipeline.name} reads {pipeline.source_table!r}; "
            "correct source.table in the pipeline file, or the event source mapping"
        )


class Quarantine(Protocol):
    """Where a change goes that can never load."""

    def write(self, key: str, content: bytes) -> None:
        """
        Keep *content* under *key*.

        Raises:
            RetryError: It could not be kept this time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """
    What became of the changes of one batch: received == forwarded + kept + failed.

    *oversized* of the *kept* ones were too large, the others malformed. *failed* holds sequence numbers. Firehose
    *refused* so many records on the way, with these *codes*; the *records* that it accepted it bills as *billed_bytes*.
    """

    received: int
    forwarded: int
    kept: int
    oversized: int
    failed: tuple[str, ...]
    refused: int
    codes: tuple[str, ...]
    records: int
    billed_bytes: int

    def answer(self) -> dict[str, Any]:
        """
        Return the answer that makes the stream deliver again from the first failed change on.

        Lambda takes the lowest sequence number as its checkpoint and repeats it and all that follow. Numbers differ in
        length, so the order is that of integers, not of texts.
        """
        failures = [{"itemIdentifier": min(self.failed, key=int)}] if self.failed else []
        return {"batchItemFailures": failures}


def process(
    records: Sequence[Mapping[str, Any]],
    *,
    pipeline: Pipeline,
    deliver: Callable[[Sequence[Outgoing]], Outcome],
    quarantine: Quarantine,
    now_ms: int,
) -> Report:
    """
    Forward the changes in *records* and say what became of each.

    Raises:
        HaltError: Nothing can be forwarded before someone acts.
    """
    outgoing: list[Outgoing] = []
    failed: list[str] = []
    kept = oversized = 0
    for record in records:
        try:
            change = change_from(record)
            if change.table != pipeline.source_table:
                raise WrongTableError(change.table, pipeline)
            outgoing.append(outgoing_from(change, pipeline))
        except RejectError as error:
            try:
                _keep(record, error, pipeline=pipeline, quarantine=quarantine, now_ms=now_ms)
            except RetryError:
                failed.append(_sequence_number(record))
            else:
                kept += 1
                oversized += isinstance(error, TooLargeError)
    outcome = deliver(outgoing)
    failed.extend(change.sequence_number for change in outcome.left)
    if outcome.accepted + kept + len(failed) != len(records):
        raise LostChangeError(
            f"of {len(records)} changes, {outcome.accepted} were forwarded, {kept} kept and {len(failed)} failed; this "
            "is a defect of the stream-processor, and the stream delivers the batch again"
        )
    return Report(
        received=len(records),
        forwarded=outcome.accepted,
        kept=kept,
        oversized=oversized,
        failed=tuple(failed),
        refused=outcome.refused,
        codes=outcome.codes,
        records=outcome.records,
        billed_bytes=outcome.billed_bytes,
    )


def _keep(
    record: Mapping[str, Any], error: RejectError, *, pipeline: Pipeline, quarantine: Quarantine, now_ms: int
) -> None:
    # The name comes from the change, so that a change delivered twice is kept once. So does the hour, where it has one.
    if isinstance(error, TooLargeError):
        data, at_ms = error.data, error.change.changed_at_ms or error.change.stream_epoch_ms
        name = f"{error.change.stream_epoch_ms}-{error.change.sequence_number}"
    else:
        # What is malformed may hold what only the JSON of the event can: half a surrogate pair, a number without end.
        data, at_ms = json.dumps(record, sort_keys=True).encode(), now_ms
        name = hashlib.sha256(data).hexdigest()
    failure = FailedRecord(
        attempts_made=1,
        arrival_timestamp=at_ms,
        error_code=error.reason,
        error_message=str(error),
        attempt_ending_timestamp=now_ms,
        raw_data=data,
    )
    key = failed_key(pipeline=pipeline.name, error_type=error.reason, at_ms=at_ms, name=name)
    quarantine.write(key, encode_failed(failure))
    _LOG.warning("change kept under failed", extra=fields(reason=error.reason, detail=error.detail, key=key))


def _sequence_number(record: Mapping[str, Any]) -> str:
    try:
        number = str(record["dynamodb"]["SequenceNumber"])
        version_of(stream_epoch_ms=0, sequence_number=number)
    except (KeyError, TypeError, ValueError) as error:
        raise LostChangeError(
            "a record without a sequence number can neither be kept, since S3 did not take it, nor be reported; the "
            "stream delivers the whole batch again"
        ) from error
    return number
