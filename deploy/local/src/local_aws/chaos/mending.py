"""
What an operator does about what was lost or given up: sweep objects, redrive events and records, replay batches.

The stack's retries are bounded, as they are in production. So a batch of the stream may end in the on-failure
destination, an event of an object in the queue of failures, a record under `failed/` although it fits; and an event may
be lost. All of these are mended here by the code of `ddb2aurora sweep` and `redrive`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.pipeline import Pipeline
from local_aws.functions import Function
from local_aws.stack.clients import Clients
from operator_cli.invoking import FunctionFailedError
from operator_cli.loading import load_objects
from operator_cli.redriving.batches import Batches
from operator_cli.redriving.events import FailedEvents
from operator_cli.redriving.kept import KeptObjects
from operator_cli.redriving.records import FailedRecords
from operator_cli.redriving.tally import Circuit, Tally
from operator_cli.sweeping import lacking, objects_under

if TYPE_CHECKING:
    from pymysql.connections import Connection


class Mender:
    """Mend what one pipeline has lost or given up, and count it in `mended`."""

    def __init__(
        self, pipeline: Pipeline, *, clients: Clients, bucket: str, loader: Function, stream_processor: Function
    ) -> None:
        """Work on *bucket* and the resources of *pipeline*, by way of its functions."""
        self._pipeline = pipeline
        self._clients = clients
        self._bucket = bucket
        self._loader = loader
        self._stream_processor = stream_processor
        self.mended: Counter[str] = Counter()

    def sweep(self, connection: "Connection[Any]", *, older_than_seconds: float = 0) -> int:
        """
        Load every object that the ledger lacks, and return how many there were; one that fails is for the next sweep.

        Raises:
            pymysql.err.Error: The ledger cannot be read.
        """
        lacking_ones = self.lacking(connection, older_than_seconds=older_than_seconds)
        loads = load_objects(lacking_ones, load=self._load, concurrency=1, told=lambda _ref, _failure: None)
        self.mended["objects swept"] += loads.loaded
        return len(lacking_ones)

    def lacking(self, connection: "Connection[Any]", *, older_than_seconds: float = 0) -> list[ObjectRef]:
        """
        Return every object that the ledger lacks.

        Raises:
            pymysql.err.Error: The ledger cannot be read.
        """
        pipeline = self._pipeline
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds) if older_than_seconds else None
        prefix = f"processed/{pipeline.name}/"
        objects = objects_under(self._clients.s3, bucket=self._bucket, prefix=prefix, before=before)
        return list(lacking(objects, connection=connection, database=pipeline.target_database))

    def redrive_events(self) -> int:
        """Give the loader every event of its queue of failures again, and return how many there were."""
        sqs = self._clients.sqs
        url = sqs.get_queue_url(QueueName=f"{self._pipeline.name}-aurora-loader-failures")["QueueUrl"]
        events = FailedEvents(sqs, queue_url=url, pipeline=self._pipeline, loader=self._load)
        return self._redrive("events", events.redrive)

    def replay_batches(self) -> int:
        """Give the stream-processor every batch that its mapping gave up again; return how many changes there were."""
        batches = Batches(
            KeptObjects(self._clients.s3, bucket=self._bucket),
            pipeline=self._pipeline,
            stream_processor=lambda event: _answer(self._stream_processor, event),
        )
        return self._redrive("changes of batches", batches.redrive_batches)

    def redrive_records(self) -> int:
        """Load every failed record that fits today's mapping, and return how many changes there were."""
        records = FailedRecords(self._clients.s3, bucket=self._bucket, pipeline=self._pipeline, horizon_ms=0)
        return self._redrive("failed records", records.redrive)

    def _redrive(self, what: str, redrive: Callable[..., None]) -> int:
        # Chaos breaks a share of the items on purpose: however many fail again, it goes on.
        tally = Tally(what)
        redrive(tally, Circuit(most=1), dry=False)
        self.mended[f"{what} redriven"] += tally.redriven
        return tally.redriven

    def _load(self, event: Mapping[str, Any]) -> None:
        _answer(self._loader, event)


def _answer(function: Function, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever it answers
    answer = function.invoke(event)
    if answer.error is not None:
        raise FunctionFailedError(function.name, answer.error.error_type, answer.error.message)
    return answer.payload
