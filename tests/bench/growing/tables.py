"""Tables of any number of items and tombstones, filled by the server itself, and objects of changes of them."""
# ruff: noqa: S608 - names of our own

import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from loading.rows import row_of, version
from loading.server import BenchServer
from loading.targets import BenchTarget

from ddb2aurora.dialect import Row, encode_row
from ddb2aurora.sql import quote_name

MILLION: Final = 1_000_000
_ITEM_DIGITS: Final = 15
# Of keys of tombstones and of items the last digits differ, so that none is both.
_ITEM_END, _TOMBSTONE_END = "00000", "11111"
_NUMBERS: Final = "numbers"
_COLUMNS: Final = (
    "page_id, activity_dt, timestarted, hits, start_time, end_time, country_code, _changed_at_ms, _version"
)
# The versions of what stands in the tables are of changes before this one, those of objects of changes from it on.
FIRST_CHANGE: Final = 100 * MILLION
_DIRTY_PAGES: Final = 500
_LONGEST_FLUSH_SECONDS: Final = 60


class Changes:
    """The numbers of changes, each newer than all before it, and of items that no table has."""

    def __init__(self) -> None:
        self._change = FIRST_CHANGE
        self._item = 0

    def next(self, count: int) -> int:
        """Return the first of *count* numbers of changes."""
        self._change += count
        return self._change - count

    def new_items(self, count: int) -> range:
        """Return the numbers of *count* items that nobody had before."""
        self._item += count
        return range(self._item - count, self._item)


class Table:
    """A migrated table in a database of its own, of *items* whose keys lie evenly over the index."""

    def __init__(self, server: BenchServer, database: str, *, items: int) -> None:
        self.server = server
        self.items = items
        self.target = BenchTarget(server, database)
        self.refill()

    def refill(self) -> None:
        """Have the items and no others, in pages that are filled in the order of the keys."""
        self.server.run(f"TRUNCATE TABLE {self.target.table}")
        for start in range(0, self.items, MILLION):
            number = f"(n + {start})"
            self.server.run(
                f"INSERT INTO {self.target.table} ({_COLUMNS}) "
                f"SELECT {_page_id(number, self.items, _ITEM_END)}, {_activity_dt(number)}, {number}, n % 900, "
                "'2026-01-05T10:00:00+00:00', '2026-01-05T11:00:00+00:00', 'DE', "
                f"{number}, {version(0)} + {number} "
                f"FROM {_numbers_table()} WHERE n < {self.items - start} ORDER BY n"
            )

    def bury(self, tombstones: int) -> None:
        """Remember deletes of so many other items, all older than the changes of any object."""
        self.server.run(
            f"INSERT INTO {self.target.tables.tombstones.quoted} "
            "(page_id, activity_dt, _changed_at_ms, _deleted_at, _version) "
            f"SELECT {_page_id('n', tombstones, _TOMBSTONE_END)}, {_activity_dt('n')}, n, UTC_TIMESTAMP(6), "
            f"{version(0)} + n FROM {_numbers_table()} WHERE n < {tombstones} ORDER BY n"
        )

    def forget_newer(self) -> None:
        """Forget the deletes that objects brought, and one that is newer than any object."""
        self.server.run(f"DELETE FROM {self.target.tables.tombstones.quoted} WHERE _version >= {version(FIRST_CHANGE)}")

    def bury_newer(self) -> None:
        """Remember a delete of another item that is newer than any object."""
        self.server.run(
            f"INSERT INTO {self.target.tables.tombstones.quoted} "
            "(page_id, activity_dt, _changed_at_ms, _deleted_at, _version) "
            f"VALUES ('page-{_TOMBSTONE_END}', '', 0, UTC_TIMESTAMP(6), {version(10 * FIRST_CHANGE)})"
        )

    def tombstones(self) -> int:
        """Return how many deletes are remembered."""
        ((count,),) = self.server.run(f"SELECT COUNT(*) FROM {self.target.tables.tombstones.quoted}")
        return int(count)

    def bytes(self) -> int:
        """Return how large the table is in its file."""
        ((size,),) = self.server.run(
            "SELECT SUM(FILE_SIZE) FROM information_schema.INNODB_TABLESPACES "
            f"WHERE NAME LIKE '{self.target.database}/%'"
        )
        return int(size)

    def new(self, items: Iterable[int], *, first_change: int) -> Iterator[Row]:
        """Yield a change of each of *items*, which the table has not, at random places of the index."""
        for change, item in enumerate(items, start=first_change):
            yield row_of(self.target.pipeline, item, change)

    def existing(self, items: Iterable[int], *, first_change: int, delete_every: int = 0) -> Iterator[Row]:
        """Yield a change of each of *items*, which the table has; one in *delete_every* is a delete."""
        for change, item in enumerate(items, start=first_change):
            is_delete = delete_every and change % delete_every == 0
            row = row_of(self.target.pipeline, item, change, operation="D" if is_delete else "U")
            _, activity_dt, *values = row.fields
            yield row._replace(fields=(self._key(item), activity_dt, *values))

    def some(self, count: int, *, seed: int) -> list[int]:
        """Return *count* items in any order, each once; in a table that has fewer, each as often as any other."""
        source = random.Random(seed)  # noqa: S311 - no secret
        found: list[int] = []
        while len(found) < count:
            found += source.sample(range(self.items), min(count - len(found), self.items))
        return found

    def drop(self) -> None:
        self.server.run(f"DROP DATABASE {quote_name(self.target.database)}")

    def _key(self, item: int) -> str:
        return f"page-{item * _step(self.items):0{_ITEM_DIGITS}x}{_ITEM_END}"


