"""
The promise, under whatever may happen to changes on their way: the rows depend on the set of changes alone.

The machine makes changes as the stages make them, deals them out to objects in any order and with repetitions, and has
several loaders load those objects, once or again, while connections die. After every load the target is what the model
says of all changes that were loaded so far.
"""

import contextlib

import pymysql
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from loader_fixtures import an_object
from promise import KEYS, MODES, Sent, Stream, a_promised_pipeline, empty, held_by, model_of
from strategies import texts

LOADERS = 3
_keys = st.sampled_from(KEYS)
_loaders = st.integers(0, LOADERS - 1)
_picks = st.lists(st.integers(0, 30), max_size=8)


class KillableLoader:
    """A loader whose connection can be killed by the server."""

    def __init__(self, target) -> None:
        self._target = target
        self._thread_ids = []
        self.loader = target.make_loader(connect=self._connect)

    def _connect(self, settings):
        connection, server = self._target.connect(settings)
        self._thread_ids.append(connection.thread_id())
        return connection, server

    def kill(self) -> None:
        for thread_id in self._thread_ids[-1:]:
            with contextlib.suppress(pymysql.err.OperationalError):  # it is gone already
                self._target.query(f"KILL {thread_id}")


class ThePromise(RuleBasedStateMachine):
    def __init__(self, target, loaders) -> None:
        super().__init__()
        empty(target)
        target.source.objects.clear()
        self.target = target
        self.loaders = loaders
        self.stream = Stream(target.pipeline)
        self.sent: list[Sent] = []
        self.objects: dict[str, list[Sent]] = {}
        self.loaded: list[Sent] = []

    @rule(key=_keys, n=st.none() | st.integers(-5, 5), note=texts, is_new=st.booleans(), gap=st.integers(1, 10**12))
    def put(self, key, n, note, is_new, gap):
        kind = "INSERT" if is_new else "MODIFY"
        self._sent(self.stream.tell(kind, {"id": key, "n": n, "note": note}, gap=gap))

    @rule(key=_keys, by_ttl=st.booleans(), gap=st.integers(1, 10**12))
    def delete(self, key, by_ttl, gap):
        self._sent(self.stream.tell("REMOVE", {"id": key}, gap=gap, by_ttl=by_ttl))

    @rule()
    def switch_the_stream_off_and_on(self):
        self.stream.begin_anew()

    @precondition(lambda self: self.sent)
    @rule(loader=_loaders, picks=_picks, has_a_bad_line=st.booleans())
    def load(self, loader, picks, has_a_bad_line):
        changes = [self.sent[pick % len(self.sent)] for pick in picks]
        name = self._write(changes, b"malformed\n" if has_a_bad_line and changes else b"")

        outcome = self._load(loader, name)

        counts = (outcome.rows - outcome.rejected, outcome.applied + outcome.stale + outcome.deleted)
        assert counts == (len(changes), len(changes))

    @precondition(lambda self: self.objects)
    @rule(loader=_loaders, pick=st.integers(0, 30))
    def load_the_same_object_again(self, loader, pick):
        outcome = self._load(loader, sorted(self.objects)[pick % len(self.objects)])

        assert outcome.repeated

    @precondition(lambda self: self.objects)
    @rule(loader=_loaders, pick=st.integers(0, 30))
    def load_the_same_lines_under_another_name(self, loader, pick):
        changes = self.objects[sorted(self.objects)[pick % len(self.objects)]]

        outcome = self._load(loader, self._write(changes))

        assert (outcome.applied, outcome.deleted, outcome.stale) == (0, 0, len(changes))

    @rule(loader=_loaders)
    def kill_the_connection_of_a_loader(self, loader):
        self.loaders[loader].kill()

    @rule(loader=_loaders)
    def kill_the_connection_of_a_loader_in_its_next_load(self, loader):
        def kill():
            self.target.source.before = lambda: None
            self.loaders[loader].kill()

        self.target.source.before = kill

    def teardown(self):
        self.target.source.before = lambda: None
        self.objects.clear()
        self._load(0, self._write([change for change in self.sent if change not in self.loaded]))

        assert held_by(self.target) == model_of(self.sent, self.target.pipeline)

    def _sent(self, change):
        if change is not None:
            self.sent.append(change)

    def _write(self, changes, more=b""):
        name = f"{len(self.target.source.objects)}.csv"
        self.target.source.objects[name] = b"".join(change.line for change in changes) + more
        self.objects[name] = changes
        return name

    def _load(self, loader, name):
        outcome = self.loaders[loader].loader.load(an_object(name), time=self.target.time)
        self.loaded += self.objects[name]
        assert held_by(self.target) == model_of(self.loaded, self.target.pipeline)
        return outcome


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("mode", "on_ttl_delete"), MODES)
def test_whatever_happens_on_the_way_the_target_holds_what_the_model_says(make_target, mode, on_ttl_delete):
    target = make_target(a_promised_pipeline(mode, on_ttl_delete))
    loaders = [KillableLoader(target) for _ in range(LOADERS)]

    run_state_machine_as_test(
        lambda: ThePromise(target, loaders),
        settings=settings(
            max_examples=max(6, settings.default.max_examples // 5), stateful_step_count=30, deadline=None
        ),
    )
