"""What a change costs the loader as the table, the object, the number of loaders and that of tombstones grow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from benchmarking.interleave import Contestant, Sample, interleaved
from loading.rows import rows_in
from loading.server import BenchServer
from loading.targets import taken

from aurora_loader.outcome import Outcome
from growing.tables import Changes, Table, flush, pages_read_by, write

Kept: TypeAlias = dict[str, Any]
# Makes all ready at a point and returns what is measured.
Prepare: TypeAlias = Callable[[Any], Callable[[], object]]

OBJECT_MIB: Final = 5
DELETE_EVERY: Final = 5
_REFILLED: Final = 100_000
_MIDDLE: Final = 1_000_000


class NotLoadedError(Exception):
    """A load did not do what is measured."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Measures the points of a curve in turns, so that what disturbs the machine is no growth."""

    server: BenchServer
    rounds: int
    say: Callable[[str], None]

    def curve(
        self, name: str, changes: Mapping[Any, int], prepare: Prepare, *, more: Mapping[Any, Kept] | None = None
    ) -> Kept:
        """Return what was taken at each point of *changes*, which says how many changes are loaded there."""
        self.say(f"{name}: {self.rounds} rounds over {len(changes)} points")
        read: dict[Any, list[int]] = {point: [] for point in changes}
        contestants = {f"{point}": self._at(point, prepare, read[point]) for point in changes}
        for contestant in contestants.values():  # warms it up
            contestant(1)
        for pages in read.values():
            pages.clear()
        samples = interleaved(contestants, rounds=self.rounds, at_least_seconds=0)
        return {
            "points": [
                {
                    "x": point,
                    "changes": count,
                    **(more or {}).get(point, {}),
                    "pages_read": read[point],
                    **samples[f"{point}"].to_json(),
                }
                for point, count in changes.items()
            ]
        }

    def _at(self, point: Any, prepare: Prepare, pages_read: list[int]) -> Contestant:
        def contestant(times: int) -> Sample:
            if times != 1:
                raise ValueError(times)
            work = prepare(point)
            before = pages_read_by(self.server)
            sample = taken(self.server, work)
            pages_read.append(pages_read_by(self.server) - before)
            return sample

        return contestant


def items_in_the_table(turns: Turns, sizes: Sequence[int]) -> dict[str, Kept]:
    """Load objects of keys that a table has, and of others, into tables of *sizes* items; and others straight."""
    rows = rows_in(OBJECT_MIB)
    changes = Changes()
    tables = {}
    for size in sizes:
        turns.say(f"a table of {size:,} items")
        tables[size] = Table(turns.server, f"items_{size}", items=size)
    flush(turns.server)
    load = {size: table.target.loader(server_side=True) for size, table in tables.items()}
    path = turns.server.files / "object.csv"

    def existing(size: int) -> Callable[[], object]:
        first = changes.next(rows)
        write(path, tables[size].existing(tables[size].some(rows, seed=first), first_change=first))
        return lambda: _whole(load[size](path), applied=rows)

    def write_new(size: int) -> None:
        if size <= _REFILLED:  # one that is larger hardly grows
            tables[size].refill()
        write(path, tables[size].new(changes.new_items(rows), first_change=changes.next(rows)))

    def new(size: int) -> Callable[[], object]:
        write_new(size)
        return lambda: _whole(load[size](path), applied=rows)

    def straight(size: int) -> Callable[[], object]:
        write_new(size)
        return lambda: tables[size].target.straight(path, server_side=True)

    bytes_of = {size: {"table_bytes": table.bytes()} for size, table in tables.items()}
    found = {
        (title := f"items-{name}"): turns.curve(title, dict.fromkeys(sizes, rows), prepare, more=bytes_of)
        for name, prepare in (("existing", existing), ("new", new), ("straight", straight))
    }
    _drop(tables.values())
    return found


