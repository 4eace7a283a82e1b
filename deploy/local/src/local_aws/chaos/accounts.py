"""
The account of every change: read off the stream itself, then looked for in loaded objects, rejects and `failed/`.

Hops deliver at least once, so a change may be found many times; what counts is the set. A change is loaded when a row
of it is in an object that the ledger holds, rejected when it never can be, and open when it failed and is not redriven.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ddb2aurora.dialect import HEADER_COLUMNS
from ddb2aurora.envelope import decode_change, lines_of
from ddb2aurora.errors import RejectError
from ddb2aurora.failed import decode_failed
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import LOADS_TABLE, REJECTS_TABLE, quote_name
from ddb2aurora.version import parse_stream_arn, version_of
from local_aws.event_source.reader import ShardReader
from local_aws.event_source.settings import TRIM_HORIZON
from local_aws.event_source.shards import list_shards
from local_aws.stack.clients import Clients
from operator_cli.sweeping import objects_under

if TYPE_CHECKING:
    from pymysql.connections import Connection

Version: TypeAlias = int
_VERSION_FIELD: Final = HEADER_COLUMNS.index("_version")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Counts of distinct changes, and of rows in the objects that the ledger holds."""

    changes: int
    loaded: int
    rejected: int
    open: int
    missing: int
    """Changes that are nowhere: lost."""
    unknown: int
    """Rows and failed records of changes that never were."""
    lines: int
    """Rows that lie in the loaded objects."""
    ledger_rows: int
    """Rows that the ledger says it has accounted for, object by object."""
    unloaded_objects: int
    miscounted: tuple[str, ...] = ()
    """Objects of which the ledger says another number of rows than lie in them; each is loaded by itself here."""

    @property
    def balance(self) -> bool:
        """Whether `changes in == loaded + rejected + failed`, and nothing failed is left open."""
        return self.changes == self.loaded + self.rejected and not (
            self.open or self.missing or self.unknown or self.unloaded_objects
        )

    @property
    def holds(self) -> bool:
        """Whether the balance is right, and the ledger's own counts are those of the objects."""
        return self.balance and self.lines == self.ledger_rows and not self.miscounted


def take_accounts(
    pipeline: Pipeline, *, clients: Clients, bucket: str, connection: "Connection[Any]", stream_arn: str
) -> Accounts:
    """Read the whole stream, every object and both tables of the loader, and return the account."""
    changes = set(_of_stream(clients, stream_arn))
    loaded_objects = _ids_of_loaded(pipeline, connection)
    refused = set(_of_rejects(pipeline, connection))
    lines: dict[bytes, int] = {}
    names: dict[bytes, str] = {}
    unloaded = 0
    loaded: set[Version] = set()
    for ref in objects_under(clients.s3, bucket=bucket, prefix=f"processed/{pipeline.name}/"):
        if ref.object_id not in loaded_objects:
            unloaded += 1
            continue
        found = list(_of_rows(clients.s3.get_object(Bucket=bucket, Key=ref.key)["Body"].read()))
        lines[ref.object_id] = len(found)
        names[ref.object_id] = ref.url
        loaded.update(found)
    loaded -= refused
    counted = dict(_of_ledger(pipeline, connection))
    failed = dict(_of_failed(pipeline, clients, bucket))
    rejected = (refused | {version for version, fits in failed.items() if not fits}) - loaded
    left_open = set(failed) - loaded - rejected
    return Accounts(
        changes=len(changes),
        loaded=len(changes & loaded),
        rejected=len(changes & rejected),
        open=len(changes & left_open),
        missing=len(changes - loaded - rejected - left_open),
        unknown=len((loaded | rejected | left_open) - changes),
        lines=sum(lines.values()),
        ledger_rows=sum(counted.values()),
        unloaded_objects=unloaded,
        miscounted=tuple(
            f"{names[object_id]}: {count} rows in it, {counted[object_id]} in the ledger"
            for object_id, count in lines.items()
            if count != counted[object_id]
        ),
    )


def _of_stream(clients: Clients, stream_arn: str) -> Iterator[Version]:
    epoch_ms = parse_stream_arn(stream_arn)[1]
    for shard in list_shards(clients.streams, stream_arn=stream_arn):
        reader = ShardReader(
            streams=clients.streams, stream_arn=stream_arn, shard_id=shard.shard_id, start=TRIM_HORIZON, after=None
        )
        while True:
            page = reader.read()
            for record in page.records:
                yield version_of(stream_epoch_ms=epoch_ms, sequence_number=record.sequence_number)
            if page.last or not page.records:
                break


def _of_rows(content: bytes) -> Iterator[Version]:
    # The dialect escapes line feeds inside fields, and neither quotes nor escapes a version.
    for line in content.removesuffix(b"\n").split(b"\n") if content else ():
        yield int(line.split(b",", _VERSION_FIELD + 1)[_VERSION_FIELD])


def _of_rejects(pipeline: Pipeline, connection: "Connection[Any]") -> Iterator[Version]:
    rejects = quote_name(pipeline.target_database, REJECTS_TABLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT line FROM {rejects}")  # noqa: S608 - quoted
        for (line,) in cursor.fetchall():
            yield from _of_rows(bytes(line))


def _of_failed(pipeline: Pipeline, clients: Clients, bucket: str) -> Iterator[tuple[Version, bool]]:
    """Yield each failed change, and whether it fits the mapping, so that it has to be redriven."""
    mapper = Mapper(pipeline)
    for ref in objects_under(clients.s3, bucket=bucket, prefix=f"failed/{pipeline.name}/"):
        for record in decode_failed(clients.s3.get_object(Bucket=bucket, Key=ref.key)["Body"].read()):
            # A packed record that failed as a whole holds good changes too.
            yield from (_judged(line, mapper) for line in lines_of(record.raw_data))


def _judged(line: bytes, mapper: Mapper) -> tuple[Version, bool]:
    change = decode_change(line)
    version = version_of(stream_epoch_ms=change.stream_epoch_ms, sequence_number=change.sequence_number)
    try:
        mapper.row(change)
    except RejectError:
        return version, False
    return version, True


def _ids_of_loaded(pipeline: Pipeline, connection: "Connection[Any]") -> frozenset[bytes]:
    ledger = quote_name(pipeline.target_database, LOADS_TABLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT object_id FROM {ledger} WHERE pipeline = %s", (pipeline.name,))  # noqa: S608 - quoted
        return frozenset(bytes(object_id) for (object_id,) in cursor.fetchall())


def _of_ledger(pipeline: Pipeline, connection: "Connection[Any]") -> Iterator[tuple[bytes, int]]:
    """Yield each object, and how many of its rows the ledger accounts for."""
    ledger = quote_name(pipeline.target_database, LOADS_TABLE)
    counts = "applied + stale + deleted + rejected"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT object_id, {counts} FROM {ledger} WHERE pipeline = %s", (pipeline.name,))  # noqa: S608 - quoted
        for object_id, count in cursor.fetchall():
            yield bytes(object_id), int(count or 0)
