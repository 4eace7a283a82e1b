"""The switch: whatever loaders do at that moment, every load is in the new table, and no row is older than it was."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from builders import a_change, a_column
from loader_fixtures import FrozenTime
from rebuild_fixtures import LoadsMeanwhile, some_changes

from ddb2aurora.database.errors import error_number
from ddb2aurora.dialect import Row
from operator_cli.rebuilding.shadow import Shadow, tables_named
from operator_cli.rebuilding.switching import TargetBusyError, switch

pytestmark = pytest.mark.long

FINE, FAILURES = 0, 1
PATIENCE_SECONDS = 60
# The loader holds nothing but the fence of a mode that remembers deletes.
MODES = ["mirror", "soft_delete", "append"]


@pytest.fixture
def switching(target):
    """The shadow of the target, and what the switch needs besides."""
    shadow = Shadow(target.connect()[0], target.pipeline, target.tables, run_id="20260105_100000")
    shadow.make()
    fence, renaming = (target.connect()[0] for _ in range(2))
    old = tables_named(target.tables, "Things__old_20260105_100001")

    def run(catch_up=lambda: True, pause=lambda _: None):
        return switch(fence, renaming, target.tables, shadow=shadow.tables, old=old, catch_up=catch_up, pause=pause)

    return run


def an_upsert(target, key, name, version):
    return Row(target.pipeline.shape, "U", version, 1000, (key, name))


def ids(target, table="Things"):
    return {name for (name,) in target.query(f"SELECT id FROM `{target.database.name}`.`{table}`")}  # noqa: S608


def test_a_loader_that_is_under_way_ends_first_and_what_it_did_is_caught_up_with(target, switching):
    started, go_on = threading.Event(), threading.Event()

    def before():
        started.set()
        go_on.wait(PATIENCE_SECONDS)

    target.source.before = before
    ref = target.put(an_upsert(target, "under way", "x", 5))
    seen_by_catch_up = []
    with ThreadPoolExecutor(2) as threads:
        load = threads.submit(target.make_loader().load, ref, time=FrozenTime())
        started.wait(PATIENCE_SECONDS)
        # It holds the fence before it has touched the target, so each try gives way until it is through.
        done = threads.submit(switching, lambda: seen_by_catch_up.append(ids(target)) or True, lambda _: go_on.set())
        load.result(PATIENCE_SECONDS)
        assert done.result(PATIENCE_SECONDS)

    assert seen_by_catch_up == [{"under way"}]


def test_a_loader_that_comes_while_the_fence_stands_waits_and_writes_to_the_new_table(target, switching):
    arrived = threading.Event()

    def connect(settings=None):
        arrived.set()
        return target.connect(settings)

    ref = target.put(an_upsert(target, "late", "x", 5))
    with ThreadPoolExecutor(1) as threads:
        loads = []

        def catch_up():
            loads.append(threads.submit(target.make_loader(connect=connect).load, ref, time=FrozenTime()))
            arrived.wait(PATIENCE_SECONDS)
            wait_for_lock(target)
            return True

        assert switching(catch_up)
        loads[0].result(PATIENCE_SECONDS)

    assert (ids(target), ids(target, "Things__old_20260105_100001")) == ({"late"}, set())


def wait_for_lock(target):
    """Wait until a loader waits for the fence."""
    until(
        lambda: target.query(
            "SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = %s AND INFO LIKE %s",
            target.database.name,
            "%horizon_ms%SHARE MODE%",
        )
    )


def until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # a poll with a deadline


def test_what_speaks_against_it_leaves_everything_as_it_was_and_loaders_go_on(target, switching):
    assert not switching(lambda: False)

    target.load(an_upsert(target, "a", "x", 1))
    assert ids(target) == {"a"}


def test_a_reader_that_never_ends_stops_the_switch_and_loaders_go_on_in_between(target, switching):
    reader = target.connect()[0]
    reader.run("START TRANSACTION")
    reader.rows(f"SELECT COUNT(*) FROM {target.name()}")  # noqa: S608
    loaded = []

    def pause(_seconds):
        if len(loaded) < 3:
            loaded.append(target.load(an_upsert(target, f"n{len(loaded)}", "x", 1), key=f"{len(loaded)}.csv"))
        else:
            reader.run("ROLLBACK")

    assert switching(pause=pause)

    assert ids(target, "Things__old_20260105_100001") == {"n0", "n1", "n2"}


def test_what_never_gives_way_is_an_error_that_says_so(target, switching, monkeypatch):
    reader = target.connect()[0]
    reader.run("START TRANSACTION")
    reader.rows(f"SELECT COUNT(*) FROM {target.name()}")  # noqa: S608
    monkeypatch.setattr("operator_cli.rebuilding.switching._MOST_TRIES", 1)

    with pytest.raises(TargetBusyError, match="Things was in use") as found:
        switching()

    assert error_number(found.value.__cause__) == 1205


@pytest.mark.parametrize("mode", MODES)
def test_under_a_flow_of_loads_nothing_is_lost_although_the_backup_comes_late(make_history, mode):
    history = make_history(mode=mode)
    early = some_changes(200)
    history.both(*early)
    held: list[list] = []
    # The backup of what happens meanwhile comes after the switch, if at all.
    writer = LoadsMeanwhile(history, start=1000, late_backup=held.append)
    writer.start()
    try:
        until(lambda: len(held) > 1)
        status, told = history.run()
        loaded = history.target.query(
            f"SELECT COUNT(*) FROM `{history.target.database.name}`._ddb2aurora_loads"  # noqa: S608
        )[0][0]
        until(lambda: len(history.target.ledger()) >= loaded + 5)
    finally:
        writer.stop()

    assert (status, told["outcome"]) == (FINE, "switched")
    assert told["caught_up"]["objects"] > 1
    assert history.found() == history.expected([*early, *writer.changes])


@pytest.mark.parametrize("mode", MODES)
def test_what_is_loaded_right_before_the_switch_is_in_the_new_table(make_history, monkeypatch, mode):
    history = make_history(mode=mode)
    early, late = some_changes(20), some_changes(20, start=100, seed=4)
    history.both(*early)

    def after_a_load(*connections, **parts):
        history.load(*late)
        return switch(*connections, **parts)

    monkeypatch.setattr("operator_cli.rebuilding.rebuild.switch", after_a_load)

    status, told = history.run()

    assert (status, told["outcome"]) == (FINE, "switched")
    assert history.found() == history.expected([*early, *late])


@pytest.mark.parametrize("mode", ["mirror", "append"])
def test_loaded_rows_of_another_shape_wait_for_their_backup(make_history, mode):
    history = make_history(mode=mode)
    early, late = some_changes(20), some_changes(20, start=100, seed=4)
    history.both(*early)
    history.load(*late)
    older = history.pipeline
    key, n, _ = older.columns
    pipeline = history.change_file(columns=(key, n, a_column("note", "varchar(200)")))

    without = history.run("--patience", "1s")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(history.run, "--patience", "20s", "--restart")
        # It has read the backup, and looks for what was loaded.
        until(lambda: history.rebuilds() == ["given_up", "reading"] and history.objects_through("loaded"))
        history.backup(*late, hour=f"{datetime.now(UTC):%Y/%m/%d/%H}")
        status, told = waiting.result(PATIENCE_SECONDS)

    assert (without[0], without[1]["outcome"]) == (FAILURES, "held_back")
    assert without[1]["unaccounted"] > 0
    assert (status, told["outcome"]) == (FINE, "switched")
    assert history.found(pipeline=pipeline) == history.expected([*early, *late], pipeline=pipeline)


def test_a_change_of_from_alone_is_in_force_for_all_that_the_backup_has(history):
    changes = some_changes(40)
    history.both(*changes)
    key, n, _ = history.pipeline.columns
    pipeline = history.change_file(columns=(key, n, a_column("note", "text", source="n")))

    history.run()

    assert pipeline.shape == history.pipeline.shape
    assert history.found() == history.expected(changes, pipeline=pipeline)


def test_what_a_loader_had_loaded_before_the_overlap_is_taken_from_the_backup_alone(history):
    lost = a_change(item={"id": "lost", "n": 1, "note": ""})
    history.load(lost)
    history.target.query(
        f"UPDATE `{history.target.database.name}`._ddb2aurora_loads SET loaded_at = loaded_at - INTERVAL 26 HOUR"  # noqa: S608
    )

    _, told = history.run("--swap")
    _, with_more = history.run("--swap", "--overlap", "48h")

    assert (told["caught_up"]["objects"], with_more["caught_up"]["objects"]) == (0, 1)
