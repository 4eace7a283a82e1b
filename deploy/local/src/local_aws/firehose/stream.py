"""
Run one delivery stream: records come in, are transformed, and leave as objects.

Every step is a method that does what is due and returns, so that tests can take the steps one by one with a clock of
their own; `local_aws.firehose.workers` takes them in threads. One lock guards the state, and is never held while the
function runs or S3 is called.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from threading import Condition, Event, Lock

from local_aws.firehose.answers import ENVELOPE_BYTES, MOST_PAYLOAD_BYTES, request_weight
from local_aws.firehose.buffers import DUE_NOW, Buffer, Outbox
from local_aws.firehose.configuration import Configuration, Place
from local_aws.firehose.errors import ServiceUnavailableError
from local_aws.firehose.journal import StreamJournal
from local_aws.firehose.kinds import Kind
from local_aws.firehose.records import Part, Record
from local_aws.firehose.services import Services
from local_aws.firehose.shipping import body_of, store
from local_aws.firehose.statistics import Statistics
from local_aws.firehose.transformation import Transformed, transformed
from local_aws.firehose.unfinished import Unfinished

log = logging.getLogger(__name__)

# Firehose keeps records for 24 hours while S3 cannot take them; then they are lost.
RETENTION_SECONDS = 24 * 60 * 60
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# How late the fault firehose.delay_delivery makes an object.
DELAY_SECONDS = 2.0
# More than this is not held in memory: callers are told to slow down, as they are on AWS.
MOST_WAITING_BYTES = 512 * 1024 * 1024


class DeliveryStream:
    """A stream that accepts records and brings each of them to an object, at least once."""

    def __init__(
        self,
        name: str,
        *,
        arn: str,
        configuration: Configuration,
        version: int,
        services: Services,
        journal: StreamJournal | None = None,
        most_waiting_bytes: int = MOST_WAITING_BYTES,
    ) -> None:
        """Begin with the undelivered records of *journal*, if there is one."""
        self.name = name
        self.arn = arn
        self.statistics = Statistics()
        self._configuration = configuration
        self._version = version
        self._services = services
        self._journal = journal
        self._most_waiting_bytes = most_waiting_bytes
        self._lock = Lock()
        self._finished = Condition(self._lock)
        self._to_transform = Condition(self._lock)
        self._to_deliver = {kind: Condition(self._lock) for kind in Kind}
        self._stopped = Event()
        self._flushing = 0
        self._last_number = 0
        self._transforming = 0
        self._unfinished = Unfinished()
        transform = configuration.processing.transform
        self._incoming: Buffer[Record] = Buffer(
            transform.hints if transform else configuration.data.hints, most_weight=MOST_PAYLOAD_BYTES - ENVELOPE_BYTES
        )
        self._outboxes = {kind: Outbox((self._place(kind) or configuration.data).hints) for kind in Kind}
        if journal is not None:
            with self._lock:
                for kept in journal.recovered():
                    self._enter([(kept.arrival_ms, kept.data)], segment=kept.segment)

    @property
    def waiting(self) -> int:
        """How many accepted records are not delivered yet."""
        with self._lock:
            return len(self._unfinished)

    @property
    def stopped(self) -> bool:
        """Whether the stream has been told to stop."""
        return self._stopped.is_set()

    def configure(self, configuration: Configuration, *, version: int) -> None:
        """Go on with another *configuration*; what is buffered follows it too."""
        with self._lock:
            self._configuration = configuration
            self._version = version
            if configuration.processing.transform is not None:
                self._incoming.hints = configuration.processing.transform.hints
            for kind, outbox in self._outboxes.items():
                outbox.buffer.hints = (self._place(kind) or configuration.data).hints
            self._notify_all()

    def put(self, datas: Sequence[bytes]) -> list[bool]:
        """
        Accept records, and return which of *datas* were accepted: a fault may refuse some of them.

        Raises:
            ServiceUnavailableError: Too much waits already, the journal cannot be written, or the stream stops.
        """
        faults = self._services.faults
        accepted = [not faults.strikes("firehose.refuse_record") for _ in datas]
        arrival_ms = int(self._services.clock() * 1000)
        arrivals = [(arrival_ms, data) for data, welcome in zip(datas, accepted, strict=True) if welcome]
        size = sum(len(data) for _, data in arrivals)
        with self._lock:
            if self.stopped or self._unfinished.waiting_bytes + size > self._most_waiting_bytes:
                raise ServiceUnavailableError("Slow down.")
            segment: int | None = None
            if self._journal is not None and arrivals:
                try:
                    segment = self._journal.append(arrivals)
                except OSError as error:
                    log.exception("journal cannot be written")
                    raise ServiceUnavailableError("Slow down.") from error
            self._enter(arrivals, segment=segment)
            self.statistics.count_put([data for _, data in arrivals], refused=len(datas) - len(arrivals))
        return accepted

    def transform_due(self) -> bool:
        """Transform a batch if one is due, and say whether one was."""
        with self._lock:
            due = self._transform_due_at()
            if due is None or due > self._services.clock():
                return False
            records = self._incoming.take()
            transform = self._configuration.processing.transform
            self._transforming += 1
            self._to_transform.notify()
        try:
            if transform is None:
                # These waited for a function that an update took away.
                with self._lock:
                    self._outbox(Kind.DATA, [record.as_part() for record in records])
                return True
            result = transformed(
                records, transform=transform, stream_arn=self.arn, services=self._services, stopped=self._stopped
            )
            if result is not None:
                self._note(records, result)
        finally:
            with self._lock:
                self._transforming -= 1
                self._notify_all()
        return True

    def deliver_due(self, kind: Kind) -> bool:
        """Write an object of *kind* if one is due, and say whether one was."""
        now = self._services.clock()
        with self._lock:
            shipment = self._outboxes[kind].take(now=now, flushing=self._outbox_flushing(kind))
            place, version = self._place(kind), self._version
            if shipment is None or place is None:
                return False
            if not shipment.delayed and self._services.faults.strikes("firehose.delay_delivery"):
                self._outboxes[kind].hold(replace(shipment, delayed=True), until=now + DELAY_SECONDS)
                return True
            if shipment.attempts and now - shipment.oldest_arrival_ms / 1000 > RETENTION_SECONDS:
                log.error("records lost", extra={"stream": self.name, "records": len(shipment.parts)})
                self.statistics.lost += len(shipment.parts)
                self._step([part.number for part in shipment.parts])
                return True
            delimiter = self._configuration.processing.delimiter if kind is Kind.DATA else b""
        body = body_of(shipment, place=place, delimiter=delimiter, services=self._services)
        try:
            store(shipment, body, stream=self.name, version=version, place=place, services=self._services)
        except Exception as error:  # noqa: BLE001 - whatever keeps S3 from taking it, the object is kept and tried again
            log.warning("object not stored: %s", error, extra={"stream": self.name, "kind": kind.value})
            pause = min(FIRST_PAUSE_SECONDS * 2 ** min(shipment.attempts, 10), LONGEST_PAUSE_SECONDS)
            with self._lock:
                self.statistics.store_failures += 1
                again = replace(shipment, attempts=shipment.attempts + 1)
                self._outboxes[kind].hold(again, until=self._services.clock() + pause)
            return True
        with self._lock:
            self.statistics.count_object(kind, size=len(body))
            self._step([part.number for part in shipment.parts])
        return True

    def wait_to_transform(self) -> None:
        """Wait until a batch may be due, or the stream stops."""
        with self._lock:
            self._wait(self._to_transform, self._transform_due_at())

    def wait_to_deliver(self, kind: Kind) -> None:
        """Wait until an object of *kind* may be due, or the stream stops."""
        with self._lock:
            due = self._outboxes[kind].due_at(flushing=self._outbox_flushing(kind))
            self._wait(self._to_deliver[kind], due)

    def flush(self, *, timeout_seconds: float | None = None) -> bool:
        """Hurry everything that was accepted until now, and say whether it was delivered in time."""
        with self._lock:
            mark = self._last_number
            self._flushing += 1
            self._notify_all()
            self._finished.wait_for(lambda: self.stopped or self._is_delivered(mark), timeout_seconds)
            self._flushing -= 1
            return self._is_delivered(mark)

    def stop(self) -> None:
        """Accept nothing more and let the workers end after the step they are at."""
        with self._lock:
            self._stopped.set()
            self._notify_all()

    def discard(self) -> None:
        """Forget, for the next process, the stream and what it has not delivered."""
        with self._lock:
            if self._journal is not None:
                self._journal.delete()

    def close(self) -> None:
        """Close the journal; call it when the workers have ended."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()

    def _enter(self, arrivals: Sequence[tuple[int, bytes]], *, segment: int | None) -> None:
        now = self._services.clock()
        backed_up = self._configuration.backup is not None
        due = self._transform_due_at()
        for arrival_ms, data in arrivals:
            self._last_number += 1
            record = Record(self._last_number, arrival_ms, data)
            self._unfinished.begin(record.number, steps=2 if backed_up else 1, size=len(data), segment=segment)
            if self._configuration.processing.transform is not None:
                self._incoming.add(record, size=len(data), now=now, weight=request_weight(record))
            else:
                self._outbox(Kind.DATA, [record.as_part()])
            if backed_up:
                self._outbox(Kind.BACKUP, [record.as_part()])
        if self._transform_due_at() != due:
            self._to_transform.notify()

    def _outbox(self, kind: Kind, parts: Sequence[Part]) -> None:
        outbox = self._outboxes[kind]
        flushing = self._outbox_flushing(kind)
        due = outbox.due_at(flushing=flushing)
        outbox.add(parts, now=self._services.clock())
        if outbox.due_at(flushing=flushing) != due:
            self._to_deliver[kind].notify()

    def _note(self, records: Sequence[Record], result: Transformed) -> None:
        verdict = result.verdict
        with self._lock:
            self.statistics.invocations += result.attempts
            self.statistics.count_transformed(records, verdict)
            self._outbox(Kind.DATA, verdict.parts)
            self._outbox(Kind.ERRORS, result.errors)
            # A dropped record leaves no trace but its backup.
            self._step([record.number for record in verdict.dropped])

    def _place(self, kind: Kind) -> Place | None:
        places = {Kind.DATA: self._configuration.data, Kind.ERRORS: self._configuration.errors}
        return places.get(kind, self._configuration.backup)

    def _step(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            last, segment = self._unfinished.step(number)
            if last and segment is not None and self._journal is not None:
                self._journal.finished(segment)
        self._finished.notify_all()

    def _is_delivered(self, mark: int) -> bool:
        oldest = self._unfinished.oldest
        return oldest is None or oldest > mark

    def _transform_due_at(self) -> float | None:
        due = self._incoming.due_at()
        return DUE_NOW if self._flushing and due is not None else due

    def _outbox_flushing(self, kind: Kind) -> bool:
        # A flush waits for the transformation to finish, so that it does not make an object of each batch.
        settled = kind is Kind.BACKUP or (self._transforming == 0 and self._incoming.due_at() is None)
        return self._flushing > 0 and settled

    def _wait(self, condition: Condition, due: float | None) -> None:
        seconds = None if due is None else due - self._services.clock()
        if not self.stopped and (seconds is None or seconds > 0):
            condition.wait(seconds)

    def _notify_all(self) -> None:
        for condition in (self._finished, self._to_transform, *self._to_deliver.values()):
            condition.notify_all()
