"""What people see in a table of 80 columns, as in a pipe: nothing is cut off."""

from collections.abc import Iterable

import pytest
from builders import dynamodb_json

from operator_cli.frame import Result, show
from operator_cli.planning.profile import Profile
from operator_cli.planning.report import Plan
from operator_cli.rebuilding.counts import Counts
from operator_cli.rebuilding.report import Report as Rebuilt
from operator_cli.verifying.report import Report as Verified


@pytest.fixture
def shown(capsys, monkeypatch):
    """Return what is shown of a result in 80 columns, without the blanks and the lines between the cells."""
    monkeypatch.setenv("COLUMNS", "80")

    def show_it(result: Result) -> str:
        show(result, as_json=False)
        return capsys.readouterr().out

    return show_it


def cells(text: str) -> Iterable[tuple[str, ...]]:
    """Return the columns of the table in *text*, each as one text."""
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line[:1] == "│"]
    return ["".join(column) for column in zip(*rows, strict=True)]


def test_a_plan_shows_each_place_by_its_whole_name(shown):
    profile = Profile("things", {"id": "S"})
    profile.add([dynamodb_json({"id": "a", "customer_address": {"geographic_coordinates": {"latitude": "x"}}})])

    text = shown(Plan(profile=profile, source="t", is_whole=True, was_interrupted=False, read_units=1, seconds=1))

    places = "id|customer_address|customer_address.geographic_coordinates"
    assert cells(text)[0] == f"{places}|customer_address.geographic_coordinates.latitude".replace("|", "")


def test_a_verification_shows_each_key_whole(shown):
    key = {"id": "k" * 100}
    finding = {"kind": "missing", "state": "confirmed", "key_hash": "h", "key": key, "columns": [], "note": ""}

    text = shown(Verified("r", True, 1, 1, 0, 0, 1, 1, findings=(finding,)))

    assert cells(text)[2] == '{"id":"' + "k" * 100 + '"}'


def test_a_rebuild_shows_each_number_whole(shown):
    many = Counts(objects=12_345_678, rows=23_456_789, no_trace=34_567_890, heartbeats=45_678_901, later=56_789_012)

    text = shown(Rebuilt(outcome="counted", target="d.t", found=many, caught_up=Counts(), seconds=1))

    assert [cell.removesuffix("0") for cell in cells(text)[1:7]] == [
        "12,345,678",
        f"{many.changes:,}",
        "23,456,789",
        "34,567,890",
        "45,678,901",
        "56,789,012",
    ]