def size_of_the_object(turns: Turns, sizes: Sequence[float]) -> dict[str, Kept]:
    """Load objects of *sizes* MiB into an empty table, and of keys that a table of a million has."""
    changes = Changes()
    turns.say(f"a table of {_MIDDLE:,} items")
    empty, full = Table(turns.server, "sizes_empty", items=0), Table(turns.server, "sizes_full", items=_MIDDLE)
    flush(turns.server)
    load = {table: table.target.loader(server_side=True) for table in (empty, full)}
    path = turns.server.files / "object.csv"
    counts = {size: rows_in(size) for size in sizes}
    # An empty table takes the same object again and again: each load gives it an ETag of its own.
    same = {
        size: write(
            turns.server.files / f"object-{size}.csv",
            empty.new(changes.new_items(rows), first_change=changes.next(rows)),
        )
        for size, rows in counts.items()
    }

    def into_empty(size: float) -> Callable[[], object]:
        empty.target.empty()
        return lambda: _whole(load[empty](same[size]), applied=counts[size])

    def existing(size: float) -> Callable[[], object]:
        rows = counts[size]
        first = changes.next(rows)
        write(path, full.existing(full.some(rows, seed=first), first_change=first))
        return lambda: _whole(load[full](path), applied=rows)

    found = {
        (title := f"object-{name}"): turns.curve(title, counts, prepare)
        for name, prepare in (("new", into_empty), ("existing", existing))
    }
    _drop((empty, full))
    return found


def loaders_at_once(turns: Turns, counts: Sequence[int]) -> dict[str, Kept]:
    """Have several loaders load an object each into one table, of keys that it has and no other object holds."""
    rows = rows_in(OBJECT_MIB)
    changes = Changes()
    turns.say(f"a table of {_MIDDLE:,} items")
    table = Table(turns.server, "loaders", items=_MIDDLE)
    flush(turns.server)
    loaders = [table.target.loader(server_side=True) for _ in range(max(counts))]
    paths = [turns.server.files / f"object-{number}.csv" for number in range(max(counts))]

    def prepare(count: int) -> Callable[[], object]:
        first = changes.next(count * rows)
        items = table.some(count * rows, seed=first)
        for number in range(count):
            own = slice(number * rows, (number + 1) * rows)
            write(paths[number], table.existing(items[own], first_change=first + own.start))

        def work() -> None:
            for outcome in pool.map(lambda number: loaders[number](paths[number]), range(count)):
                _whole(outcome, applied=rows)

        return work

    with ThreadPoolExecutor(max(counts)) as pool:
        found = turns.curve("loaders", {count: count * rows for count in counts}, prepare)
    _drop((table,))
    return {"loaders": {**found, "retries": len(table.target.retries)}}


def tombstones_remembered(turns: Turns, counts: Sequence[int]) -> dict[str, Kept]:
    """Load objects of changes of a table's items while *counts* deletes of other items are remembered."""
    rows = rows_in(OBJECT_MIB)
    changes = Changes()
    tables = {}
    for count in counts:
        turns.say(f"{count:,} tombstones")
        tables[count] = Table(turns.server, f"tombstones_{count}", items=rows)
        tables[count].bury(count)
    flush(turns.server)
    load = {count: table.target.loader(server_side=True) for count, table in tables.items()}
    # Tables that are filled anew have the same items and take the same object.
    first = changes.next(rows)
    items = tables[counts[0]].some(rows, seed=first)
    deleted = sum(change % DELETE_EVERY == 0 for change in range(first, first + rows))
    paths = {
        every: write(
            turns.server.files / f"object-{every}.csv",
            tables[counts[0]].existing(items, first_change=first, delete_every=every),
        )
        for every in (0, DELETE_EVERY)
    }

    def prepare(count: int, *, newer: bool = False, deletes: bool = False) -> Callable[[], object]:
        table = tables[count]
        table.forget_newer()
        if newer:
            table.bury_newer()
        table.refill()
        if table.tombstones() != count + newer:
            raise NotLoadedError(f"{table.tombstones():,} tombstones instead of {count:,}")
        gone = deleted if deletes else 0
        path = paths[DELETE_EVERY if deletes else 0]
        return lambda: _whole(load[count](path), applied=rows - gone, deleted=gone)

    ways: Mapping[str, Prepare] = {
        "older": prepare,
        "newer": lambda count: prepare(count, newer=True),
        "deletes": lambda count: prepare(count, deletes=True),
    }
    found = {
        (title := f"tombstones-{name}"): turns.curve(title, dict.fromkeys(counts, rows), way)
        for name, way in ways.items()
    }
    _drop(tables.values())
    return found


def _whole(outcome: Outcome, *, applied: int, deleted: int = 0) -> None:
    if (outcome.applied, outcome.deleted) != (applied, deleted):
        raise NotLoadedError(f"{outcome} instead of {applied:,} applied, {deleted:,} deleted")


def _drop(tables: Iterable[Table]) -> None:
    for table in tables:
        table.drop()
