"""
The whole pipeline in containers, brought up by testcontainers. Asked for by `make test-system` alone.

What cannot run here fails: there is no skipping.
"""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("outside", "compose_stack")

from compose_stack import ComposeStack, running_compose  # noqa: E402 - its assertions are to be rewritten
from outside import Page, Stack  # noqa: E402 - as above

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    asked_for = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(HERE) for path in asked_for) else True


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    with running_compose(tmp_path_factory.mktemp("compose")) as running:
        yield running


@pytest.fixture
def stack(compose: ComposeStack) -> Iterator[Stack]:
    # Connected anew for each test: one of them kills the database.
    with contextlib.closing(compose.connect()) as connected:
        yield connected


@pytest.fixture
def page(stack: Stack) -> Page:
    return Page(stack, f"page-{uuid.uuid4().hex}")