def write(path: Path, rows: Iterable[Row]) -> Path:
    """Write an object of *rows*. Return *path*."""
    with path.open("wb") as file:
        file.writelines(map(encode_row, rows))
    return path


def count_to_a_million(server: BenchServer) -> None:
    """Make the table of numbers that the others are filled from."""
    server.run("CREATE DATABASE IF NOT EXISTS counting")
    server.run(f"CREATE TABLE {_numbers_table()} (n INT UNSIGNED NOT NULL PRIMARY KEY)")
    server.run(f"INSERT INTO {_numbers_table()} VALUES (0)")
    count = 1
    while count < MILLION:
        server.run(
            f"INSERT INTO {_numbers_table()} SELECT n + {count} FROM {_numbers_table()} "
            f"WHERE n < {MILLION - count} ORDER BY n"
        )
        count *= 2


def pages_read_by(server: BenchServer) -> int:
    """Return how many pages the server has read because they were not in its buffer pool."""
    ((_, pages),) = server.run("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_reads'")
    return int(pages)


def flush(server: BenchServer) -> None:
    """Have the server write what it filled tables with, so that it does not while something is measured."""
    ((name, share),) = server.run("SHOW GLOBAL VARIABLES LIKE 'innodb_max_dirty_pages_pct'")
    deadline = time.monotonic() + _LONGEST_FLUSH_SECONDS
    server.run(f"SET GLOBAL {name} = 0")
    while time.monotonic() < deadline:
        ((_, dirty),) = server.run("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
        if int(dirty) <= _DIRTY_PAGES:
            break
        time.sleep(0.2)
    server.run(f"SET GLOBAL {name} = {share}")


def _numbers_table() -> str:
    return quote_name("counting", _NUMBERS)


def _step(items: int) -> int:
    return 16**_ITEM_DIGITS // items


def _page_id(number: str, items: int, end: str) -> str:
    digits = f"LOWER(LPAD(HEX({number} * {_step(max(1, items))}), {_ITEM_DIGITS}, '0'))"
    return f"CONCAT('page-', {digits}, '{end}')"


def _activity_dt(number: str) -> str:
    return f"CONCAT('2026-01-', LPAD({number} % 28 + 1, 2, '0'), 'T', LPAD({number} % 24, 2, '0'), ':00:00Z')"
