"""Rows that were backfilled are in no backup: they are kept or left as the operator says, and never lost in silence."""

from datetime import UTC, datetime

import pytest
from builders import CHANGED_AT_MS, a_change, a_column
from rebuild_fixtures import some_changes

FINE, USAGE = 0, 2
MODES = ["mirror", "soft_delete", "append"]


def backfilled(history, *names, n=0):
    rows = history.rows_of(a_change(item={"id": name, "n": n, "note": "backfilled"}) for name in names)
    history.load_rows(row._replace(version=0) for row in rows)
    # As if it had been long ago, so that the ledger's rows are not caught up with.
    history.target.query(
        f"UPDATE `{history.target.database.name}`._ddb2aurora_loads SET loaded_at = loaded_at - INTERVAL 99 DAY"  # noqa: S608
    )


def names_in(history):
    return {key[0] for key in history.found()}


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_done_before_it_is_said_what_becomes_of_them(make_history, mode):
    history = make_history(mode=mode)
    backfilled(history, "old")
    before = history.tables()

    ran = history.world.run("rebuild")

    assert ran.returncode == USAGE
    assert "--backfilled keep" in ran.stderr
    assert not any("rebuild_" in name.removeprefix("_ddb2aurora_rebuild") for name in history.tables() - before)


@pytest.mark.parametrize("mode", MODES)
def test_kept_ones_lose_to_every_change_of_their_items_and_the_rest_stays(make_history, mode):
    history = make_history(mode=mode)
    changes = some_changes(60, keys=10)
    backfilled(history, "untouched", *(f"item-{number}" for number in range(10)))
    expected = history.expected(
        [
            *changes,
            *(
                a_change(item={"id": name, "n": 0, "note": "backfilled"}, stream_epoch_ms=0, sequence_number=0)
                for name in ("untouched", *(f"item-{number}" for number in range(10)))
            ),
        ]
    )
    history.backup(*changes)

    status, told = history.run("--backfilled", "keep", "--swap")

    assert (status, told["outcome"], told["backfilled_rows"]) == (FINE, "switched", 11)
    assert history.found() == expected


def test_left_ones_are_gone_and_it_is_said_loudly(history):
    backfilled(history, "old")
    changes = some_changes(10)
    history.both(*changes)

    ran = history.world.run("rebuild", "--backfilled", "leave", "--swap")

    assert ran.returncode == FINE, ran.stderr
    assert "run ddb2aurora backfill now" in ran.stdout
    assert history.found() == history.expected(changes)


def test_left_ones_are_not_brought_in_by_objects_that_were_just_loaded(history):
    rows = history.rows_of([a_change(item={"id": "old", "n": 0, "note": ""})])
    history.load_rows(row._replace(version=0) for row in rows)

    history.run("--backfilled", "leave", "--swap")

    assert history.found() == {}


def test_many_are_copied_page_by_page(make_history):
    history = make_history(
        source_key=("id", "n"), columns=(a_column("id", "varchar(40)"), a_column("n", "int"), a_column("note", "text"))
    )
    rows = history.rows_of(
        a_change(item={"id": f"k{number % 7}", "n": number, "note": ""}, key=("id", "n")) for number in range(11_000)
    )
    history.load_rows(row._replace(version=0) for row in rows)
    before = history.found()

    _, told = history.run("--backfilled", "keep", "--overlap", "1s")

    assert (told["outcome"], told["backfilled_rows"]) == ("switched", 11_000)
    assert history.found() == before


def test_to_a_point_in_time_those_are_kept_that_were_backfilled_by_then(history):
    for name, seconds in (("before", 1), ("after", 9)):
        rows = history.rows_of([a_change(item={"id": name, "n": 0, "note": ""})])
        history.load_rows(row._replace(version=0, changed_at_ms=CHANGED_AT_MS + seconds * 1000) for row in rows)
    until = datetime.fromtimestamp(CHANGED_AT_MS / 1000 + 5, UTC).isoformat()

    _, told = history.run("--until", until, "--backfilled", "keep")

    assert {key[0] for key in history.found(told["table"])} == {"before"}


def test_rows_that_lack_a_column_of_the_file_cannot_be_kept_as_they_are(history):
    backfilled(history, "old")
    history.change_file(columns=(*history.pipeline.columns, a_column("again", "bigint", source="n")))

    ran = history.world.run("rebuild", "--backfilled", "keep")

    assert ran.returncode == USAGE
    assert "--backfilled leave" in ran.stderr
