"""What the pages tell people to type exists, and what they link to is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operator_cli.arguments import arguments_from
from operator_cli.registry import load_command

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# An event is written with a space behind the colon; what a function answers has none.
EVENT = re.compile(r'\{"command": ')


def events_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield each event for the operator function that a page shows."""
    for found in EVENT.finditer(text):
        event, _ = json.JSONDecoder().raw_decode(text, found.start())
        yield event


EVENTS = {json.dumps(event): event for page in PAGES for event in events_in(page.read_text(encoding="utf-8"))}


def prose(page: Path) -> str:
    """Return a page without what stands between fences."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return what a link into a page may name: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_an_event_that_a_page_shows_is_understood_by_its_command(event: dict[str, Any]):
    command = load_command(event["command"])

    arguments = arguments_from(event.get("options", {}), command=command)

    # Parsed, and not run.
    assert command.make_context(event["command"], arguments).info_name == event["command"]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_link_to_a_page_leads_to_it(page: Path):
    astray = []
    for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(page)):
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        outside = re.match(r"[a-z]+:", link)
        if not outside and (not target.exists() or (anchor and anchor not in anchors(target))):
            astray.append(link)

    assert astray == []
