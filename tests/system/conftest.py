"""One embedded stack for all system tests, and a page of the reference pipeline for each."""

import uuid
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("outside")

from outside import Page, Stack, running_stack  # noqa: E402 - its assertions are rewritten only if they are not loaded yet


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def page(stack: Stack) -> Page:
    return Page(stack, f"page-{uuid.uuid4().hex}")
