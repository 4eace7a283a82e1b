"""A table that had its items before it had a stream, and the changes that come while it is backfilled."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from ddb2aurora.pipeline import Pipeline
from operator_cli.clickstream import Operation, Shares, operations
from operator_cli.seeding import Seeder

if TYPE_CHECKING:
    from local_aws.stack.clients import Clients

# One item in twenty changes while it is read; a few can never load.
SHARES: Final = Shares(updated=0.025, deleted=0.015, recreated=0.01, broken=0.001)
_WRITERS: Final = 4
_BATCH: Final = 25


def planned(items: int, *, seed: int) -> tuple[list[Operation], list[Operation]]:
    """Return the puts of *items* items, and the changes of some of them afterwards."""
    drawn = operations(items, seed=seed, shares=SHARES)
    return list(itertools.islice(drawn, items)), list(drawn)


def make_table_without_stream(clients: "Clients", pipeline: Pipeline, puts: Sequence[Operation]) -> None:
    """Make the table of *pipeline*, fill it, and only then switch its stream on."""
    names = pipeline.source_key
    clients.dynamodb.create_table(
        TableName=pipeline.source_table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}  # type: ignore[typeddict-item]  # HASH and RANGE
            for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    with ThreadPoolExecutor(_WRITERS) as pool:
        seeder = Seeder(clients.dynamodb, table=pipeline.source_table, key=names)
        parts = [puts[start::_WRITERS] for start in range(_WRITERS)]
        for writing in [pool.submit(seeder.write, part, written=lambda _: None) for part in parts]:
            writing.result()
    clients.dynamodb.update_table(
        TableName=pipeline.source_table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


class Changing(threading.Thread):
    """Write changes, so many a second, until all are written."""

    def __init__(
        self, clients: "Clients", pipeline: Pipeline, changes: Sequence[Operation], *, a_second: float
    ) -> None:
        """Prepare to write *changes* to the table of *pipeline*."""
        super().__init__(name="changing", daemon=True)
        self._seeder = Seeder(clients.dynamodb, table=pipeline.source_table, key=pipeline.source_key)
        self._changes = changes
        self._pause = _BATCH / a_second
        self.written = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        """Write them."""
        try:
            for batch in self._batches():
                started = time.monotonic()
                self.written += self._seeder.write(batch, written=lambda _: None)
                time.sleep(max(0.0, self._pause - (time.monotonic() - started)))
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            self.failure = error

    def end(self) -> None:
        """Wait until all are written."""
        self.join()
        if self.failure is not None:
            raise self.failure

    def _batches(self) -> Iterator[list[Operation]]:
        left = iter(self._changes)
        while batch := list(itertools.islice(left, _BATCH)):
            yield batch
