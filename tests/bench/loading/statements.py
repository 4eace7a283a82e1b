"""What the server takes for each statement of a load."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from ddb2aurora.database.connect import connect
from ddb2aurora.database.connection import DatabaseConnection
from loading.rows import rows_in, shuffled, write_object
from loading.targets import BenchTarget

STAGE, COUNT, UPSERT, COMMIT = "LOAD DATA into staging", "count what is staged", "upsert into the table", "COMMIT"
TABLES, REST = "staging tables, made and dropped", "ledger, horizon, probes"
STEPS: Final = (TABLES, STAGE, COUNT, UPSERT, REST, COMMIT)
_ROUNDS: Final = 5


class TimedConnection(DatabaseConnection):
    """A connection that keeps of each statement its text, its wall time and the CPU time of the server, in seconds."""

    def query(self, sql, unbuffered=False):
        cpu, wall = self.server.cpu_seconds(), time.perf_counter()
        try:
            return super().query(sql, unbuffered)
        finally:
            wall = time.perf_counter() - wall
            self.taken.append((sql, wall, self.server.cpu_seconds() - cpu))


def take_apart(
    target: BenchTarget, *, mebibytes: float, pool: range, first_change: int, before: Callable[[], object]
) -> dict[str, Any]:
    """
    Load objects of that size with keys out of *pool*, each after *before* was called.

    Return the median for each of the steps: `wall_seconds`, and `cpu_seconds` of the server.
    """
    taken: list[tuple[str | bytes, float, float]] = []

    def timed(settings):
        connection, kind = connect(settings)
        connection.__class__ = TimedConnection
        connection.server, connection.taken = target.server, taken
        return connection, kind

    load = target.loader(server_side=True, connect=timed)
    found = defaultdict(list)
    count = rows_in(mebibytes)
    for turn in range(_ROUNDS):
        path = write_object(
            target.server.files / "object.csv",
            target.pipeline,
            shuffled(pool, seed=turn)[:count],
            first_change=first_change + turn * count,
        )
        before()
        target.server.settle()
        taken.clear()
        load(path)
        path.unlink()
        steps = dict.fromkeys(STEPS, (0.0, 0.0))
        for statement, wall, cpu in taken:
            step = _step_of(statement if isinstance(statement, str) else statement.decode(), target)
            steps[step] = (steps[step][0] + wall, steps[step][1] + cpu)
        for step, both in steps.items():
            found[step].append(both)
    return {
        step: {
            "wall_seconds": float(f"{statistics.median(wall for wall, _ in both):.4g}"),
            "cpu_seconds": float(f"{statistics.median(cpu for _, cpu in both):.4g}"),
        }
        for step, both in found.items()
    }


def _step_of(statement: str, target: BenchTarget) -> str:
    beginnings = {
        "LOAD DATA": STAGE,
        "SELECT COUNT(": COUNT,
        f"INSERT INTO {target.table} ": UPSERT,
        "COMMIT": COMMIT,
        "CREATE TEMPORARY": TABLES,
        "DROP TEMPORARY": TABLES,
    }
    return next((step for beginning, step in beginnings.items() if statement.startswith(beginning)), REST)
