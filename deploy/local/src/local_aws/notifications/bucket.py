"""The path from a bucket to a function: S3 announces new objects, and Lambda is told of each."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.faults import NO_FAULTS, Faults
from local_aws.functions import Function
from local_aws.notifications.asynchronous import AsynchronousInvoker
from local_aws.notifications.configuration import watch
from local_aws.notifications.counters import NotificationCounters
from local_aws.notifications.delivery import AsynchronousSettings
from local_aws.notifications.messages import UnknownMessageError, events_in
from local_aws.notifications.on_failure import Destination
from local_aws.notifications.source import VISIBILITY_SECONDS, Message, MessageSource
from local_aws.tally import Tally

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_LOG = logging.getLogger(__name__)
_WAIT_SECONDS = 1
_MOST_HELD = 1000


@dataclass(slots=True)
class _Held:
    """A message whose events are not all done."""

    message: Message
    open_events: int
    hide_again_at: float


class BucketNotifications:
    """
    Invoke a function about each new object under a prefix of a bucket: at least once, in no order.

    The announcements wait on an SQS queue of the stand-in's own, named *queue_name*, which outlives it: a message is
    deleted only after the function succeeded or the on-failure destination has the event. So nothing is lost when
    this process dies.
    """

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str,
        queue_name: str,
        s3: "S3Client",
        sqs: "SQSClient",
        function: Function,
        settings: AsynchronousSettings | None = None,
        on_failure: Destination | None = None,
        max_concurrency: int = 4,
        faults: Faults = NO_FAULTS,
        fault_delay_seconds: float = 5,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._queue_name = queue_name
        self._s3 = s3
        self._sqs = sqs
        self._faults = faults
        self._fault_delay_seconds = fault_delay_seconds
        self._clock = clock
        self._tally = Tally(NotificationCounters)
        self._invoker = AsynchronousInvoker(
            function=function,
            settings=settings or AsynchronousSettings(),
            on_failure=on_failure,
            max_concurrency=max_concurrency,
            tally=self._tally,
            clock=clock,
        )
        self._source: MessageSource | None = None
        self._held: dict[str, _Held] = {}
        self._nothing_came = False
        self._stopping = False
        self._changed = threading.Condition()
        self._receiver: threading.Thread | None = None

    def start(self) -> None:
        """
        Have the bucket announce its new objects, and begin to invoke the function.

        Raises:
            ClientError: The bucket is not there, or the queue or the configuration cannot be made.
        """
        queue_url = watch(self._s3, self._sqs, bucket=self._bucket, prefix=self._prefix, queue_name=self._queue_name)
        source = self._source = MessageSource(sqs=self._sqs, queue_url=queue_url)
        self._invoker.start()
        self._receiver = threading.Thread(
            target=self._receive, args=(source,), name=f"{self._queue_name} receiver", daemon=True
        )
        self._receiver.start()

    def stop(self) -> None:
        """Take no more events, wait for the invocations that run, and hand back what is not done."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._receiver is not None:
            self._receiver.join()
        self._invoker.stop()
        if self._source is not None and self._held:
            self._hide(self._source, [held.message for held in self._held.values()], seconds=0)
        self._held.clear()

    @property
    def idle(self) -> bool:
        """Whether the last look at the queue found nothing, and every event that was taken is done."""
        with self._changed:
            return self._nothing_came and not self._held

    @property
    def counters(self) -> NotificationCounters:
        """What has been done since the start."""
        return self._tally.counters

    def _receive(self, source: MessageSource) -> None:
        while not self._stopping:
            self._hide_again(source)
            if not self._has_room():
                continue
            try:
                messages = source.receive(wait_seconds=_WAIT_SECONDS)
            except (ClientError, BotoCoreError) as error:
                self._refused(error)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, _WAIT_SECONDS)
                continue
            with self._changed:
                self._nothing_came = not messages
                for message in messages:
                    # One more than its events: the message is not done before all of them are in the queue.
                    hide_again_at = self._clock() + VISIBILITY_SECONDS / 3
                    self._held[message.receipt] = _Held(message, 1, hide_again_at)
            for message in messages:
                self._take(source, message)

    def _has_room(self) -> bool:
        """Wait a moment for room; only a moment, as the messages that are held have to be hidden again."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._held) < _MOST_HELD or self._stopping, _WAIT_SECONDS)

    def _take(self, source: MessageSource, message: Message) -> None:
        self._tally.add(messages=1)
        try:
            events = events_in(message.body)
        except UnknownMessageError as error:
            _LOG.warning("a message is not from S3", extra={"queue": self._queue_name, "error": str(error)})
            events = ()
        if not events:
            self._tally.add(messages_ignored=1)

        def done() -> None:
            self._settle(source, message)

        for event in events:
            self._tally.add(events=1)
            if self._faults.strikes("notification.lose"):
                self._tally.add(lost=1)
                continue
            copies = 1
            if self._faults.strikes("notification.duplicate"):
                copies = 2
                self._tally.add(events=1, duplicated=1)
            for _ in range(copies):
                delay_seconds = 0.0
                if self._faults.strikes("notification.delay"):
                    delay_seconds = self._fault_delay_seconds
                    self._tally.add(delayed=1)
                with self._changed:
                    self._held[message.receipt].open_events += 1
                self._invoker.put(event, queued_at=message.sent_at, done=done, delay_seconds=delay_seconds)
        done()

    def _settle(self, source: MessageSource, message: Message) -> None:
        """Count one event of *message* as done, and delete the message after the last one."""
        with self._changed:
            held = self._held[message.receipt]
            held.open_events -= 1
            if held.open_events:
                return
        try:
            source.delete(message)
        except (ClientError, BotoCoreError) as error:
            self._refused(error)  # It comes again, which at-least-once delivery allows.
        with self._changed:
            del self._held[message.receipt]
            self._changed.notify_all()

    def _hide_again(self, source: MessageSource) -> None:
        now = self._clock()
        with self._changed:
            due = [held for held in self._held.values() if held.hide_again_at <= now]
            for held in due:
                held.hide_again_at = now + VISIBILITY_SECONDS / 3
        if due:
            self._hide(source, [held.message for held in due], seconds=VISIBILITY_SECONDS)

    def _hide(self, source: MessageSource, messages: list[Message], *, seconds: int) -> None:
        try:
            source.hide(messages, seconds=seconds)
        except (ClientError, BotoCoreError) as error:
            self._refused(error)

    def _refused(self, error: Exception) -> None:
        self._tally.add(queue_errors=1)
        _LOG.warning("the queue refused a call", extra={"queue": self._queue_name, "error": repr(error)})
