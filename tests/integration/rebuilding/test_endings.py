"""A rebuild that ends at any point goes on with the same command, and never leaves a target by halves."""
# ruff: noqa: S608 - tests name their own tables

import signal
import subprocess
import time
from contextlib import suppress

import pytest
from builders import a_column
from rebuild_fixtures import LoadsMeanwhile, some_changes

from operator_cli.named_locks import alone
from operator_cli.rebuilding.runs import REBUILD

pytestmark = pytest.mark.long

FINE, FAILURES, INTERRUPTED = 0, 1, 130
PATIENCE_SECONDS = 60


def in_many_objects(history, changes):
    for start in range(0, len(changes), 5):
        history.backup(*changes[start : start + 5])


def end_after(history, process, *, objects, by):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and history.objects_through() < objects:
        assert time.monotonic() < deadline
        time.sleep(0.01)  # a poll with a deadline
    with suppress(ProcessLookupError):
        process.send_signal(by)
    process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode


def until_it_is(history, process, *phases):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and not set(history.rebuilds()[-1:]) & set(phases):
        assert time.monotonic() < deadline
        time.sleep(0.003)  # a poll with a deadline


@pytest.mark.parametrize("mode", ["mirror", "append"])
def test_killed_again_and_again_it_goes_on_and_ends_in_the_rows_of_the_model(make_history, mode):
    history = make_history(mode=mode)
    changes = some_changes(600, keys=40)
    in_many_objects(history, changes)
    history.load(*changes[:100])

    through = []
    for objects in (1, 20, 47, 90):
        end_after(history, history.start("--concurrency", "3"), objects=objects, by=signal.SIGKILL)
        through.append(history.objects_through())
    status, told = history.run()

    assert (status, told["outcome"]) == (FINE, "switched")
    assert through == sorted(through)
    assert (told["found"]["objects"], told["found"]["rows"]) == (120, 600)
    assert history.found() == history.expected(changes)
    assert [name for name in history.tables() if "__rebuild_" in name] == []


def test_interrupted_it_says_so_and_goes_on(history):
    changes = some_changes(600)
    in_many_objects(history, changes)

    with history.each_object_takes(0.2):
        status = end_after(history, history.start("--concurrency", "1"), objects=10, by=signal.SIGINT)
    told = history.run()[1]

    assert status == INTERRUPTED
    assert (told["outcome"], told["found"]["rows"]) == ("switched", 600)
    assert history.found() == history.expected(changes)


def test_out_of_time_it_leaves_the_rest_to_the_next_run(history):
    changes = some_changes(600)
    in_many_objects(history, changes)

    with history.each_object_takes(0.05):
        first = history.run("--within", "1s", "--concurrency", "1")
    last = history.run()

    assert (first[0], first[1]["outcome"]) == (FAILURES, "unfinished")
    assert (last[0], last[1]["outcome"], last[1]["found"]["rows"]) == (FINE, "switched", 600)


def test_killed_between_the_rename_and_its_note_it_knows_that_it_was_done(history):
    changes = some_changes(30)
    history.both(*changes)
    told = history.run()[1]
    # As if the process had ended right after the RENAME.
    history.target.query(f"UPDATE `{history.target.database.name}`._ddb2aurora_rebuilds SET phase = 'switching'")

    status, again = history.run("--drop-old")

    assert (status, again["outcome"], again["old_table"]) == (FINE, "switched", told["old_table"])
    assert history.found() == history.expected(changes)
    assert not any("__old_" in name for name in history.tables())


def test_what_was_left_is_brought_up_to_date_before_it_takes_the_place(history):
    early, late = some_changes(30), some_changes(30, start=100, seed=3)
    history.both(*early)
    left = history.run("--no-swap")[1]
    history.backup(*late[:15])
    history.load(*late)

    status, told = history.run("--swap")

    assert (left["outcome"], status, told["outcome"]) == ("left", FINE, "switched")
    assert told["old_table"] is not None
    assert history.found() == history.expected([*early, *late])


def test_begun_anew_it_forgets_what_was_there(history):
    in_many_objects(history, some_changes(50))
    left = history.run("--no-swap")[1]
    history.target.query(f"DELETE FROM `{history.target.database.name}`.`{left['table']}`")

    history.run("--restart")

    assert history.found() == history.expected(some_changes(50))
    assert left["table"] not in history.tables()


def test_with_another_file_it_begins_anew_and_names_what_is_left_of_the_other(history):
    history.backup(*some_changes(10))
    left = history.run("--no-swap")[1]
    key, n, _ = history.pipeline.columns
    history.change_file(columns=(key, n, a_column("note", "varchar(200)")))

    told = history.run("--no-swap")[1]

    assert told["found"]["objects"] == 1
    assert told["other_tables"] == [left["table"]]


def test_two_do_not_work_on_one_target(history):
    changes = some_changes(40)
    in_many_objects(history, changes)
    connection, _ = history.target.connect()

    with alone(connection, REBUILD, target=f"{history.target.database.name}.{history.pipeline.target_table}"):
        ran = history.world.run("rebuild")
        begun = history.rebuilds()
    status, told = history.run()

    assert (ran.returncode, begun) == (FAILURES, [])
    assert "is being rebuilt by somebody else; wait until that ends" in ran.stderr
    assert (status, told["outcome"]) == (FINE, "switched")


@pytest.mark.parametrize("mode", ["mirror", "append"])
def test_killed_around_the_switch_under_a_flow_of_loads_nothing_is_lost(make_history, mode):
    history = make_history(mode=mode)
    early = some_changes(100)
    history.both(*early)
    writer = LoadsMeanwhile(history, start=1000, late_backup=lambda _: None)
    writer.start()
    try:
        for moment in (0.0, 0.05, 0.15):
            process = history.start("--swap")
            until_it_is(history, process, "reading")
            until_it_is(history, process, "switching", "switched")
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment)
            process.kill()
            process.communicate(timeout=PATIENCE_SECONDS)
        status, told = history.run("--swap")
    finally:
        writer.stop()

    assert (status, told["outcome"]) == (FINE, "switched")
    assert history.found() == history.expected([*early, *writer.changes])
