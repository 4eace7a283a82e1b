"""Forward one batch of a stream: decide what each record becomes, deliver, and account for every change."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from ddb2aurora.errors import HaltError, RejectError, RetryError
from ddb2aurora.failed import FailedRecord, encode_failed, failed_key
from ddb2aurora.logs import fields, get_logger
from ddb2aurora.pipeline import Pipeline
from stream_processor.changes import Outgoing, TooLargeError, change_from, outgoing_from
from stream_processor.delivery import Outcome

_LOG = get_logger("stream-processor")


class LostChangeError(HaltError):
    """The counts of a batch do not add up: a change was neither forwarded, kept nor reported."""


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
    """What became of the changes of one batch; *failed* holds sequence numbers in the order of the stream."""

    received: int
    forwarded: int
    oversized: int
    failed: tuple[str, ...]
    refused: int

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
    kept = 0
    for record in records:
        try:
            outgoing.append(outgoing_from(change_from(record), pipeline))
        except RejectError as error:
            try:
                _keep(record, error, pipeline=pipeline, quarantine=quarantine, now_ms=now_ms)
                kept += 1
            except RetryError:
                failed.append(_sequence_number(record))
    outcome = deliver(outgoing)
    failed.extend(change.sequence_number for change in outcome.left)
    forwarded = len(outgoing) - len(outcome.left)
    if forwarded + kept + len(failed) != len(records):
        raise LostChangeError(f"of {len(records)} changes, {forwarded} forwarded, {kept} kept, {len(failed)} failed")
    return Report(len(records), forwarded, kept, tuple(failed), outcome.refused)


def _keep(
    record: Mapping[str, Any], error: RejectError, *, pipeline: Pipeline, quarantine: Quarantine, now_ms: int
) -> None:
    # Name and hour come from the change, so that a change delivered twice is kept once.
    if isinstance(error, TooLargeError):
        data, at_ms = error.data, error.change.changed_at_ms or error.change.stream_epoch_ms
        name = f"{error.change.stream_epoch_ms}-{error.change.sequence_number}"
    else:
        data, at_ms = msgspec.json.encode(record), now_ms
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
        return str(record["dynamodb"]["SequenceNumber"])
    except (KeyError, TypeError) as error:
        raise LostChangeError("a record without a sequence number can neither be kept nor reported") from error
