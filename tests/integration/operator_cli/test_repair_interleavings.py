"""
Repairs whose steps are interleaved with those of a writer and a loader of the same item, one by one.

A repair stops before each statement and before it reads the item; a writer stops before each write to the source and
before each statement of the loads of its changes. A schedule gives turns; a turn ends at the next stop, or when a
statement waits for a lock of the other. Whatever the schedule, no change is lost: when all of them have been loaded,
the row is what the item says, and it stays so when all of them are loaded once more.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fake_dynamodb import FakeDynamoDb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_fixtures import FrozenTime, an_object
from promise import Stream, a_promised_pipeline, empty

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.version import version_of
from operator_cli.scanning.budget import ReadBudget
from operator_cli.verifying.looking import look
from operator_cli.verifying.repairing import Repairer
from operator_cli.verifying.sides import Comparison
from operator_cli.verifying.source import Source
from operator_cli.verifying.target import Target

pytestmark = pytest.mark.long

_SHARED = ("INSERT INTO", "(SELECT 1", "SELECT STRAIGHT_JOIN", "SELECT `_version`", "DELETE", "UPDATE", "COMMIT")
_TURN_SECONDS = 0.05
_TO_THE_END = 40
_KEY = ("a",)
_ITEM = {"id": "a"}
_MODES = [("mirror", "delete"), ("mirror", "soft_delete"), ("soft_delete", "soft_delete")]
_NOW_MS = 1_900_000_000_000

# What was before the damage, by changes that were all loaded; `lost` says that the last of them never was.
_HISTORIES: dict[str, tuple[Sequence[str], bool, str]] = {
    "a row was deleted by hand": (["put", "put"], False, "DELETE FROM {table}"),
    "a row was changed by hand": (["put", "put"], False, "UPDATE {table} SET n = n + 100, note = 'x'"),
    "a row was added by hand": (["put", "remove"], False, "REPLACE INTO {table} (id, event) VALUES ('a', 'x')"),
    "an update was lost": (["put", "put"], True, ""),
    "a delete was lost": (["put", "remove"], True, ""),
    "a second delete was lost": (["put", "remove", "put", "remove"], True, ""),
    "a re-creation was lost": (["put", "remove", "put"], True, ""),
    "a re-created row was deleted by hand": (["put", "remove", "put"], False, "DELETE FROM {table}"),
}
_PROGRAMS = {
    "an update": ["put", "load"],
    "a delete": ["remove", "load"],
    "a delete and a re-creation": ["remove", "put", "load", "load"],
    "a re-creation that is loaded before its delete": ["remove", "put", "load newest", "load"],
    "an update that is not loaded yet": ["put"],
}


class Turns:
    """Somebody who works in turns."""

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)
        self._stopped = threading.Event()
        self._is_free = False
        self.errors: list[BaseException] = []
        self._thread: threading.Thread | None = None

    def start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                self.stop()
                work()
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                self.errors.append(error)
            finally:
                self._stopped.set()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self) -> None:
        if not self._is_free:
            self._stopped.set()
            self._turns.acquire()

    def take(self) -> bool:
        if not self._stopped.wait(_TURN_SECONDS):
            return False
        if self._thread is not None and self._thread.is_alive():
            self._stopped.clear()
            self._turns.release()
        return self._stopped.wait(_TURN_SECONDS)

    def release(self) -> None:
        self._is_free = True
        self._turns.release()

    def end(self) -> None:
        assert self._thread is not None
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


class SteppedConnection(DatabaseConnection):
    """A connection that stops before each statement that others could meet."""

    turns: Turns | None = None

    def run(self, statement, arguments=()):
        self._wait(statement)
        return super().run(statement, arguments)

    def rows(self, statement, arguments=()):
        self._wait(statement)
        return super().rows(statement, arguments)

    def _wait(self, statement):
        if self.turns is not None and statement.startswith(_SHARED):
            self.turns.stop()


class World:
    """One item, its row, a repair of it and a writer."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.pipeline = target.pipeline
        self.comparison = Comparison(self.pipeline)
        self.repair_connection = self._stepped()
        self.load_connections: list[Any] = []
        self.loader = target.make_loader(connect=self._connect_loader)
        self.objects = itertools.count()

    def _stepped(self) -> Any:
        connection, _ = self.target.connect()
        connection.run(f"USE `{self.target.database.name}`")
        connection.__class__ = SteppedConnection
        return connection

    def _connect_loader(self, settings: Any) -> Any:
        connection, server = self.target.connect(settings)
        connection.__class__ = SteppedConnection
        self.load_connections.append(connection)
        return connection, server

    def begin(self, history: str) -> None:
        self.table = FakeDynamoDb()
        self.stream = Stream(self.pipeline)
        self.count = 0
        self.waiting: list[Any] = []
        self.loaded: list[Any] = []
        empty(self.target)
        kinds, is_lost, damage = _HISTORIES[history]
        for kind in kinds:
            self.write(kind)
        if is_lost:
            self.waiting.pop()
        self.load_all()
        if damage:
            self.target.query(damage.format(table=self.target.name()))
        # As if the open shard had begun just now: the highest floor that there can be.
        self.floor = version_of(stream_epoch_ms=self.stream._epoch_ms, sequence_number=str(self.stream._number))
        self.loads_since_damage = 0
        self.outcome: Any = None

    def write(self, kind: str) -> None:
        self.count += 1
        item = {**_ITEM, "n": self.count, "note": f"note {self.count}"}
        if kind == "put":
            self.table.put(item)
        else:
            self.table.delete(item)
        self.waiting.append(self.stream.tell("MODIFY" if kind == "put" else "REMOVE", item))

    def load(self, change: Any) -> None:
        name = f"{next(self.objects)}.csv"
        self.target.source.objects[name] = change.line
        self.loader.load(an_object(name), time=FrozenTime())
        self.loads_since_damage = getattr(self, "loads_since_damage", 0) + 1
        self.loaded.append(change)

    def load_all(self) -> None:
        while self.waiting:
            self.load(self.waiting.pop(0))

    def run_program(self, program: Sequence[str], stop: Callable[[], None]) -> None:
        for step in program:
            stop()
            if step == "load":
                self.load(self.waiting.pop(0))
            elif step == "load newest":
                self.load(self.waiting.pop())
            else:
                self.write(step)

    def repair(self, stop: Callable[[], None] = lambda: None) -> None:
        self.table.reading = stop
        source = Source(self.table, self.pipeline, budget=ReadBudget(None))  # type: ignore[arg-type] # a fake
        seen = Target(self.repair_connection, self.pipeline, self.target.tables)
        sight = look([_KEY], source=source, target=seen, comparison=self.comparison)[_KEY]
        self.sight = sight
        self.outcome = "changed"
        if sight.verdict.kind == "equal":
            self.outcome = "equal"
        elif sight.is_steady:
            repairer = Repairer(
                self.repair_connection,
                self.pipeline,
                tables=self.target.tables,
                comparison=self.comparison,
                floor=self.floor,
            )
            self.outcome = repairer.repair(_KEY, sight, read_at_ms=_NOW_MS)
        self.table.reading = lambda: None

    def verdict(self) -> str:
        source = Source(self.table, self.pipeline, budget=ReadBudget(None))  # type: ignore[arg-type] # a fake
        connection, _ = self.target.connection, None
        seen = Target(connection, self.pipeline, self.target.tables)
        return look([_KEY], source=source, target=seen, comparison=self.comparison)[_KEY].verdict.kind

    def replay(self) -> None:
        """Load everything once more, the oldest first, and see that nothing of it wins."""
        for change in list(self.loaded):
            self.load(change)
            assert self.verdict() == "equal", "an older change that came once more has won"


