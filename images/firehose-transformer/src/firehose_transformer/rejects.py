"""
The changes that fail inside a packed record, as objects under `failed/`. Pure.

They take the form in which Firehose itself keeps what failed, beside its own objects, so that one reader and one
command to replay serve for both. The name of an object comes from what it holds and its hour from when Firehose took
the records: a transformation that is tried again writes the same object again, not a second one.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from ddb2aurora.failed import FailedRecord, encode_failed, failed_key
from firehose_transformer.decisions import Decision, Rejection, Transformation

# What Firehose calls the records that a function gives up, in the place of !{firehose:error-output-type}.
ERROR_TYPE: Final = "processing-failed"
_HOUR_MS: Final = 3_600_000


class RejectObject(NamedTuple):
    """An object to write: its *key* and *content*, and the *places* in the event of the records it was taken from."""

    key: str
    content: bytes
    places: frozenset[int]


def reject_objects(transformation: Transformation, *, pipeline: str, now_ms: int) -> Iterator[RejectObject]:
    """Yield what has to be kept before the answer is given: an object for each hour in which records arrived."""
    hours: dict[int, list[int]] = defaultdict(list)
    for place, decision in transformation.others.items():
        if decision.has_rejects:
            hours[decision.arrival_ms // _HOUR_MS].append(place)
    for hour, places in hours.items():
        digest = hashlib.sha256()
        content: list[bytes] = []
        for place in places:
            decision = transformation.others[place]
            for rejection in decision.rejections:
                digest.update(f"{decision.record_id}\0{rejection.number}\0".encode() + (rejection.line or b""))
                content.append(encode_failed(_failed(decision, rejection, now_ms=now_ms)))
        name = digest.hexdigest()
        key = failed_key(pipeline=pipeline, error_type=ERROR_TYPE, at_ms=hour * _HOUR_MS, name=name)
        yield RejectObject(key, b"".join(content), frozenset(places))


def _failed(decision: Decision, rejection: Rejection, *, now_ms: int) -> FailedRecord:
    return FailedRecord(
        attempts_made=1,
        arrival_timestamp=decision.arrival_ms,
        error_code=rejection.error.reason,
        error_message=str(rejection.error),
        attempt_ending_timestamp=now_ms,
        raw_data=rejection.line or b"",
    )
