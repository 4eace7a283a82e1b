"""The loader beside a straight LOAD of the same file, and beside what a user would write."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from benchmarking.interleave import Samples, Spread, ratio, wall_ratio
from benchmarking.sections import Goal, Section, times
from loading.contests import BY_ROWS, OURS, STRAIGHT, beside_upserts, into_a_million, into_empty, taken_apart
from loading.memory import measure_memory
from loading.server import bench_server
from loading.statements import COUNT, STAGE, UPSERT
from loading.tables import (
    SIDES,
    empty_plot,
    empty_table,
    full_table,
    memory_table,
    parallel_table,
    samples_of,
    side_ratio,
    steps_table,
    upserts_table,
)

ORDER = 30
TITLE = "The loader"
MINUTES = 6
MEMORY_LIMIT = 64_000_000
# Objects in MiB, rounds.
EMPTY = ((0.5, 11), (5, 7), (50, 3), (128, 2))
PARALLEL_MIB = 50
CONNECTIONS = (2, 4)
EMPTY_ON_MARIADB = ((5, 5), (50, 2))
EXISTING = ((0.5, 9), (5, 5), (50, 3), (128, 1))
NEW = ((0.5, 5), (5, 3), (50, 2))
BY_ROWS_MIB, BY_ROWS_ROUNDS = 5, 3
APART_MIB = (0.5, 5)
MEMORY_MIB = (0.5, 5, 50, 128)
ABOUT = (
    "A whole load of an object (mode mirror: ledger, staging, guarded apply, commit) over an open connection, beside "
    "`LOAD DATA` of the same file straight into the same table, by the database's own client program, which guards "
    "nothing. Objects are files here, in place of S3. Rows are those of the reference pipeline, 209 bytes in the "
    "object, with keys at random places of the index. The CPU time is that of the server, of our process and of the "
    "client programs. All ways come to the same rows, which is compared. The server has a buffer pool of 2 GiB and "
    "writes its redo log to disk once a second. Why loads are made as they are, and what was tried: [decisions on "
    "loading](decisions/loading.md)."
)
TRIED = (
    "Tried and left: other engines for staging, a staging table keyed by the item's key, reducing the file first, "
    "batches, a larger sort buffer, UPDATE before INSERT (figures in [decisions on loading](decisions/loading.md))."
)
BOUND_ROWS = (
    "Both ways spend the server's own work on each row (convert it, find its place, write redo and undo), and ours "
    "twice, for staging and for the table. What ours saves is a statement and a round trip for each row, and through "
    "the loopback interface a round trip costs least: each millisecond more of it adds {:.0f} s to this object row by "
    "row, and to ours a millisecond for each of its statements, which are as many for any object."
)


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, Any] = {"memory": measure_memory(MEMORY_MIB, say=say)}
    with bench_server("mysql") as server:
        found["server"] = server.name
        found["apart"] = taken_apart(server, APART_MIB, say)
        found["empty"] = into_empty(server, EMPTY, say, in_parallel={PARALLEL_MIB: CONNECTIONS})
        found["rows"] = beside_upserts(server, BY_ROWS_MIB, BY_ROWS_ROUNDS, say)
        found["full"] = into_a_million(server, EXISTING, NEW, say)
    with bench_server("mariadb") as server:
        found["other_server"] = server.name
        found["empty_on_other"] = into_empty(server, EMPTY_ON_MARIADB, say)
    return found


def section(measured: Mapping[str, Any]) -> Section:
    empty, full = (samples_of(measured[name]) for name in ("empty", "full"))
    upserts = samples_of({"": measured["rows"]})[""]
    most = max(each["peak"] - each["idle"] for each in measured["memory"])
    least_empty = {
        size: min((side_ratio(empty[size], side) for side in SIDES), key=lambda found: found.median) for size in empty
    }
    goals = (
        *(
            _goal(
                f"at least 0.85 × the straight load on an empty table: {size} MiB",
                found,
                0.85,
                _bound(measured["apart"], "empty"),
            )
            for size, found in least_empty.items()
        ),
        *(
            _goal(
                f"at least 0.7 × the straight load when all keys exist: {name.removeprefix('existing ')} MiB",
                ratio(found[OURS], found[STRAIGHT]),
                0.7,
                _bound(measured["apart"], "existing"),
            )
            for name, found in full.items()
            if name.startswith("existing")
        ),
        *_by_rows_goals(measured["rows"]["rows"], upserts),
        Goal(
            f"memory flat in the object's size, under 64 MB over idle, up to {MEMORY_MIB[-1]} MiB",
            f"{most / 1e6:.1f} MB over idle at most",
            met=most < MEMORY_LIMIT,
            bound="The loader passes on chunks of 256 KiB; the rest is what boto3 keeps of what it has read.",
        ),
    )
    return Section(
        tuple(_told_once(goals)),
        (
            ABOUT,
            empty_plot(empty),
            (
                f"Into an empty table, {measured['server']}. Rows a second are those of our way, in wall time; ratios "
                "are ours to the straight load, by the server itself (as Aurora reads S3) and by the client (LOCAL)."
            ),
            empty_table(measured["empty"], empty),
            f"The same, {measured['other_server']}.",
            empty_table(measured["empty_on_other"], samples_of(measured["empty_on_other"])),
            (
                f"Into a table of a million rows, {measured['server']}, the server reading the file. Where the keys "
                "exist the straight load is `LOAD DATA … REPLACE`, which looks at no version."
            ),
            full_table(measured["full"], full),
            (
                "What the server takes for each step of a load, medians: into an empty table, and into one that holds "
                "all the keys and as many rows as the larger object."
            ),
            steps_table(measured["apart"]),
            (
                f"Beside upserts out of Python (PyMySQL), {BY_ROWS_MIB} MiB into an empty table, through the loopback "
                "interface, where a round trip costs next to nothing; ours sends the file (LOCAL)."
            ),
            upserts_table(measured["rows"]["rows"], upserts),
            (
                "Beside a parallel import into an empty table, as `util.importTable` of MySQL Shell does it: parts of "
                "the file, cut beforehand, are sent by several client programs at once (`LOAD DATA LOCAL`). It guards "
                "nothing either, and a part that fails leaves the others loaded. MySQL Shell itself is not compared: "
                "none of PyPI, npm and Debian has it."
            ),
            parallel_table(measured["empty"], empty),
            "Memory of the loader's process while its handler loads an object from S3 with `LOAD_MODE=local`.",
            memory_table(measured["memory"]),
        ),
    )


def _goal(text: str, found: Spread, least: float, bound: str) -> Goal:
    return Goal(text, times(found), met=found.median >= least, bound=bound)


def _told_once(goals: Iterable[Goal]) -> Iterator[Goal]:
    """Leave what bounds a goal out where the page has said it of another just before."""
    told = set()
    for goal in goals:
        is_told = not goal.met and goal.bound in told
        if not goal.met:
            told.add(goal.bound)
        yield goal._replace(bound="As above.") if is_told else goal


def _bound(apart: Mapping[str, Any], kind: str) -> str:
    """Return what bounds the load, in the shares of the server's CPU time that its steps take."""
    small, large = (apart[f"{kind} {mebibytes}"] for mebibytes in APART_MIB)

    def share(steps: Mapping[str, Mapping[str, float]], *wanted: str) -> str:
        part = sum(steps[step]["cpu_seconds"] for step in wanted)
        return f"{part / sum(step['cpu_seconds'] for step in steps.values()):.0%}"

    rest = [step for step in small if step not in (STAGE, COUNT, UPSERT)]
    return (
        "Every row is written twice, since LOAD DATA can neither leave lines out nor compare versions. Of the server's "
        f"CPU time writing them into staging takes {share(large, STAGE)} at {APART_MIB[1]} MiB "
        f"({share(small, STAGE)} at {APART_MIB[0]}), to count them {share(large, COUNT)} ({share(small, COUNT)}), into "
        f"the table {share(large, UPSERT)} ({share(small, UPSERT)}), and statements whose cost does not depend on the "
        f"object {share(large, *rest)} ({share(small, *rest)}). {TRIED}"
    )


def _by_rows_goals(rows: int, found: Mapping[str, Samples]) -> list[Goal]:
    bound = BOUND_ROWS.format(rows / 1000)
    return [
        _goal(f"at least 15 × {way} (in wall time)", wall_ratio(found[OURS], found[way]), 15, bound)
        for way in reversed(BY_ROWS[1:])
    ]
