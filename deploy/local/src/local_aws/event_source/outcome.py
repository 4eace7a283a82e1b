"""What the answer to one batch means for its records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.event_source.records import StreamRecord
from local_aws.functions import Invocation


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Every record is done."""


@dataclass(frozen=True, slots=True)
class FailedFrom:
    """The records before *sequence* are done; it and everything after it are not."""

    sequence: int


@dataclass(frozen=True, slots=True)
class FailedWhole:
    """No record is done."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """The function did not run, which counts as no attempt."""


Outcome = Succeeded | FailedFrom | FailedWhole | NotRun


def interpret(invocation: Invocation, *, records: Sequence[StreamRecord], reports_item_failures: bool) -> Outcome:
    """Return what *invocation* means for the *records* that it was given."""
    if invocation.error is not None:
        # Only errors of the function count as attempts; throttles and errors before the invocation do not.
        return NotRun() if invocation.error.kind in {"Throttled", "NotFound"} else FailedWhole()
    if not reports_item_failures or not invocation.payload:
        return Succeeded()
    return _partial(invocation.payload, {record.sequence_number: record.sequence for record in records})


def _partial(payload: Any, sequences: Mapping[str, int]) -> Outcome:  # noqa: ANN401 - a function can answer any JSON value
    if not isinstance(payload, dict):
        return FailedWhole()
    failures = payload.get("batchItemFailures")
    if not failures and isinstance(failures, list | None):
        return Succeeded()
    if not isinstance(failures, list):
        return FailedWhole()
    failed = set()
    for failure in failures:
        identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        # An empty or absent identifier, or one under another name, fails the whole batch. So does one that is not in
        # the batch, which AWS does not document: guessing which record is meant could lose one.
        if not isinstance(identifier, str) or identifier not in sequences:
            return FailedWhole()
        failed.add(sequences[identifier])
    # Sequence numbers differ in length: they are compared as numbers.
    return FailedFrom(min(failed))
