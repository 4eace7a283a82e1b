"""
The built images, as a Docker engine runs them. Asked for by `make test-images` alone: no other run collects them.

What cannot run here fails: there is no skipping.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("containers")

from containers import BASE, RIE, STAGES, Sandbox, docker  # noqa: E402 - its assertions are to be rewritten

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    asked_for = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(HERE) for path in asked_for) else True


@pytest.fixture(scope="session", autouse=True)
def _everything_is_built() -> None:
    for image in (BASE, *(stage.image for stage in STAGES)):
        docker("image", "inspect", image, hint="make images")
    assert RIE.is_file(), f"{RIE} is missing: make test-images puts it there"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as own:
        yield own
