"""Have a function transform a batch, asking again as often as the processor's NumberOfRetries says."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from local_aws.firehose import answers
from local_aws.firehose.answers import Verdict
from local_aws.firehose.processing import Transform
from local_aws.firehose.records import Failure, Part, Record
from local_aws.firehose.services import Services

log = logging.getLogger(__name__)

# AWS does not say how long Firehose waits between attempts; a laptop should not wait long.
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Transformed:
    """A verdict, the lines of the error object that it makes, and how many invocations it took."""

    verdict: Verdict
    errors: tuple[Part, ...]
    attempts: int


def transformed(
    records: Sequence[Record], *, transform: Transform, stream_arn: str, services: Services, stopped: Event
) -> Transformed | None:
    """Return what became of *records*, or None if the stand-in was *stopped* between two attempts."""
    attempts = 0
    while True:
        attempts += 1
        verdict, failure = _attempt(records, transform=transform, stream_arn=stream_arn, services=services)
        if failure is not None and attempts <= transform.retries:
            pause = min(FIRST_PAUSE_SECONDS * 2 ** min(attempts - 1, 10), LONGEST_PAUSE_SECONDS)
            if services.wait(stopped, pause):
                return None
            continue
        ended_ms = int(services.clock() * 1000)
        errors = tuple(
            answers.error_part(record, why, attempts=attempts, ended_ms=ended_ms, lambda_arn=transform.lambda_arn)
            for record, why in verdict.failed
        )
        return Transformed(verdict, errors, attempts)


def _attempt(
    records: Sequence[Record], *, transform: Transform, stream_arn: str, services: Services
) -> tuple[Verdict, Failure | None]:
    """Ask once; return the verdict, and the failure if it is one that another attempt may mend."""
    # AWS: each attempt has an invocation id of its own and the same record ids.
    event = answers.request(records, invocation_id=services.ids.uuid(), stream_arn=stream_arn, region=services.region)
    started = services.clock()
    failure: Failure | None
    payload: object = None
    try:
        invocation = services.resolve_function(transform.lambda_arn).invoke(event)
    except LookupError:
        failure = answers.NOT_FOUND
    except Exception:  # the runner of functions is not ours: whatever it raises, the function could not be started
        log.exception("function could not be started")
        failure = answers.CANNOT_START
    else:
        payload = invocation.payload
        if invocation.error is not None:
            failure = answers.failure_of(invocation.error)
        elif services.clock() - started > answers.MOST_SECONDS:
            failure = answers.TOO_SLOW
        else:
            failure = answers.oversized(payload)
    if failure is not None:
        return answers.everything_failed(records, failure), failure
    return answers.judged(records, payload), None
