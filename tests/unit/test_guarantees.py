"""The page of guarantees names tests that exist, and every guarantee is held by one and says what it does not cover."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)+)", PAGE, re.MULTILINE))
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE)))


@pytest.mark.parametrize("name", NAMED)
def test_what_the_page_names_is_there(name):
    path, _, test = name.partition("::")

    assert (ROOT / path).is_file()
    assert not test or f"\ndef {test}(" in (ROOT / path).read_text()


@pytest.mark.parametrize("title", SECTIONS)
def test_every_guarantee_is_held_by_a_test_and_has_its_limits(title):
    held, limits, _ = SECTIONS[title].partition("*Not guaranteed:*")

    assert re.search(r"`tests/[^`]+`", held)
    assert limits


def test_every_section_is_read_and_the_readme_leads_here():
    assert len(SECTIONS) == PAGE.count("\n## ")
    assert "[docs/guarantees.md](docs/guarantees.md)" in (ROOT / "README.md").read_text()
