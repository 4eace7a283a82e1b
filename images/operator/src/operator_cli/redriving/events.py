"""
Give the loader again the events that it failed for good, from its on-failure queue.

AWS: a message of an on-failure destination holds the event as `requestPayload`; one of a dead-letter queue is the
event. A message that is read stays hidden for a while and then comes back; it is deleted only once its objects are
loaded.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import aws_errors
from operator_cli.invoking import FunctionFailedError, Invoke
from operator_cli.redriving.tally import Circuit, Sample, Tally
from operator_cli.row_objects import rows_prefix

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# A loader runs for five minutes at most; the message must not come back while it does.
_HIDDEN_SECONDS: Final = 360
_MESSAGES_A_CALL: Final = 10  # SQS: at most 10
_COUNTS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_NOT_AN_EVENT: Final = "not_an_event"


class FailedEvents:
    """The messages of one queue of failures."""

    def __init__(self, sqs: "SQSClient", *, queue_url: str, pipeline: Pipeline, loader: Invoke) -> None:
        """Give those of *pipeline* in the queue at *queue_url* to *loader*."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._prefix = rows_prefix(pipeline)
        self._loader = loader

    def redrive(self, tally: Tally, circuit: Circuit, *, dry: bool, limit: int | None = None) -> None:
        """
        Give every event to the loader once more; see `records.FailedRecords.redrive`.

        Raises:
            AwsSetUpError: The queue or the function cannot be used before someone acts.
            AwsCallError: It may work later.
        """
        shown: list[MessageTypeDef] = []
        there, seen = self._count(), 0
        try:
            for message in self._messages(shown):
                if tally.kept_in == limit or circuit.is_open:
                    return
                seen += 1
                self._message(message, tally, circuit, dry=dry, shown=shown)
        finally:
            # What was not replayed is for whoever looks next, at once.
            self._show(shown)
        # Without them it would look as if nothing were left.
        tally.hidden = max(0, there - seen)
        tally.left += tally.hidden

    def _count(self) -> int:
        """Return about how many messages there are, with those that somebody else has received a moment ago."""
        with aws_errors(where="the queue of the loader's failures"):
            answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=list(_COUNTS))
        return sum(int(answer["Attributes"][name]) for name in _COUNTS)

    def _message(
        self, message: "MessageTypeDef", tally: Tally, circuit: Circuit, *, dry: bool, shown: list["MessageTypeDef"]
    ) -> None:
        event, told = event_in(message.get("Body", ""))
        keys = keys_in(event)
        if keys and not any(key.startswith(self._prefix) for key in keys):
            return  # the queue may serve several pipelines
        tally.kept_in += 1
        where = f"message {message.get('MessageId', '')}"
        if event is None or not keys:
            tally.fail(_NOT_AN_EVENT, Sample(where, "-", f"{_NOT_AN_EVENT}: names no object; delete it by hand"))
            circuit.note(tried=1, failed=1)
            return
        if dry:
            tally.redriven += 1
            tally.samples.append(Sample(f"{where}: {keys[0]}", "-", told))
            return
        try:
            self._loader(event)
        except FunctionFailedError as error:
            tally.fail(error.error_type, Sample(f"{where}: {keys[0]}", "-", f"{error.error_type}: {error.reason}"))
            circuit.note(tried=1, failed=1)
            return
        circuit.note(tried=1, failed=0)
        with aws_errors(where="the queue of the loader's failures"):
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        shown.remove(message)
        tally.redriven += 1
        tally.settled += 1

    def _messages(self, shown: list["MessageTypeDef"]) -> Iterator["MessageTypeDef"]:
        seen: set[str] = set()
        while True:
            with aws_errors(where="the queue of the loader's failures"):
                answer = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=_MESSAGES_A_CALL,
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    # A short poll asks only some of the servers, and may find nothing where there is something.
                    WaitTimeSeconds=1,
                )
            fresh = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
            if not fresh:
                return
            seen.update(message["MessageId"] for message in fresh)
            shown.extend(fresh)
            yield from fresh

    def _show(self, messages: list["MessageTypeDef"]) -> None:
        for message in messages:
            with aws_errors(where="the queue of the loader's failures"):
                self._sqs.change_message_visibility(
                    QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )


def event_in(body: str) -> tuple[dict[str, Any] | None, str]:
    """Return the event in the *body* of a message, None if there is none, and what is told of its failure."""
    try:
        message = json.loads(body)
    except ValueError:
        return None, ""
    if not isinstance(message, dict):
        return None, ""
    event = message.get("requestPayload", message)
    response = message.get("responsePayload")
    context = message.get("requestContext")
    told = response.get("errorMessage") if isinstance(response, dict) else None
    condition = context.get("condition") if isinstance(context, dict) else None
    return (event if isinstance(event, dict) else None), str(told or condition or "")


def keys_in(event: dict[str, Any] | None) -> tuple[str, ...]:
    """Return the keys of the objects that an event of S3 announces."""
    records = (event or {}).get("Records")
    try:
        # S3 encodes keys as forms do.
        return tuple(unquote_plus(record["s3"]["object"]["key"]) for record in records or [])
    except (KeyError, TypeError, AttributeError):
        return ()
