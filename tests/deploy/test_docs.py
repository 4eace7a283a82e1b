"""Pages that are made from code are committed as the code makes them."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _pages():
    spec = importlib.util.spec_from_file_location("deploy_docs", ROOT / "deploy" / "docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PAGES


@pytest.mark.parametrize("name", sorted(_pages()))
def test_a_generated_page_is_current(name):
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert committed == _pages()[name](), "run make docs"
