"""
The project's templates, deployed by its own scripts into an emulated account. Asked for by `make test-system` alone.

What cannot run here fails: there is no skipping. Neither this folder nor what it uses imports a package of the project.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    "containers", "deployed_day", "deployed_emulator", "deployed_pages", "deployed_setup", "deployed_stack", "outside"
)

from deployed_day import Day  # noqa: E402 - its assertions are to be rewritten
from deployed_setup import running_deployment  # noqa: E402 - as above

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    asked_for = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(HERE) for path in asked_for) else True


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with running_deployment(tmp_path_factory.mktemp("deployed")) as deployment:
        yield Day(deployment)
