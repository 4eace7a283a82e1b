"""A migrated table, and the ways of an object into it: ours, and those that a user would pick instead."""
# ruff: noqa: S608 - names of our own

import csv
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

import msgspec
from benchmarking.interleave import Sample
from benchmarking.workloads import reference_pipeline

from aurora_loader.load import Loader
from aurora_loader.outcome import Outcome
from aurora_loader.session import Connect, Session
from ddb2aurora.database.connect import connect
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.migrate import migrate
from ddb2aurora.database.schema import tables_of
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.dialect import LOAD_DIALECT, load_columns
from ddb2aurora.settings import Secret
from ddb2aurora.sql import quote_name
from loading.rows import key_of, version
from loading.server import BenchServer

_CHUNK_BYTES: Final = 2**18
_SEED_ROWS: Final = 500_000
_KEYS: Final = 2
_COLUMNS: Final = (
    "page_id, activity_dt, timestarted, hits, start_time, end_time, country_code, _changed_at_ms, _version"
)


class FileSource:
    """Objects that are files: sent by the loader as those of S3, or read by the server, as Aurora reads S3."""

    set_up: tuple[str, ...] = ()

    def __init__(self, *, server_side: bool) -> None:
        self._server_side = server_side

    def load(self, connection, ref, *, into):
        if self._server_side:
            return connection.run(f"LOAD DATA INFILE '{ref.key}' {into}")
        return connection.run_local(f"LOAD DATA LOCAL INFILE {{file}} {into}", _chunks(Path(ref.key)))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


class Clock:
    """Time as it passes."""

    def __init__(self) -> None:
        self.monotonic = time.monotonic
        self.sleep = time.sleep
        self.random = random.random

    def seconds_left(self) -> float:
        return 3600


