"""The mapping as a whole: it finds shards, and lets workers carry them in the right order."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.event_source.checkpoints import Checkpoints
from local_aws.event_source.counters import MappingCounters
from local_aws.event_source.on_failure import Destination
from local_aws.event_source.reader import ShardReader
from local_aws.event_source.settings import LATEST, TRIM_HORIZON, MappingSettings
from local_aws.event_source.shards import Shard, list_shards, startable
from local_aws.event_source.worker import ShardWorker, Work
from local_aws.faults import NO_FAULTS, Faults
from local_aws.functions import Function
from local_aws.tally import Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

_LOG = logging.getLogger(__name__)


class StreamMapping:
    """
    Carry every record of a DynamoDB stream to a function, at least once and in order for each item.

    Records that the settings give up go to *on_failure*; without one they are only counted, as on AWS. With
    *checkpoint_path* a mapping that is made again goes on where the last one stood. The first retry waits
    *retry_delay_seconds*, each further one twice as long, up to *maximum_retry_delay_seconds*. New shards are looked
    for every *discovery_seconds*, and as soon as one ends.
    """

    def __init__(
        self,
        settings: MappingSettings,
        *,
        streams: "DynamoDBStreamsClient",
        function: Function,
        on_failure: Destination | None = None,
        faults: Faults = NO_FAULTS,
        checkpoint_path: Path | None = None,
        retry_delay_seconds: float = 0.2,
        maximum_retry_delay_seconds: float = 10,
        discovery_seconds: float = 2,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._streams = streams
        self._discovery_seconds = discovery_seconds
        self._clock = clock
        self._tally = Tally(MappingCounters)
        self._checkpoints = Checkpoints(stream_arn=settings.stream_arn, path=checkpoint_path)
        self._work = Work(
            settings=settings,
            function=function,
            on_failure=on_failure,
            faults=faults,
            checkpoints=self._checkpoints,
            tally=self._tally,
            delay=lambda failures: min(retry_delay_seconds * 2 ** min(failures - 1, 32), maximum_retry_delay_seconds),
            clock=clock,
        )
        self._first_look = self._checkpoints.empty
        self._workers: dict[str, ShardWorker] = {}
        self._looked = False
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._look_for_shards, name="shard discovery", daemon=True)

    def start(self) -> None:
        """Begin to carry records."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more, wait for the batches that run, and end; what is not done is delivered to the next mapping."""
        self._stopping = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        workers = tuple(self._workers.values())
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join()

    @property
    def idle(self) -> bool:
        """
        Whether all that was read is done, and the last look at every shard found nothing new.

        A record that was written less than a poll ago (0.25 s) may not have been seen yet.
        """
        return self._looked and not self._wake.is_set() and all(w.idle for w in tuple(self._workers.values()))

    @property
    def counters(self) -> MappingCounters:
        """What has been done since the start."""
        return self._tally.counters

    @property
    def iterator_age_seconds(self) -> float:
        """How old the oldest record is that was read and is not done; 0 when there is none."""
        ages = [self._clock() - at for w in tuple(self._workers.values()) if (at := w.oldest_open) is not None]
        return max(ages, default=0.0)

    def _look_for_shards(self) -> None:
        while not self._stopping:
            try:
                shards = list_shards(self._streams, stream_arn=self._settings.stream_arn)
            except (ClientError, BotoCoreError) as error:
                self._tally.add(read_errors=1)
                _LOG.warning("the stream cannot be described", extra={"error": repr(error)})
            else:
                self._start_workers(shards)
                self._looked = True
            if self._wake.wait(self._discovery_seconds):
                # A shard has ended: its children may be there. In this order, or `idle` could be true in between.
                self._looked = False
                self._wake.clear()

    def _start_workers(self, shards: tuple[Shard, ...]) -> None:
        start = self._settings.starting_position if self._first_look else TRIM_HORIZON
        if start == LATEST:
            # LATEST leaves out what is there at the first look: closed shards whole. What comes later is read whole.
            for shard in shards:
                if shard.closed:
                    self._checkpoints.finish(shard.shard_id)
        self._first_look = False
        sequences = self._checkpoints.sequences
        for shard in startable(shards, started=self._workers, finished=self._checkpoints.finished):
            reader = ShardReader(
                streams=self._streams,
                stream_arn=self._settings.stream_arn,
                shard_id=shard.shard_id,
                start=start,
                after=sequences.get(shard.shard_id),
            )
            worker = ShardWorker(self._work, shard_id=shard.shard_id, reader=reader, ended=self._wake.set)
            self._workers = {**self._workers, shard.shard_id: worker}
            worker.start()
