"""
Eight loaders at once on objects whose keys overlap: they converge on the model, whatever deadlocks stand in the way.

Prints the throughput of eight loaders relative to one (`pytest -s`); nothing is asserted about time.
"""
# ruff: noqa: S311, S608, T201 - a reproducible workload on tables of its own, whose throughput is for people

import queue
import random
import threading
import time

import msgspec
import pytest
from loader_fixtures import a_delete, a_pipeline, an_upsert

from aurora_loader.load import LoadFailedError
from ddb2aurora.model import rows_after

pytestmark = pytest.mark.long

LOADERS = 8
OBJECTS = 160
ROWS_AN_OBJECT = 50
FEW_KEYS, MANY_KEYS = 120, 20_000
DEADLOCK = "error 1213"


class RealTime:
    """Time as the loader has it on Lambda."""

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
    random = staticmethod(random.random)

    def seconds_left(self):
        return 600


def objects_of(pipeline, *, keys):
    """Return objects whose rows are dealt at random: the versions of a key lie in many of them, in no order."""
    source = random.Random(keys)
    rows = []
    for version in range(1, OBJECTS * ROWS_AN_OBJECT + 1):
        key = f"k{source.randrange(keys)}"
        deletes = source.random() < 0.3
        rows.append(a_delete(pipeline, version, key) if deletes else an_upsert(pipeline, version, key, f"v{version}"))
    dealt = list(rows)
    source.shuffle(dealt)
    return rows, [dealt[start : start + ROWS_AN_OBJECT] for start in range(0, len(dealt), ROWS_AN_OBJECT)]


def load_all(target, refs, *, loaders):
    """
    Load *refs* with so many loaders, each object announced twice, and return the seconds and the loads given up.

    A load that is given up is announced again, as Lambda does.
    """
    waiting = queue.SimpleQueue()
    for ref in [*refs, *refs]:
        waiting.put(ref)
    given_up, errors = [], []

    def work(loader):
        try:
            while True:
                ref = waiting.get_nowait()
                try:
                    loader.load(ref, time=RealTime())
                except LoadFailedError:
                    given_up.append(ref)
                    waiting.put(ref)
        except queue.Empty:
            return
        except Exception as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=work, args=(target.make_loader(),)) for _ in range(loaders)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return time.monotonic() - started, len(given_up)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("keys", [FEW_KEYS, MANY_KEYS])
def test_eight_loaders_converge_on_the_model_and_deadlocks_are_tried_again(make_target, capsys, keys):
    many = make_target()
    one = make_target(msgspec.structs.replace(a_pipeline(), name="others", target_table="Others"))
    seconds, found, retries, given_up = {}, {}, {}, {}

    for target, loaders in ((one, 1), (many, LOADERS)):
        rows, objects = objects_of(target.pipeline, keys=keys)
        # One ledger serves all tables of a database, and tells objects apart by their names.
        names = [f"{loaders}/{number}.csv" for number in range(len(objects))]
        refs = [target.put(*content, key=name) for name, content in zip(names, objects, strict=True)]
        seconds[loaders], given_up[loaders] = load_all(target, refs, loaders=loaders)
        found[loaders] = {tuple(row) for row in target.rows("id, name")}
        retries[loaders] = list(target.retries)
        counts = "COUNT(*), SUM(rows_in_file), SUM(applied + stale + deleted + rejected)"
        ledger = target.query(
            f"SELECT {counts} FROM `{target.database.name}`._ddb2aurora_loads WHERE target_table = %s",
            target.pipeline.target_table,
        )
        assert [tuple(map(int, line)) for line in ledger] == [(OBJECTS, len(rows), len(rows))]

    expected = set(rows_after(objects_of(many.pipeline, keys=keys)[0], pipeline=many.pipeline).values())
    deadlocks = sum(DEADLOCK in why for why in retries[LOADERS])
    with capsys.disabled():
        print(
            f"\n{OBJECTS} objects of {ROWS_AN_OBJECT} rows on {keys} keys: 1 loader {seconds[1]:.1f} s, {LOADERS} "
            f"loaders {seconds[LOADERS]:.1f} s ({seconds[1] / seconds[LOADERS]:.2f}x), {deadlocks} deadlocks and "
            f"{len(retries[LOADERS]) - deadlocks} other retries, {given_up[LOADERS]} loads given up and announced again"
        )
    assert found == {1: expected, LOADERS: expected}
    assert (retries[1], given_up[1]) == ([], 0)
    assert deadlocks > 0 or keys == MANY_KEYS
