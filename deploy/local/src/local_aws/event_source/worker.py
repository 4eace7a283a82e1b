"""The threads that carry one shard: one that reads, and one for each lane that calls the function."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.event_source.checkpoints import Checkpoints
from local_aws.event_source.counters import MappingCounters
from local_aws.event_source.lane import Batch, Discard, Invoke, Lane
from local_aws.event_source.on_failure import Destination, DiscardedBatch
from local_aws.event_source.outcome import NotRun, Outcome, Succeeded, interpret
from local_aws.event_source.progress import Progress
from local_aws.event_source.reader import Page, ShardReader
from local_aws.event_source.records import MAX_EVENT_BYTES, StreamRecord, event_of
from local_aws.event_source.settings import MappingSettings
from local_aws.faults import Faults
from local_aws.functions import Function, Invocation
from local_aws.tally import Tally

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.25
"""Lambda polls each shard 4 times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What all shards of a mapping share."""

    settings: MappingSettings
    function: Function
    on_failure: Destination | None
    faults: Faults
    checkpoints: Checkpoints
    tally: Tally[MappingCounters]
    delay: Callable[[int], float]
    clock: Callable[[], float] = time.time


class ShardWorker:
    """Carry one shard from where its reader stands to its end, or until it is stopped."""

    def __init__(self, work: Work, *, shard_id: str, reader: ShardReader, ended: Callable[[], None]) -> None:
        """Call *ended* when the shard is worked through to its end."""
        self._work = work
        self._shard_id = shard_id
        self._reader = reader
        self._ended = ended
        self._progress = Progress()
        self._lanes = [Lane(work.settings, delay=work.delay) for _ in range(work.settings.parallelization_factor)]
        self._buffered_bytes = 0
        self._caught_up = False
        self._oldest: dict[str, float] = {}
        self._stopping = False
        self._changed = threading.Condition()
        targets: list[Callable[[], None]] = [self._read, *(partial(self._carry, lane) for lane in self._lanes)]
        self._threads = [threading.Thread(target=target, name=shard_id, daemon=True) for target in targets]

    def start(self) -> None:
        """Begin to read and to call the function."""
        for thread in self._threads:
            thread.start()

    @property
    def idle(self) -> bool:
        """Whether the last look at the shard found nothing new, and all that was read is done."""
        with self._changed:
            return self._caught_up and not self._progress.pending

    @property
    def oldest_open(self) -> float | None:
        """When the oldest record that is read and not done was created."""
        with self._changed:
            return min(self._oldest.values(), default=None)

    def stop(self) -> None:
        """Read no more and start no batch; `join` waits for those that run."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until every thread has ended."""
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        failures = 0
        while self._room_to_read():
            try:
                page = self._reader.read()
            except (ClientError, BotoCoreError) as error:
                failures += 1
                self._work.tally.add(read_errors=1)
                _LOG.warning("the shard cannot be read", extra={"shard": self._shard_id, "error": repr(error)})
                self._pause(self._work.delay(failures))
                continue
            failures = 0
            self._take(page)
            if page.last:
                self._finish()
                return
            if not page.records:
                self._pause(_POLL_SECONDS)

    def _room_to_read(self) -> bool:
        """Wait while enough is read to fill some lane twice; say whether to go on."""
        factor = self._work.settings.parallelization_factor
        most_records = 2 * factor * self._work.settings.batch_size
        most_bytes = 2 * factor * MAX_EVENT_BYTES
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or (self._progress.pending < most_records and self._buffered_bytes < most_bytes)
            )
            return not self._stopping

    def _take(self, page: Page) -> None:
        now = self._work.clock()
        self._work.tally.add(records_read=len(page.records))
        with self._changed:
            self._caught_up = not page.records
            self._progress.read(record.sequence_number for record in page.records)
            for record in page.records:
                self._oldest[record.sequence_number] = record.created_at
                self._buffered_bytes += record.size_bytes
                self._lanes[record.item % len(self._lanes)].offer((record,), now=now)
            if page.last:
                self._caught_up = True
                for lane in self._lanes:
                    lane.close()
            if page.records or page.last:
                self._changed.notify_all()

    def _finish(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or not self._progress.pending)
            if self._progress.pending:
                return
        self._work.checkpoints.finish(self._shard_id)
        self._ended()

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)

    def _carry(self, lane: Lane) -> None:
        while (step := self._next(lane)) is not None:
            if isinstance(step, Invoke):
                self._invoke(lane, step.batch)
            else:
                self._discard(lane, step)

    def _next(self, lane: Lane) -> Invoke | Discard | None:
        """Wait for the next step of *lane*; None when there will be none."""
        with self._changed:
            while not self._stopping and not lane.finished:
                now = self._work.clock()
                step = lane.step(now=now)
                if step is not None:
                    return step
                wakes_at = lane.wakes_at
                self._changed.wait(None if wakes_at is None else max(wakes_at - now, 0))
            return None

    def _invoke(self, lane: Lane, batch: Batch) -> None:
        work = self._work
        invocation, outcome = self._ask(batch)
        if isinstance(outcome, NotRun):
            work.tally.add(throttles=1)
        else:
            work.tally.add(invocations=1, retries=0 if isinstance(outcome, Succeeded) else 1)
        if isinstance(outcome, Succeeded):
            work.tally.add(batches_succeeded=1)
            if work.faults.strikes("stream.duplicate_batch"):
                # Lambda delivers at least once: the same batch again, although it is done.
                self._ask(batch)
                work.tally.add(invocations=1, batches_duplicated=1)
        with self._changed:
            done = lane.settle(outcome, invocation, now=work.clock())
            checkpoint = self._done(done)
        work.tally.add(records_succeeded=len(done))
        self._save(checkpoint)

    def _ask(self, batch: Batch) -> tuple[Invocation, Outcome]:
        settings = self._work.settings
        try:
            invocation = self._work.function.invoke(event_of(batch.records))
        except Exception:  # noqa: BLE001 - see below
            # The batch stays open, as after an error of Lambda itself; a thread that dies would stop its items.
            _LOG.exception("the function could not be invoked", extra={"shard": self._shard_id})
            return Invocation(request_id=""), NotRun()
        outcome = interpret(invocation, records=batch.records, reports_item_failures=settings.reports_item_failures)
        return invocation, outcome

    def _discard(self, lane: Lane, step: Discard) -> None:
        work = self._work
        discarded = DiscardedBatch(
            batch=step.batch,
            condition=step.condition,
            shard_id=self._shard_id,
            stream_arn=work.settings.stream_arn,
            mapping_uuid=work.settings.uuid,
            function_arn=work.function.arn,
            at=work.clock(),
        )
        if not self._handed_over(discarded):
            return
        with self._changed:
            done = lane.discarded()
            checkpoint = self._done(done)
        work.tally.add(records_discarded=len(done), batches_discarded=1)
        self._save(checkpoint)

    def _handed_over(self, discarded: DiscardedBatch) -> bool:
        """
        Give a batch to the destination, until that accepts it; say whether it did before the stop.

        Lambda itself counts a destination that refuses (DestinationDeliveryFailures) and loses the batch. Here the
        destination is on the same machine, so it is worth waiting for.
        """
        failures = 0
        while self._work.on_failure is not None:
            try:
                self._work.on_failure.accept(discarded)
                break
            except Exception:  # noqa: BLE001 - a destination may refuse in any way, and none may lose the batch
                failures += 1
                self._work.tally.add(destination_errors=1)
                _LOG.exception("the on-failure destination refused a batch", extra={"shard": self._shard_id})
            self._pause(self._work.delay(failures))
            if self._stopping:
                return False
        return True

    def _done(self, records: tuple[StreamRecord, ...]) -> str | None:
        for record in records:
            del self._oldest[record.sequence_number]
            self._buffered_bytes -= record.size_bytes
        checkpoint = self._progress.done(record.sequence_number for record in records)
        self._changed.notify_all()
        return checkpoint

    def _save(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self._work.checkpoints.moved(self._shard_id, checkpoint)
