"""What the emulated account carries of the templates, resource by resource, and what not."""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from deployed_day import Day
from deployed_pages import settle
from deployed_tables import CARRIED, LEFT_OUT, MADE, Fate, fates, superfluous, table

pytestmark = pytest.mark.timeout(600)

SAID = yaml.safe_load((Path(__file__).parent / "carried.yaml").read_text(encoding="utf-8"))
PREFACE = """# The templates on an emulator

Made by `make deployed-pages`: the templates of `deploy/aws`, deployed by their own scripts into an emulated account
(MiniStack). AWS itself has run none of it yet.

- **carried**: made, and the test shows that it works; what of it does not is said.
- **kept**: made and described as it was asked for; nothing there acts on it.
- **replaced**: made, but something else does its work.
- **left out**: not made, by an option of the templates.

Besides, MiniStack is mended where it keeps the templates from working: `tests/support/mended_ministack.py` says where.
"""


@pytest.fixture(scope="module")
def expected() -> list[Fate]:
    return fates(SAID)


def test_every_resource_that_is_said_to_be_made_is_there_and_no_other(day: Day, expected: list[Fate]):
    made, said = set(day.done.made), {fate.name for fate in expected if fate.how in MADE}

    assert {"made": sorted(made - said), "not made": sorted(said - made)} == {"made": [], "not made": []}


def test_every_resource_is_complete(day: Day):
    states = Counter(
        each.status for stacks in day.done.stacks.values() for stack in stacks for each in day.done.resources(stack)
    )

    assert states.keys() <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_what_is_not_carried_has_its_reason(expected: list[Fate]):
    assert [fate.name for fate in expected if fate.how != CARRIED and not fate.why] == []


def test_nothing_is_said_of_what_the_templates_do_not_have():
    assert superfluous(SAID) == []


def test_the_page_lists_what_is_not_carried(expected: list[Fate], capsys: pytest.CaptureFixture[str]):
    counts = Counter(fate.how for fate in expected)
    total = ", ".join(f"{counts[how]} {how}" for how in (*sorted(MADE), LEFT_OUT))
    rows = [
        (f"{fate.template}.yaml", f"`{fate.logical}`", fate.type.removeprefix("AWS::"), fate.how, fate.why)
        for fate in expected
        if fate.how != CARRIED or fate.why
    ]
    listed = table(("template", "resource", "type", "how", "why"), rows)
    with capsys.disabled():
        print(f"\n{len(expected)} resources: {total}\n{listed}")  # noqa: T201 - what this test is for

    settle("emulator.md", f"{PREFACE}\nOf {len(expected)} resources: {total}.\n\n{listed}")
