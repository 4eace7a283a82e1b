"""A changed pipeline file is rolled out under a flow of writes, in the right order and in the wrong one."""

import json

import pytest

pytestmark = pytest.mark.long


def rows(rollout):
    return {
        name: (note, n, None if added is None else json.loads(added))
        for name, note, n, added in rollout.query("SELECT id, note, n, added FROM rollout.Things")
    }


def expected(rollout):
    return {name: (item["note"], item["n"], item["added"]) for name, item in rollout.writer.items.items()}


def without_added(found):
    return {name: row[:2] for name, row in found.items()}


def unlike(found, wanted):
    return {name: row for name, row in found.items() if row[2] not in (None, wanted[name][2])}


@pytest.mark.parametrize("load_mode", ["s3", "local"])
def test_in_the_right_order_nothing_is_lost_and_nothing_misplaced_while_writes_go_on(rollout):
    rollout.let_objects_load()
    status, said = rollout.migrate()
    rollout.let_objects_load()
    rollout.deploy("loader")
    rollout.let_objects_load()
    rollout.deploy("transformer")
    rollout.let_objects_load()
    rollout.writer.stop()
    rollout.await_rows()
    found, wanted = rows(rollout), expected(rollout)
    rollout.write_all_again()
    rollout.await_rows()

    assert status == 0, said
    assert without_added(found) == without_added(wanted)
    assert unlike(found, wanted) == {}
    assert rows(rollout) == expected(rollout)
    assert len(set(rollout.shapes_written())) == 2
    assert rollout.query("SELECT COUNT(*) FROM rollout._ddb2aurora_rejects") == [(0,)]


@pytest.mark.parametrize("load_mode", ["s3"])
def test_in_the_wrong_order_objects_wait_and_are_swept_when_the_loader_knows_them(rollout):
    rollout.let_objects_load()
    rollout.deploy("transformer")
    written = rollout.writer.writes
    while rollout.writer.writes < written + 100 or len(set(rollout.shapes_written())) < 2:
        rollout.writer.join(0.1)
    rollout.writer.stop()
    before = rollout.rows_accounted()
    status, said = rollout.migrate()
    rollout.deploy("loader")
    swept = rollout.operate("sweep", "--older-than", "1s")
    rollout.await_rows()

    assert status == 0, said
    assert swept[0] == 0, swept[1]
    assert before < rollout.rows_written()
    assert without_added(rows(rollout)) == without_added(expected(rollout))
    assert unlike(rows(rollout), expected(rollout)) == {}
    assert rollout.query("SELECT COUNT(*) FROM rollout._ddb2aurora_rejects") == [(0,)]


@pytest.mark.parametrize("load_mode", ["s3"])
def test_a_file_that_is_taken_back_loses_nothing_either(rollout):
    for step in (rollout.migrate, lambda: rollout.deploy("loader"), lambda: rollout.deploy("transformer")):
        step()
        rollout.let_objects_load()
    rollout.deploy("transformer", "old")
    rollout.let_objects_load()
    status, said = rollout.migrate("old")
    rollout.deploy("loader", "old")
    rollout.let_objects_load()
    rollout.writer.stop()
    swept = rollout.operate("sweep", "--older-than", "1s", version="old")
    rollout.await_rows()

    assert status == 0, said
    assert swept[0] == 0, swept[1]
    assert without_added(rows(rollout)) == without_added(expected(rollout))
    assert rollout.query("SELECT COUNT(*) FROM rollout._ddb2aurora_rejects") == [(0,)]
