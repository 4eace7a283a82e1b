"""
Ask a transforming function, and judge its answer, as Firehose does.

The rules are Firehose's record transformation contract: exactly one answer per record, a result that is spelt
exactly, base64 data with `Ok`. What breaks the shape of the answer fails the whole batch; what concerns one record
fails it alone.
"""

import binascii
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.firehose.records import Failure, Part, Record
from local_aws.functions import FunctionError

# Lambda takes and gives at most 6 MB in a synchronous invocation, base64 and JSON included.
MOST_PAYLOAD_BYTES = 6 * 1024 * 1024
# What surrounds the records of a request, and what surrounds the data of one record, both rounded up.
ENVELOPE_BYTES = 1024
RECORD_ENVELOPE_BYTES = 160
# Firehose waits five minutes for a function, whatever time-out the function itself has.
MOST_SECONDS = 300.0

_RESULTS = frozenset({"Ok", "Dropped", "ProcessingFailed"})
_FAILURES: Mapping[str, Failure] = {
    "Unhandled": Failure(
        "Lambda.FunctionError", "The Lambda function was successfully invoked but it returned an error result."
    ),
    "TimedOut": Failure("Lambda.FunctionTimedOut", "The Lambda function did not answer within its time-out."),
    "Throttled": Failure(
        "Lambda.InvokeLimitExceeded", "The function has no free place to run: its concurrency limit is reached."
    ),
    "NotFound": Failure("Lambda.ResourceNotFound", "The Lambda function was not found."),
}
NOT_FOUND = _FAILURES["NotFound"]
TOO_SLOW = Failure("Lambda.FunctionTimedOut", "The Lambda function took longer than the five minutes Firehose allows.")
CANNOT_START = Failure("Lambda.InvocationFailure", "The Lambda function could not be started.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a batch: parts to deliver, records that failed and why, and how many vanish."""

    parts: tuple[Part, ...] = ()
    failed: tuple[tuple[Record, Failure], ...] = ()
    dropped: tuple[Record, ...] = ()


def request_weight(record: Record) -> int:
    """Return how many bytes *record* adds to a request, at most."""
    return (len(record.data) + 2) // 3 * 4 + RECORD_ENVELOPE_BYTES


def request(records: Sequence[Record], *, invocation_id: str, stream_arn: str, region: str) -> dict[str, Any]:
    """Return the event that asks a function to transform *records*."""
    return {
        "invocationId": invocation_id,
        "deliveryStreamArn": stream_arn,
        "region": region,
        "records": [
            {
                "recordId": record.id,
                "approximateArrivalTimestamp": record.arrival_ms,
                "data": binascii.b2a_base64(record.data, newline=False).decode("ascii"),
            }
            for record in records
        ],
    }


def failure_of(error: FunctionError) -> Failure:
    """Return the failure that Firehose sees in *error* of an invocation; each of these is worth another attempt."""
    return _FAILURES.get(error.kind, _FAILURES["Unhandled"])


def oversized(payload: object) -> Failure | None:
    """Return the failure of an answer that Lambda would not let through, None if it is small enough."""
    # Lambda reports an answer above its limit as an error of the function. json.dumps is how its runtime writes one.
    return _FAILURES["Unhandled"] if len(json.dumps(payload)) > MOST_PAYLOAD_BYTES else None


def everything_failed(records: Sequence[Record], failure: Failure) -> Verdict:
    """Return the verdict that fails each of *records* for the same reason."""
    return Verdict(failed=tuple((record, failure) for record in records))


def judged(records: Sequence[Record], payload: object) -> Verdict:
    """Return what Firehose makes of the answer *payload* to a request for *records*."""
    answers = payload.get("records") if isinstance(payload, dict) else None
    if not isinstance(answers, list):
        return everything_failed(
            records, Failure("Lambda.JsonProcessingException", "The answer is not an object with a list of records.")
        )
    broken = next((failure for failure in map(_broken, answers) if failure is not None), None)
    if broken is not None:
        return everything_failed(records, broken)
    times = Counter(answer["recordId"] for answer in answers)
    # Answers to records that nobody asked about are ignored.
    by_id = {answer["recordId"]: answer for answer in answers}
    parts: list[Part] = []
    failed: list[tuple[Record, Failure]] = []
    dropped: list[Record] = []
    for record in records:
        record_id = record.id
        answer = by_id.get(record_id)
        if answer is None:
            failed.append((record, Failure("Lambda.MissingRecordId", "The answer lacks this record's id.")))
        elif times[record_id] > 1:
            failed.append((record, Failure("Lambda.DuplicatedRecordId", "The answer has this record's id twice.")))
        elif answer["result"] == "Dropped":
            dropped.append(record)
        elif answer["result"] == "ProcessingFailed":
            failed.append((record, Failure("Lambda.ProcessingFailedStatus", "The function gave up on this record.")))
        else:
            try:
                data = binascii.a2b_base64(answer["data"], strict_mode=True)
            except ValueError:
                return everything_failed(
                    records, Failure("Lambda.JsonMappingException", "The data of a record is not base64.")
                )
            parts.append(Part(record.number, record.arrival_ms, data))
    return Verdict(tuple(parts), tuple(failed), tuple(dropped))


def _broken(answer: object) -> Failure | None:
    if not isinstance(answer, dict) or not isinstance(answer.get("recordId"), str):
        return Failure("Lambda.FunctionError", "A record of the answer has no id.")
    result = answer.get("result")
    if not isinstance(result, str) or result not in _RESULTS:
        return Failure("Lambda.FunctionError", "The result of a record is none of Ok, Dropped and ProcessingFailed.")
    if result == "Ok" and not isinstance(answer.get("data"), str):
        return Failure("Lambda.InvalidReturnFormat", "A record with the result Ok has no data.")
    return None


def error_part(record: Record, failure: Failure, *, attempts: int, ended_ms: int, lambda_arn: str) -> Part:
    """Return the line of an error object about *record*; its data is what the producer put."""
    line = {
        "attemptsMade": attempts,
        "arrivalTimestamp": record.arrival_ms,
        "errorCode": failure.code,
        "errorMessage": failure.message,
        "attemptEndingTimestamp": ended_ms,
        "rawData": binascii.b2a_base64(record.data, newline=False).decode("ascii"),
        "lambdaArn": lambda_arn,
    }
    data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    return Part(record.number, record.arrival_ms, data)
