"""The loader beside a straight LOAD of the same file, and beside what a user would write."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
from benchmarking.children import Child
from benchmarking.interleave import Contestant, Samples, Spread, interleaved, ratio, spread, wall_ratio
from benchmarking.machine import ROOT
from benchmarking.sections import Goal, Line, Plot, Section, Table, thousands, times
from benchmarking.workloads import reference_pipeline
from loading.rows import key_of, rows_in, shuffled, write_object
from loading.server import BenchServer, bench_server
from loading.targets import BenchTarget, key_is_as_made_by_the_server, taken

from ddb2aurora.compile_pipelines import compile_pipelines
from ddb2aurora.database.connect import connect
from ddb2aurora.database.migrate import migrate
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.settings import Secret
from local_aws.services.ministack import MiniStack

ORDER = 30
TITLE = "The loader"
MINUTES = 25
HERE = Path(__file__).parent.parent
MILLION = 1_000_000
MEMORY_LIMIT = 64_000_000
OURS, STRAIGHT = "ours", "straight"
# Object in MiB, rounds.
EMPTY = ((0.5, 15), (5, 11), (50, 5), (128, 3))
EMPTY_ON_MARIADB = ((5, 7), (50, 3))
FULL = ((0.5, 11), (5, 7), (50, 3))
BY_ROWS_MIB, BY_ROWS_ROUNDS = 5, 3
MEMORY_MIB = (0.5, 5, 50, 128)
ABOUT = (
    "A whole load of an object (mode mirror: ledger, staging, guarded apply, commit) over an open connection, beside "
    "`LOAD DATA` of the same file straight into the same table, by the database's own client program, which guards "
    "nothing. Objects are files here, in place of S3. Rows are those of the reference pipeline, 209 bytes in the "
    "object, with keys at random places of the index. The CPU time is that of the server, of our process and of the "
    "client program. All ways come to the same rows, which is compared. The server has a buffer pool of 2 GiB and "
    "writes its redo log to disk once a second."
)
BOUND_EMPTY = "Every row is written twice, into staging and into the table."
BOUND_FULL = "Every row is written twice, into staging and into the table."
BOUND_ROWS = "The server's own work for each row."


class DifferentRowsError(Exception):
    """Contestants do not come to the same rows."""


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, Any] = {"memory": _memory(say)}
    with bench_server("mysql") as server:
        found["server"] = server.name
        found["empty"] = _empty(server, EMPTY, say)
        found["rows"] = _by_rows(server, say)
        found["full"] = _full(server, say)
    with bench_server("mariadb") as server:
        found["other_server"] = server.name
        found["empty_on_other"] = _empty(server, EMPTY_ON_MARIADB, say)
    return found


def _empty(server: BenchServer, sizes: tuple[tuple[float, int], ...], say: Callable[[str], None]) -> dict[str, Any]:
    target = BenchTarget(server, "empty")
    found = {}
    for mebibytes, rounds in sizes:
        say(f"{server.name}: {mebibytes} MiB into an empty table")
        items = shuffled(range(rows_in(mebibytes)), seed=1)
        path = write_object(server.files / "object.csv", target.pipeline, items, first_change=1)
        ways: dict[str, Callable[[], object]] = {}
        for side in ("server", "client"):
            load = target.loader(server_side=side == "server")
            ways[f"{OURS} {side}"] = lambda load=load, path=path: load(path)
            ways[f"{STRAIGHT} {side}"] = lambda side=side, path=path: target.straight(
                path, server_side=side == "server"
            )
        samples = interleaved(
            {name: _into_empty(target, way) for name, way in ways.items()}, rounds=rounds, at_least_seconds=0
        )
        _check_same(target, ways)
        found[f"{mebibytes}"] = {
            "rows": len(items),
            "bytes": path.stat().st_size,
            "samples": {name: each.to_json() for name, each in samples.items()},
        }
        path.unlink()
    return found


def _into_empty(target: BenchTarget, way: Callable[[], object]) -> Contestant:
    def contestant(times: int) -> Any:
        if times != 1:
            raise ValueError(times)
        target.empty()
        return taken(target.server, way)

    return contestant


def _check_same(target: BenchTarget, ways: Mapping[str, Callable[[], object]]) -> None:
    contents = set()
    for way in ways.values():
        target.empty()
        way()
        contents.add(target.contents())
    if len(contents) != 1:
        raise DifferentRowsError(contents)


def _by_rows(server: BenchServer, say: Callable[[str], None]) -> dict[str, Any]:
    say(f"{server.name}: {BY_ROWS_MIB} MiB by upserts")
    target = BenchTarget(server, "by_rows")
    items = shuffled(range(rows_in(BY_ROWS_MIB)), seed=1)
    path = write_object(server.files / "object.csv", target.pipeline, items, first_change=1)
    load = target.loader(server_side=False)
    ways: dict[str, Callable[[], object]] = {
        OURS: lambda: load(path),
        "executemany": lambda: target.upsert(path, "many"),
        "row by row": lambda: target.upsert(path, "one by one"),
        "row by row, each committed": lambda: target.upsert(path, "each committed"),
    }
    samples = interleaved(
        {name: _into_empty(target, way) for name, way in ways.items()}, rounds=BY_ROWS_ROUNDS, at_least_seconds=0
    )
    _check_same(target, ways)
    return {"rows": len(items), "samples": {name: each.to_json() for name, each in samples.items()}}


def _full(server: BenchServer, say: Callable[[str], None]) -> dict[str, Any]:
    """Load into tables of a million rows, one for each contestant, which grow or change alike."""
    targets = {name: BenchTarget(server, f"full_{name}") for name in (OURS, STRAIGHT)}
    for target in targets.values():
        target.fill(range(MILLION), say=say)
        if not key_is_as_made_by_the_server(target, 4711):
            raise DifferentRowsError(key_of(4711))
    load = targets[OURS].loader(server_side=True)
    fresh, change = MILLION, 1
    found: dict[str, Any] = {}
    for kind in ("existing", "new"):
        for mebibytes, rounds in FULL:
            say(f"{server.name}: {mebibytes} MiB of {kind} keys into a million rows")
            count = rows_in(mebibytes)
            samples = {name: Samples(1, [], []) for name in targets}
            for turn in range(rounds):
                first = fresh if kind == "new" else 0
                pool = range(first, first + (count if kind == "new" else MILLION))
                path = write_object(
                    server.files / "object.csv",
                    targets[OURS].pipeline,
                    shuffled(pool, seed=turn)[:count],
                    first_change=change,
                )
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
            if targets[OURS].contents() != targets[STRAIGHT].contents():
                raise DifferentRowsError(kind)
            found[f"{kind} {mebibytes}"] = {
                "rows": count,
                "samples": {name: each.to_json() for name, each in samples.items()},
            }
    path.unlink()
    return found


def _memory(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Let the handler itself load objects out of an emulator's S3, in a process of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        aws = stack.enter_context(MiniStack())
        server = stack.enter_context(bench_server("mariadb")).server
        compile_pipelines(ROOT / "pipelines", folder / "pipelines")
        pipeline = reference_pipeline()
        connection, kind = connect(
            DatabaseSettings(
                host=server.host, port=server.port, name=None, user=server.user, password=Secret(server.password)
            )
        )
        migrate(connection, pipeline, server=kind, database=pipeline.target_database)
        connection.close()
        environment = {
            **aws.environment,
            "AWS_ENDPOINT_URL": aws.url,
            "PIPELINE": pipeline.name,
            "PIPELINES_FOLDER": str(folder / "pipelines"),
            "LOAD_MODE": "local",
            "DB_HOST": server.host,
            "DB_PORT": str(server.port),
            "DB_USER": server.user,
            "DB_PASSWORD": server.password,
            "DB_TLS": "off",
        }
        child = stack.enter_context(
            Child([sys.executable, "contestants/loading.py"], folder=HERE, environment=environment)
        )
        s3 = boto3.client(
            "s3",
            endpoint_url=aws.url,
            region_name=aws.environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=aws.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=aws.environment["AWS_SECRET_ACCESS_KEY"],
        )
        s3.create_bucket(Bucket="bench")
        found = []
        # The first loads bring everything up that stays.
        for number, mebibytes in enumerate((0.1, 0.1, *MEMORY_MIB)):
            say(f"memory: an object of {mebibytes} MiB")
            items = range(rows_in(mebibytes))
            path = write_object(folder / "object.csv", pipeline, items, first_change=1)
            key = f"processed/web_analytics/WebAnalytics/{number}.csv"
            with path.open("rb") as body:
                etag = s3.put_object(Bucket="bench", Key=key, Body=body)["ETag"].strip('"')
            memory = child.ask(bucket="bench", key=key, size=path.stat().st_size, etag=etag)
            found.append({"mebibytes": mebibytes, **memory})
        s3.close()
    idle = found[1]["before"]
    return [{**each, "idle": idle} for each in found[2:]]


def section(measured: dict[str, Any]) -> Section:
    empty, full = (_samples(measured[name]) for name in ("empty", "full"))
    most = max(each["peak"] - each["idle"] for each in measured["memory"])
    least_empty = {
        size: min((_ratio(empty[size], side) for side in ("server", "client")), key=lambda found: found.median)
        for size in empty
    }
    return Section(
        (
            *(
                _goal(f"at least 0.85 × the straight load on an empty table: {size} MiB", found, 0.85, BOUND_EMPTY)
                for size, found in least_empty.items()
            ),
            *(
                _goal(
                    f"at least 0.7 × the straight load when all keys exist: {name.removeprefix('existing ')} MiB",
                    ratio(found[OURS], found[STRAIGHT]),
                    0.7,
                    BOUND_FULL,
                )
                for name, found in full.items()
                if name.startswith("existing")
            ),
            *_by_rows_goals(_samples({"rows": measured["rows"]})["rows"]),
            Goal(
                f"memory flat in the object's size, under 64 MB over idle, up to {MEMORY_MIB[-1]} MiB",
                f"{most / 1e6:.1f} MB over idle at most",
                met=most < MEMORY_LIMIT,
                bound="boto3 keeps what it has read.",
            ),
        ),
        (
            ABOUT,
            _plot(empty),
            (
                f"Into an empty table, {measured['server']}. Rows a second are those of our way, in wall time; ratios "
                "are ours to the straight load, by the server itself (as Aurora reads S3) and by the client (LOCAL)."
            ),
            _empty_table(measured["empty"], empty),
            f"The same, {measured['other_server']}.",
            _empty_table(measured["empty_on_other"], _samples(measured["empty_on_other"])),
            (
                f"Into a table of a million rows, {measured['server']}, the server reading the file. Where the keys "
                "exist the straight load is `LOAD DATA … REPLACE`, which looks at no version."
            ),
            _full_table(measured["full"], full),
            (
                f"Beside upserts out of Python (PyMySQL), {BY_ROWS_MIB} MiB into an empty table, through the loopback "
                "interface, where a round trip costs next to nothing; ours sends the file (LOCAL)."
            ),
            _by_rows_table(measured["rows"]),
            "Memory of the loader's process while its handler loads an object from S3 with `LOAD_MODE=local`.",
            Table(
                ("object, MiB", "idle, MB", "peak, MB", "over idle, MB"),
                tuple(
                    (
                        f"{each['mebibytes']}",
                        f"{each['idle'] / 1e6:.1f}",
                        f"{each['peak'] / 1e6:.1f}",
                        f"{(each['peak'] - each['idle']) / 1e6:.1f}",
                    )
                    for each in measured["memory"]
                ),
            ),
        ),
    )


def _samples(kept: Mapping[str, Any]) -> dict[str, dict[str, Samples]]:
    return {
        name: {way: Samples.from_json(samples) for way, samples in found["samples"].items()}
        for name, found in kept.items()
    }


def _ratio(found: Mapping[str, Samples], side: str) -> Spread:
    return ratio(found[f"{OURS} {side}"], found[f"{STRAIGHT} {side}"])


def _goal(text: str, found: Spread, least: float, bound: str) -> Goal:
    return Goal(text, times(found), met=found.median >= least, bound=bound)


def _by_rows_goals(found: Mapping[str, Samples]) -> list[Goal]:
    return [
        _goal(f"at least 15 × {way} (in wall time)", wall_ratio(found[OURS], found[way]), 15, BOUND_ROWS)
        for way in ("row by row, each committed", "row by row")
    ]


def _rows_a_second(rows: int, samples: Samples) -> str:
    return thousands(spread([rows / seconds for seconds in samples.wall]).median)


def _empty_table(kept: Mapping[str, Any], empty: Mapping[str, Mapping[str, Samples]]) -> Table:
    heads = ("object, MiB", "rows", "rows/s", "server, CPU", "server, wall", "LOCAL, CPU", "LOCAL, wall")
    rows = []
    for size, found in empty.items():
        ratios = [
            times(compare(found[f"{OURS} {side}"], found[f"{STRAIGHT} {side}"]))
            for side in ("server", "client")
            for compare in (ratio, wall_ratio)
        ]
        count = kept[size]["rows"]
        rows.append((size, f"{count:,}", _rows_a_second(count, found[f"{OURS} server"]), *ratios))
    return Table(heads, tuple(rows))


def _full_table(kept: Mapping[str, Any], full: Mapping[str, Mapping[str, Samples]]) -> Table:
    return Table(
        ("keys, MiB", "rows", "rows/s", "CPU", "wall"),
        tuple(
            (
                name,
                f"{kept[name]['rows']:,}",
                _rows_a_second(kept[name]["rows"], found[OURS]),
                times(ratio(found[OURS], found[STRAIGHT])),
                times(wall_ratio(found[OURS], found[STRAIGHT])),
            )
            for name, found in full.items()
        ),
    )


def _by_rows_table(kept: Mapping[str, Any]) -> Table:
    found = _samples({"rows": kept})["rows"]
    return Table(
        ("way", "rows/s", "ours is faster, CPU", "wall"),
        tuple(
            (
                name,
                _rows_a_second(kept["rows"], samples),
                times(ratio(found[OURS], samples)),
                times(wall_ratio(found[OURS], samples)),
            )
            for name, samples in found.items()
        ),
    )


def _plot(empty: Mapping[str, Mapping[str, Samples]]) -> Plot:
    def line(title: str, side: str) -> Line:
        found = [_ratio(samples, side) for samples in empty.values()]
        return Line(
            title,
            [f"{size} MiB" for size in empty],
            [each.median for each in found],
            [each.low for each in found],
            [each.high for each in found],
        )

    return Plot(
        "empty",
        "Into an empty table: speed of our guarded load ÷ that of a straight LOAD DATA",
        "size of the object",
        "times",
        (line("the server reads the file", "server"), line("LOCAL", "client")),
        kind="bars",
        level=0.85,
    )
