"""How large each image is and how fast it starts; printed, and written to the file that IMAGE_TABLE names."""

import os
import time
from pathlib import Path

import pytest
from containers import (
    AURORA_LOADER,
    BASE,
    FIREHOSE_TRANSFORMER,
    FUNCTIONS,
    OPERATOR,
    STAGES,
    STREAM_PROCESSOR,
    Sandbox,
    Stage,
    docker,
    in_image,
)

MEGABYTE = 1_000_000
# The operator is no function that starts in a hurry: rich and typer bring 20 MB of pydantic and pygments with them.
MOST_MEGABYTES = {STREAM_PROCESSOR: 40, FIREHOSE_TRANSFORMER: 25, AURORA_LOADER: 40, OPERATOR: 65}
TIMES = 5
PREFACE = """# Image sizes and start-up

Made by `make image-table` on one machine of two cores; times are the best of five. The last column holds the engine's
own start of a container as well.
"""
IMPORT_TIME = """
import importlib, sys, time
started = time.perf_counter()
importlib.import_module(sys.argv[1])
print((time.perf_counter() - started) * 1000)
"""


def own_megabytes(stage: Stage) -> float:
    sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", image)) for image in (stage.image, BASE)]
    return (sizes[0] - sizes[1]) / MEGABYTE


def import_ms(stage: Stage) -> float:
    module = "operator_cli.command_line" if stage == OPERATOR else stage.handler.removesuffix(".handler")
    return min(float(in_image(stage, "python3", "-c", IMPORT_TIME, module)) for _ in range(TIMES))


def first_answer_ms(stage: Stage) -> float:
    """Return the time from the start of a container to its first answer, asking the engine included."""
    with Sandbox() as sandbox:
        started = time.perf_counter()
        sandbox.function(stage).invoke({})
        return (time.perf_counter() - started) * 1000


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_what_an_image_adds_to_its_base_is_small(stage: Stage):
    size = own_megabytes(stage)

    assert size < MOST_MEGABYTES[stage]


def test_sizes_and_starts_are_told(capsys: pytest.CaptureFixture[str]):
    lines = ["| image | on top of the base | import | start to first answer |", "|---|---|---|---|"]
    for stage in STAGES:
        first = f"{min(first_answer_ms(stage) for _ in range(TIMES)):.0f} ms" if stage in FUNCTIONS else "–"
        lines.append(f"| `{stage.name}` | {own_megabytes(stage):.1f} MB | {import_ms(stage):.0f} ms | {first} |")
    table = "\n".join(lines) + "\n"

    with capsys.disabled():
        print(f"\n{table}")  # noqa: T201 - the measurement is what this test is for
    to = os.environ.get("IMAGE_TABLE")  # noqa: TID251 - a setting of the tests
    if to:
        Path(to).write_text(f"{PREFACE}\n{table}", encoding="utf-8")