def play(world: World, history: str, program: Sequence[str], schedule: Sequence[tuple[int, int]]) -> None:
    world.begin(history)
    repair, writer = Turns(), Turns()
    world.repair_connection.turns = repair
    for connection in world.load_connections:
        connection.turns = writer
    repair.start(lambda: world.repair(repair.stop))
    writer.start(lambda: world.run_program(program, writer.stop))
    for number, turns in schedule:
        for _ in range(turns):
            if not (repair, writer)[number].take():
                break
    for player in (repair, writer):
        player.release()
    for player in (repair, writer):
        player.end()
    world.repair_connection.turns = None
    for connection in world.load_connections:
        connection.turns = None
    assert (repair.errors, writer.errors) == ([], [])

    touched = world.outcome in ("written", "equal") or world.loads_since_damage > 0 or bool(world.waiting)
    world.load_all()
    if touched:
        assert world.verdict() == "equal", (world.outcome, world.sight)
    else:
        world.repair()
        assert world.outcome == "written"
        assert world.verdict() == "equal"
    world.replay()


@pytest.mark.parametrize(("mode", "on_ttl_delete"), _MODES)
@pytest.mark.parametrize("history", _HISTORIES)
def test_a_repair_without_others_makes_the_row_what_the_item_says(make_target, mode, on_ttl_delete, history):
    world = World(make_target(a_promised_pipeline(mode, on_ttl_delete)))
    world.begin(history)

    world.repair()
    assert (world.outcome, world.verdict()) == ("written", "equal")
    world.replay()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("mode", "on_ttl_delete"), [_MODES[0], _MODES[2]])
@pytest.mark.parametrize("program", _PROGRAMS)
def test_a_writer_whose_changes_come_at_any_point_of_a_repair_loses_nothing(make_target, mode, on_ttl_delete, program):
    world = World(make_target(a_promised_pipeline(mode, on_ttl_delete)))

    for history in _HISTORIES:
        for turns in range(12):
            play(world, history, _PROGRAMS[program], [(0, turns), (1, _TO_THE_END)])


@st.composite
def schedules(draw):
    history = draw(st.sampled_from(sorted(_HISTORIES)))
    program = draw(
        st.lists(st.sampled_from(["put", "remove"]), min_size=1, max_size=3).flatmap(
            lambda writes: st.permutations([*writes, *["load"] * len(writes)])
        )
    )
    # A change is loaded after it was made.
    waiting = 0
    steps = []
    for step in program:
        if step == "load" and not waiting:
            continue
        waiting += -1 if step == "load" else 1
        steps.append("load newest" if step == "load" and draw(st.booleans()) else step)
    turns = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 8)), max_size=6))
    return history, steps, turns


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("mode", "on_ttl_delete"), _MODES)
def test_any_interleaving_of_a_repair_and_a_writer_loses_nothing(make_target, mode, on_ttl_delete):
    world = World(make_target(a_promised_pipeline(mode, on_ttl_delete)))

    @settings(
        max_examples=max(20, settings.default.max_examples // 5),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(schedules())
    def any_schedule_loses_nothing(drawn):
        play(world, *drawn)

    any_schedule_loses_nothing()
