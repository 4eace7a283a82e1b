"""The queue that S3 announces new objects on, read so that no message is lost in a crash."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VISIBILITY_SECONDS = 30
"""How long a message that is worked on stays hidden; it is hidden again well before that is over."""

_BATCH_MESSAGES = 10
"""SQS takes and gives at most 10 messages a call."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the queue, which stays there, hidden, until it is deleted."""

    receipt: str
    body: str
    sent_at: float


class MessageSource:
    """Take messages from one queue."""

    def __init__(self, *, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def receive(self, *, wait_seconds: int) -> tuple[Message, ...]:
        """
        Return up to 10 messages, waiting for the first up to *wait_seconds*.

        Raises:
            ClientError: The queue refused.
            BotoCoreError: The service cannot be reached.
        """
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=_BATCH_MESSAGES,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=VISIBILITY_SECONDS,
            AttributeNames=["SentTimestamp"],
        )
        return tuple(
            Message(
                receipt=message["ReceiptHandle"],
                body=message["Body"],
                sent_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
            )
            for message in answer.get("Messages", [])
        )

    def delete(self, message: Message) -> None:
        """
        Delete a message for good.

        Raises:
            ClientError: The queue refused.
            BotoCoreError: The service cannot be reached.
        """
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.receipt)

    def hide(self, messages: Iterable[Message], *, seconds: int = VISIBILITY_SECONDS) -> None:
        """
        Keep *messages* from other readers for *seconds* from now; 0 hands them back.

        Raises:
            ClientError: The queue refused.
            BotoCoreError: The service cannot be reached.
        """
        for batch in _batches(messages):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message.receipt, "VisibilityTimeout": seconds}
                    for index, message in enumerate(batch)
                ],
            )


def _batches(messages: Iterable[Message]) -> Iterator[tuple[Message, ...]]:
    rest = iter(messages)
    while batch := tuple(itertools.islice(rest, _BATCH_MESSAGES)):
        yield batch
