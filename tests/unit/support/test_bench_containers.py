"""What the benchmark of the containers says where there are none."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]


def test_without_an_engine_it_names_the_commands_that_get_one_and_its_images(tmp_path: Path):
    environment = {
        **os.environ,  # noqa: TID251 - a child gets what this process was given
        "PYTHONPATH": os.pathsep.join(str(TESTS / folder) for folder in ("support", "bench")),
        "DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock",
    }

    asked = subprocess.run(
        [sys.executable, "-c", "from paths.containers import prepare; prepare()"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.returncode == 1
    assert asked.stderr.splitlines()[-1] == (
        "paths.containers.NoContainersError: no Docker engine answers; `make engine` starts one with compose, and "
        "installs it where it may; where no image registry is reached, `make offline-images images` builds all "
        "images from packages"
    )
