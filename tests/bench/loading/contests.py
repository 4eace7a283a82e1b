"""Ways of an object into a table in turns: into an empty one, into one of a million rows, and beside upserts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from benchmarking.interleave import Contestant, Sample, Samples, interleaved

from loading.rows import cut, key_of, rows_in, shuffled, write_object
from loading.server import BenchServer
from loading.statements import take_apart
from loading.targets import BenchTarget, key_is_as_made_by_the_server, taken

OURS, STRAIGHT = "ours", "straight"
BY_ROWS: Final = ("executemany", "row by row", "row by row, each committed")
MILLION: Final = 1_000_000
# Objects in MiB, rounds.
Sizes = Sequence[tuple[float, int]]
Say = Callable[[str], None]


class DifferentRowsError(Exception):
    """Contestants do not come to the same rows."""


class _Contest:
    """Ways of an object into an empty table; each has to come to the same rows, each time."""

    def __init__(self, target: BenchTarget) -> None:
        self._target = target
        self._contents: set[tuple[int, int]] = set()

    def hold(self, ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Any]:
        contestants = {name: self._contestant(way) for name, way in ways.items()}
        samples = interleaved(contestants, rounds=rounds, at_least_seconds=0)
        if len(self._contents) != 1:
            raise DifferentRowsError(self._contents)
        return {name: each.to_json() for name, each in samples.items()}

    def _contestant(self, way: Callable[[], object]) -> Contestant:
        def contestant(times: int) -> Sample:
            if times != 1:
                raise ValueError(times)
            self._target.empty()
            sample = taken(self._target.server, way)
            self._contents.add(self._target.contents())
            return sample

        return contestant


def into_empty(
    server: BenchServer, sizes: Sizes, say: Say, *, in_parallel: Mapping[float, Sequence[int]] | None = None
) -> dict[str, Any]:
    """Return what each way took, by size; objects of the sizes of *in_parallel* also go by so many connections."""
    target = BenchTarget(server, "empty")
    path = server.files / "object.csv"
    found = {}
    for mebibytes, rounds in sizes:
        say(f"{server.name}: {mebibytes} MiB into an empty table")
        items = shuffled(range(rows_in(mebibytes)), seed=1)
        write_object(path, target.pipeline, items, first_change=1)
        ways: dict[str, Callable[[], object]] = {}
        for side in ("server", "client"):
            load = target.loader(server_side=side == "server")
            ways[f"{OURS} {side}"] = lambda load=load: load(path)
            ways[f"{STRAIGHT} {side}"] = lambda side=side: target.straight(path, server_side=side == "server")
        for connections in (in_parallel or {}).get(mebibytes, ()):
            server.with_clients(connections)
            parts = cut(path, connections)
            ways[f"{connections} connections"] = lambda parts=parts: target.in_parallel(parts)
        samples = _Contest(target).hold(ways, rounds=rounds)
        found[f"{mebibytes}"] = {"rows": len(items), "bytes": path.stat().st_size, "samples": samples}
        for file in server.files.glob("object*.csv"):
            file.unlink()
    return found


def beside_upserts(server: BenchServer, mebibytes: float, rounds: int, say: Say) -> dict[str, Any]:
    """Return what our way and upserts out of Python took."""
    say(f"{server.name}: {mebibytes} MiB by upserts")
    target = BenchTarget(server, "by_rows")
    items = shuffled(range(rows_in(mebibytes)), seed=1)
    path = write_object(server.files / "object.csv", target.pipeline, items, first_change=1)
    load = target.loader(server_side=False)
    many, single, committed = BY_ROWS
    ways: dict[str, Callable[[], object]] = {
        OURS: lambda: load(path),
        many: lambda: target.upsert(path, "many"),
        single: lambda: target.upsert(path, "one by one"),
        committed: lambda: target.upsert(path, "each committed"),
    }
    return {"rows": len(items), "samples": _Contest(target).hold(ways, rounds=rounds)}


def taken_apart(server: BenchServer, sizes_mib: Sequence[float], say: Say) -> dict[str, Any]:
    """Return what each step of a load took of the server: into an empty table, and where all keys exist."""
    target = BenchTarget(server, "apart")
    found = {}
    first_change = 1
    for kind in ("empty", "existing"):
        for mebibytes in sizes_mib:
            say(f"{server.name}: the statements of a load of {mebibytes} MiB, {kind}")
            items = range(rows_in(max(sizes_mib) if kind == "existing" else mebibytes))
            found[f"{kind} {mebibytes}"] = take_apart(
                target,
                mebibytes=mebibytes,
                pool=items,
                first_change=first_change,
                before=target.empty if kind == "empty" else lambda: None,
            )
            first_change += MILLION
    return found


def into_a_million(server: BenchServer, existing: Sizes, new: Sizes, say: Say) -> dict[str, Any]:
    """Load into tables of a million rows, one for each contestant, which grow or change alike."""
    targets = {name: BenchTarget(server, f"full_{name}") for name in (OURS, STRAIGHT)}
    for target in targets.values():
        target.fill(range(MILLION), say=say)
        if not key_is_as_made_by_the_server(target, 4711):
            raise DifferentRowsError(key_of(4711))
    load = targets[OURS].loader(server_side=True)
    fresh, change = MILLION, 1
    found: dict[str, Any] = {}
    for kind, sizes in (("existing", existing), ("new", new)):
        for mebibytes, rounds in sizes:
            say(f"{server.name}: {mebibytes} MiB of {kind} keys into a million rows")
            count = rows_in(mebibytes)
            samples = {name: Samples(1, [], []) for name in targets}
            for turn in range(rounds):
                pool = range(fresh, fresh + count) if kind == "new" else range(MILLION)
                items = shuffled(pool, seed=turn)[:count]
                path = write_object(server.files / "object.csv", targets[OURS].pipeline, items, first_change=change)
                fresh, change = fresh + (count if kind == "new" else 0), change + count
                ways = {
                    OURS: lambda path=path: load(path),
                    STRAIGHT: lambda path=path, kind=kind: targets[STRAIGHT].straight(
                        path, server_side=True, replacing=kind == "existing"
                    ),
                }
                for name in list(ways)[:: 1 if turn % 2 else -1]:
                    sample = taken(server, ways[name])
                    samples[name].wall.append(sample.wall_seconds)
                    samples[name].cpu.append(sample.cpu_seconds)
                path.unlink()
            if targets[OURS].contents() != targets[STRAIGHT].contents():
                raise DifferentRowsError(kind)
            kept = {name: each.to_json() for name, each in samples.items()}
            found[f"{kind} {mebibytes}"] = {"rows": count, "samples": kept}
    return found
