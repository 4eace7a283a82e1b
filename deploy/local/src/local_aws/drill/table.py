"""A table that had its items before it had a stream, and the changes that come while it is backfilled."""

import itertools
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from ddb2aurora.pipeline import Pipeline
from operator_cli.clickstream import Operation, Shares, operations
from operator_cli.seeding import Seeder

if TYPE_CHECKING:
    from local_aws.stack.clients import Clients

# One item in twenty changes while it is read; a few can never load.
SHARES: Final = Shares(updated=0.025, deleted=0.015, recreated=0.01, broken=0.001)
_WRITERS: Final = 4
_LANES: Final = 8
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


class Changing:
    """Write changes, so many a second at most, until all are written; those of one item in their order."""

    def __init__(
        self, clients: "Clients", pipeline: Pipeline, changes: Sequence[Operation], *, a_second: float
    ) -> None:
        """Prepare to write *changes* to the table of *pipeline*."""
        self._seeder = Seeder(clients.dynamodb, table=pipeline.source_table, key=pipeline.source_key)
        # Several at a time: an emulator that answers one request after the other serves the Scan more often than one.
        self._lanes: list[list[Operation]] = [[] for _ in range(_LANES)]
        for change in changes:
            self._lanes[zlib.crc32(repr(change.key).encode()) % _LANES].append(change)
        self._pause = _BATCH * _LANES / a_second
        self._written = [0] * _LANES
        self._pool = ThreadPoolExecutor(_LANES, thread_name_prefix="changing")
        self._writing: list[Future[None]] = []

    @property
    def written(self) -> int:
        """How many are written."""
        return sum(self._written)

    def start(self) -> None:
        """Begin to write."""
        self._writing = [self._pool.submit(self._write, lane) for lane in range(_LANES)]

    def end(self) -> None:
        """Wait until all are written."""
        for writing in self._writing:
            writing.result()
        self._pool.shutdown()

    def _write(self, lane: int) -> None:
        left = iter(self._lanes[lane])
        while batch := list(itertools.islice(left, _BATCH)):
            started = time.monotonic()
            self._written[lane] += self._seeder.write(batch, written=lambda _: None)
            time.sleep(max(0.0, self._pause - (time.monotonic() - started)))
