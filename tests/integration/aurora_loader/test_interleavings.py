"""
Loaders whose statements are interleaved one by one, by schedules that are drawn at random.

Each loader works in a thread of its own and stops before every statement that reads or writes what loaders share, until
the schedule gives it a turn. A turn ends at the next such statement, or when the loader waits for a lock of the other.
"""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_fixtures import FrozenTime, an_object
from promise import MODES, Stream, a_promised_pipeline, empty, held_by, model_of

from ddb2aurora.database.connection import DatabaseConnection

_SHARED = ("INSERT INTO", "(SELECT 1", "SELECT STRAIGHT_JOIN", "DELETE t", "UPDATE", "COMMIT")
# A statement that takes longer than this waits for a lock, as good as always; if not, it is another schedule.
_TURN_SECONDS = 0.1
_TO_THE_END = 20
_CHANGES = st.tuples(st.sampled_from("aab"), st.sampled_from(["MODIFY", "REMOVE", "TTL"]))


class Player:
    """One load, in turns."""

    def __init__(self, loader, name) -> None:
        self._turns = threading.Semaphore(0)
        self._stopped = threading.Event()
        self._is_free = False
        self.errors: list[Exception] = []
        loader.player = self
        self._thread = threading.Thread(target=self._run, args=(loader, name))
        self._thread.start()

    def stop(self) -> None:
        """Wait for a turn; called by the loader."""
        if not self._is_free:
            self._stopped.set()
            self._turns.acquire()

    def take_a_turn(self) -> bool:
        """Let the loader go on, and return whether it stopped again; it does not while it waits for a lock."""
        if not self._stopped.wait(_TURN_SECONDS):
            return False
        if self._thread.is_alive():
            self._stopped.clear()
            self._turns.release()
        return self._stopped.wait(_TURN_SECONDS)

    def release(self) -> None:
        self._is_free = True
        self._turns.release()

    def end(self) -> None:
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()

    def _run(self, loader, name) -> None:
        try:
            loader.loader.load(an_object(name), time=FrozenTime())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.errors.append(error)
        finally:
            self._stopped.set()


class SteppedConnection(DatabaseConnection):
    """A connection that waits for a turn before each shared statement."""

    def run(self, statement, arguments=()):
        self._wait(statement)
        return super().run(statement, arguments)

    def rows(self, statement, arguments=()):
        self._wait(statement)
        return super().rows(statement, arguments)

    def _wait(self, statement):
        if statement.startswith(_SHARED):
            self.loader.player.stop()


class SteppedLoader:
    """A loader that works in the turns of its player."""

    player: Player

    def __init__(self, target) -> None:
        self._target = target
        self.loader = target.make_loader(connect=self._connect)

    def _connect(self, settings):
        connection, server = self._target.connect(settings)
        connection.__class__ = SteppedConnection
        connection.loader = self
        return connection, server


def play(target, loaders, changes, contents, schedule, *, same_object=False):
    """Load two objects of *changes* by *schedule*, and compare what is there afterwards with the model."""
    empty(target)
    stream = Stream(target.pipeline)
    sent = [
        stream.tell("REMOVE" if kind == "TTL" else kind, {"id": key, "n": n}, by_ttl=kind == "TTL")
        for n, (key, kind) in enumerate(changes)
    ]
    objects = [[sent[pick] for pick in picks] for picks in ([contents[0]] * 2 if same_object else contents)]
    names = ["0.csv", "0.csv" if same_object else "1.csv"]
    target.source.objects = {
        name: b"".join(change.line for change in content) for name, content in zip(names, objects, strict=True)
    }

    players = [Player(loader, name) for loader, name in zip(loaders, names, strict=True)]
    for number, turns in schedule:
        for _ in range(turns):
            if not players[number].take_a_turn():
                break
    for player in players:
        player.release()
    for player in players:
        player.end()

    assert [player.errors for player in players] == [[], []]
    assert held_by(target) == model_of([change for content in objects for change in content], target.pipeline)


@pytest.mark.parametrize(("mode", "on_ttl_delete"), [("mirror", "soft_delete"), ("soft_delete", "delete")])
@pytest.mark.parametrize("kind", ["REMOVE", "TTL"])
@pytest.mark.parametrize("first", [0, 1], ids=["the upsert begins", "the delete begins"])
def test_a_load_that_comes_at_any_point_of_another_ends_in_the_rows_of_the_model(
    make_target, mode, on_ttl_delete, kind, first
):
    target = make_target(a_promised_pipeline(mode, on_ttl_delete))
    loaders = [SteppedLoader(target) for _ in range(2)]
    changes = [("a", "MODIFY"), ("a", kind)]

    for turns in range(10):
        play(target, loaders, changes, [[0], [1]], [(first, turns), (1 - first, _TO_THE_END)])


@st.composite
def objects_of_two(draw):
    """Draw changes of few keys, who loads which of them in which order, and who has how many turns one by one."""
    changes = draw(st.lists(_CHANGES, min_size=2, max_size=5))
    shares = [draw(st.sampled_from([(0,), (1,), (0, 1)])) for _ in changes]
    contents = [draw(st.permutations([n for n, share in enumerate(shares) if who in share])) for who in range(2)]
    schedule = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 8)), max_size=6))
    return changes, contents, draw(st.integers(0, 9)) == 9, schedule


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("mode", "on_ttl_delete"), [found for found in MODES if found[1] != "keep"])
def test_any_interleaving_of_two_loaders_statements_ends_in_the_rows_of_the_model(make_target, mode, on_ttl_delete):
    target = make_target(a_promised_pipeline(mode, on_ttl_delete))
    loaders = [SteppedLoader(target) for _ in range(2)]

    @settings(
        max_examples=max(20, settings.default.max_examples // 5),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(objects_of_two())
    def any_schedule_converges(drawn):
        changes, contents, same_object, schedule = drawn
        play(target, loaders, changes, contents, schedule, same_object=same_object)

    any_schedule_converges()
