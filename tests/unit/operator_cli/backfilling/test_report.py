"""What a backfill says of itself, and its status."""

from collections import Counter

import pytest

from operator_cli.backfilling.report import Backfilled
from operator_cli.backfilling.segments import InFlight, Run, Segment
from operator_cli.backfilling.watching import lasting


def a_run(*, state="written", reasons=None):
    segments = (
        Segment(0, items=30, objects=2, read_units=5.5, reasons=Counter(reasons or {}), state="written"),
        Segment(1, items=12, objects=1, read_units=1.0, state=state),
    )
    return Run("r1", "scan", "shape", segments)


def a_report(run=None, *, found=None, **parts):
    arguments = {"resumed": False, "items_now": 42, "seconds": 2.0, "waited": True, "why": "", **parts}
    return Backfilled.of(run or a_run(), found=found or InFlight(0, {}, (), 3), **arguments)


def test_a_run_that_is_written_and_loaded_is_fine_and_complete():
    report = a_report()

    assert report.exit_code == 0
    assert report.as_json() == {
        "run_id": "r1",
        "source": "scan",
        "segments": 2,
        "resumed": False,
        "complete": True,
        "items": 42,
        "items_now": 42,
        "rows": 42,
        "rejected": 0,
        "reasons": {},
        "objects": 3,
        "objects_missing": 0,
        "objects_refused": 0,
        "missing": [],
        "read_units": 6.5,
        "seconds": 2.0,
        "items_per_second": 21.0,
    }


@pytest.mark.parametrize(
    ("report", "status", "said"),
    [
        (a_report(a_run(reasons={"misfit": 2})), 1, "rejected 2: misfit"),
        (a_report(found=InFlight(1, {}, ("s3://b/k",), 2), why="nobody loads"), 1, "NOT LOADED: nobody loads"),
        (a_report(found=InFlight(1, {1: 1}, ("s3://b/k",), 2)), 1, "REFUSED 1 objects"),
        (a_report(a_run(state="reading")), 0, "not all of it is read yet"),
        (a_report(found=InFlight(1, {}, ("s3://b/k",), 2), waited=False), 0, "written; the loader is told"),
    ],
)
def test_what_is_not_fine_is_said_and_told_by_the_status(report, status, said):
    assert report.exit_code == status
    assert any(line.startswith(said) for line in report.for_people())


@pytest.mark.parametrize(
    "report", [a_report(a_run(state="reading")), a_report(found=InFlight(1, {}, ("s3://b/k",), 2), waited=False)]
)
def test_what_is_left_to_do_is_not_complete(report):
    assert report.as_json()["complete"] is False


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (90_060, "25 h 1 min")]
)
def test_a_duration_is_said_in_two_units_at_most(seconds, text):
    assert lasting(seconds) == text
