"""`ddb2aurora purge` against a database."""
# ruff: noqa: S608 - tests name their own tables

import re

import pytest
from command_line import run_command
from loader_fixtures import a_delete

from ddb2aurora.pipeline import dump_pipeline


@pytest.fixture
def purge(target, tmp_path):
    (tmp_path / "things.json").write_bytes(dump_pipeline(target.pipeline))
    variables = target.command_environment(tmp_path)

    def run(*arguments):
        return run_command(["purge", *arguments], variables)

    return run


def test_old_deletes_are_forgotten_and_the_horizon_is_told(target, purge):
    target.load(a_delete(target.pipeline, 1, "old"), key="1.csv")
    target.query(f"UPDATE {target.name('__tombstones')} SET _deleted_at = _deleted_at - INTERVAL 8 DAY")
    target.load(a_delete(target.pipeline, 1, "young"), key="2.csv")

    ran = purge("--older-than", "7d")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(
        rf"forgot 1 deletes of {target.database.name}\.Things; horizon: \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\n",
        ran.stdout,
    )
    assert target.query(f"SELECT id FROM {target.name('__tombstones')}") == (("young",),)


def test_an_age_that_is_none_is_a_mistake_of_usage_and_nothing_is_forgotten(target, purge):
    target.load(a_delete(target.pipeline, 1, "old"))

    ran = purge("--older-than", "soon")

    assert ran.returncode == 2
    assert "an age is a number and one of s, m, h, d, w, such as 7d" in ran.stderr
    assert target.query(f"SELECT horizon_ms FROM `{target.database.name}`._ddb2aurora_horizons") == ((0,),)