class BenchTarget:
    """The tables of the reference pipeline in a database of their own."""

    def __init__(self, server: BenchServer, database: str) -> None:
        self.server = server
        self.database = database
        self.pipeline = msgspec.structs.replace(reference_pipeline(), target_database=database)
        address = server.server
        self.settings = DatabaseSettings(
            host=address.host, port=address.port, name=None, user=address.user, password=Secret(address.password)
        )
        self.connection, self.kind = connect(self.settings)
        migrate(self.connection, self.pipeline, server=self.kind, database=database)
        self.tables = tables_of(self.pipeline, database=database, key_collation=self.kind.key_collation)
        self.table = self.tables.target.quoted
        self._objects = 0
        self.retries: list[str] = []

    def loader(self, *, server_side: bool, connect: Connect = connect) -> Callable[[Path], Outcome]:
        """Return what loads a file as one object, over a connection that is open."""
        source = FileSource(server_side=server_side)
        session = Session(self.settings, pipeline=self.pipeline, source=source, connect=connect)
        loader = Loader(
            self.pipeline, session=session, source=source, on_retry=lambda _, why: self.retries.append(str(why))
        )
        session.get()
        clock = Clock()

        def load(path: Path) -> Outcome:
            self._objects += 1
            ref = ObjectRef(bucket="bench", key=str(path), etag=f"{self._objects}", size=path.stat().st_size)
            return loader.load(ref, time=clock)

        return load

    def straight(self, path: Path, *, server_side: bool, replacing: bool = False) -> None:
        """Load a file straight into the table by the database's own client."""
        self.server.client.run(self._straight(path, server_side=server_side, replacing=replacing))

    def in_parallel(self, parts: Sequence[Path]) -> None:
        """Load the parts of a file at once, each sent by a client program of its own (LOCAL)."""
        clients = self.server.clients[: len(parts)]
        with ThreadPoolExecutor(len(clients)) as pool:
            statements = [self._straight(part, server_side=False) for part in parts]
            for done in [pool.submit(client.run, each) for client, each in zip(clients, statements, strict=True)]:
                done.result()

    def _straight(self, path: Path, *, server_side: bool, replacing: bool = False) -> str:
        columns = load_columns([(column.name, column.type) for column in self.pipeline.columns])
        columns = columns.replace("`_shape`, `_op`", "@shape, @op")
        where = "" if server_side else "LOCAL "
        how = "REPLACE " if replacing else ""
        return f"LOAD DATA {where}INFILE '{path}' {how}INTO TABLE {self.table} {LOAD_DIALECT} {columns}"

    def upsert(self, path: Path, how: Literal["many", "one by one", "each committed"]) -> None:
        """Load a file by guarded upserts: the driver's executemany, or one a row, in one transaction or in many."""
        names = [quote_name(name) for name in (*(column.name for column in self.pipeline.columns), "_changed_at_ms")]
        newer = ", ".join(f"{name} = IF(VALUES(_version) > _version, VALUES({name}), {name})" for name in names[_KEYS:])
        statement = (
            f"INSERT INTO {self.table} ({', '.join(names)}, _version) VALUES ({', '.join(['%s'] * (len(names) + 1))}) "
            f"ON DUPLICATE KEY UPDATE {newer}, _version = GREATEST(_version, VALUES(_version))"
        )
        with path.open(encoding="utf-8", newline="") as file, self.connection.cursor() as cursor:
            rows = [
                (*(None if field == "\\N" else field for field in fields), changed_at_ms, number)
                for _, _, number, changed_at_ms, *fields in csv.reader(file, escapechar="\\")
            ]
            if how != "each committed":
                self.connection.run("START TRANSACTION")
            if how == "many":
                cursor.executemany(statement, rows)
            else:
                for row in rows:
                    cursor.execute(statement, row)
            if how != "each committed":
                self.connection.run("COMMIT")

    def empty(self) -> None:
        """Forget all rows and deletes."""
        for table in (self.tables.target, self.tables.tombstones):
            self.server.run(f"TRUNCATE TABLE {table.quoted}")

    def contents(self) -> tuple[int, int]:
        """Return how many rows there are, and a checksum of all that is in them."""
        ((count, checksum),) = self.server.run(
            f"SELECT COUNT(*), COALESCE(BIT_XOR(CRC32(CONCAT_WS('|', {_COLUMNS}))), 0) FROM {self.table}"
        )
        return int(count), int(checksum)

    def fill(self, items: range, *, say: Callable[[str], None]) -> None:
        """Put the rows of *items* there by the quickest way: made by the server, in the order of their keys."""
        # A derived table needs a database that is selected.
        self.server.run(f"USE {quote_name(self.database)}")
        page_id, activity_dt = (self.tables.target.columns[place].name for place in range(_KEYS))
        for start in range(items.start, items.stop, _SEED_ROWS):
            stop = min(start + _SEED_ROWS, items.stop)
            self.server.run(
                f"INSERT INTO {self.table} ({_COLUMNS}) "
                f"SELECT CONCAT('page-', LEFT(SHA2(n, 256), 20)) AS {page_id}, "
                f"CONCAT('2026-01-', LPAD(n % 28 + 1, 2, '0'), 'T', LPAD(n % 24, 2, '0'), ':00:00Z') AS {activity_dt}, "
                f"n, n % 900, '2026-01-05T10:00:00+00:00', '2026-01-05T11:00:00+00:00', 'DE', n, {version(0)} "
                f"FROM ({_numbers(start, stop)}) AS numbers ORDER BY 1, 2"
            )
            say(f"{self.database}: {stop:,} of {items.stop:,} rows")


def _numbers(start: int, stop: int) -> str:
    digits = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
    places = len(str(stop - start - 1))
    value = " + ".join(f"t{place}.d * {10**place}" for place in range(places))
    tables = ", ".join(f"({digits}) AS t{place}" for place in range(places))
    return f"SELECT n FROM (SELECT {start} + {value} AS n FROM {tables}) AS counted WHERE n < {stop}"


def key_is_as_made_by_the_server(target: BenchTarget, item: int) -> bool:
    """Return whether the row of an item has the key that objects have for it."""
    page_id, activity_dt = key_of(item)
    found = target.server.run(
        f"SELECT 1 FROM {target.table} WHERE page_id = '{page_id}' AND activity_dt = '{activity_dt}'"
    )
    return bool(found)


def taken(server: BenchServer, work: Callable[[], object]) -> Sample:
    """Return what *work* took: the CPU time of the server, of its client programs and of this process."""
    server.settle()
    cpu, wall = _cpu_seconds(server), time.perf_counter()
    work()
    spent = time.perf_counter() - wall
    return Sample(spent, _cpu_seconds(server) - cpu)


def _cpu_seconds(server: BenchServer) -> float:
    return server.cpu_seconds() + sum(client.cpu_seconds() for client in server.clients) + time.process_time()
