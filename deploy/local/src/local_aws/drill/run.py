"""The drill: fill, change and read at the same time, kill twice, go on, and compare."""

import contextlib
import functools
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.pipeline import Pipeline
from local_aws.drill.attempt import Attempt, attempt
from local_aws.drill.table import Changing, make_table_without_stream, planned
from local_aws.stack.clients import Clients
from local_aws.stack.embedded import EmbeddedStack

if TYPE_CHECKING:
    from pymysql.connections import Connection

_KILLS: Final = 2
_QUIET_SECONDS: Final = 600
_LOOK_EVERY_SECONDS: Final = 0.2


class DrillError(Exception):
    """The drill could not be carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What is drilled; the same *seed* gives the same items, changes and places of the kills."""

    items: int
    seed: int
    changes_a_second: float
    options: tuple[str, ...] = ()
    """Options of `backfill`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened: the attempts, killed ones first, the *changes* written meanwhile, and what verify says."""

    attempts: tuple[Attempt, ...]
    killed_at: tuple[int, ...]
    changes: int
    changes_meanwhile: int
    verified: Attempt

    @property
    def holds(self) -> bool:
        """Whether the backfill came to its end and the two sides are equal."""
        last = self.attempts[-1].output
        kills = [found.status for found in self.attempts[:-1]]
        return bool(last.get("complete")) and kills == [-9] * _KILLS and self.verified.status == 0


def run_drill(drill: Drill, pipeline: Pipeline, *, cache: Path, pipelines: Path, say: Callable[[str], None]) -> Outcome:
    """
    Carry *drill* out on a stack of its own, and return what happened; *say* hears how it gets on.

    Raises:
        DrillError: An attempt ended before it was killed, or the pipeline did not come to rest.
    """
    puts, changes = planned(drill.items, seed=drill.seed)

    def fill(clients: Clients) -> None:
        started = time.monotonic()
        make_table_without_stream(clients, pipeline, puts)
        say(f"{drill.items:,} items written in {time.monotonic() - started:.0f} s, before the table had a stream")

    with (
        EmbeddedStack([pipeline], cache=cache, before_pipelines=fill) as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):
        environment = {**stack.environment, "PIPELINES_FOLDER": str(pipelines)}
        changing = Changing(stack.clients, pipeline, changes, a_second=drill.changes_a_second)
        changing.start()
        attempts, killed_at = _killed(drill, environment, lambda: _items_read(connection, pipeline), say)
        attempts.append(attempt(["backfill", *drill.options], environment=environment))
        meanwhile = changing.written
        say(f"came to its end after {attempts[-1].seconds:.0f} s more; {meanwhile:,} changes were written meanwhile")
        changing.end()
        _await_rest(stack, pipeline)
        verified = attempt(["verify", "--settle", "10s"], environment=environment)
        return Outcome(tuple(attempts), tuple(killed_at), changing.written, meanwhile, verified)


def _killed(
    drill: Drill, environment: Mapping[str, str], items_read: Callable[[], int], say: Callable[[str], None]
) -> tuple[list[Attempt], list[int]]:
    """Kill attempts at places that are drawn, each a part of the table further than the one before."""
    drawn = random.Random(drill.seed)  # noqa: S311 - a reproducible workload, not a secret
    attempts: list[Attempt] = []
    killed_at: list[int] = []
    for number in range(_KILLS):
        share = (number + drawn.random()) / (_KILLS + 1)
        wanted = max(1, round(drill.items * share))
        killed = attempt(
            ["backfill", *drill.options],
            environment=environment,
            kill_when=functools.partial(_is_reached, wanted, items_read),
        )
        if killed.status != -9:  # noqa: PLR2004 - SIGKILL
            raise DrillError(f"it was to be killed after {wanted} items and ended by itself: {killed.errors}")
        attempts.append(killed)
        killed_at.append(items_read())
        say(f"killed after {killed.seconds:.0f} s, {killed_at[-1]:,} items behind its checkpoints")
    return attempts, killed_at


def _is_reached(wanted: int, items_read: Callable[[], int]) -> bool:
    return items_read() >= wanted


def _items_read(connection: "Connection[Any]", pipeline: Pipeline) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (pipeline.target_database, "_ddb2aurora_backfills"),
        )
        ((there,),) = cursor.fetchall()
        if not there:
            return 0
        cursor.execute(f"SELECT COALESCE(SUM(items), 0) FROM `{pipeline.target_database}`._ddb2aurora_backfills")  # noqa: S608
        ((count,),) = cursor.fetchall()
        return int(count)


def _await_rest(stack: EmbeddedStack, pipeline: Pipeline) -> None:
    """Wait until every change that was written has come through."""
    deadline = time.monotonic() + _QUIET_SECONDS
    running, quiet = stack.running[pipeline.name], 0
    while quiet < 5:  # noqa: PLR2004 - looks in a row, since work passes from one part to the next
        if time.monotonic() > deadline:
            raise DrillError(f"the pipeline did not come to rest in {_QUIET_SECONDS} s")
        time.sleep(_LOOK_EVERY_SECONDS)
        quiet = quiet + 1 if running.idle and stack.firehose.drained else 0
