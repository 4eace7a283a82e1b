"""
A writer in a process of its own: `python -m paths.writing SETTINGS` puts new items, so many a second.

It makes its items first and says "ready"; told "go", it puts them and says, as JSON, when (on the clock that all
processes share) it began and ended, when each watched item was taken, and what CPU time that took.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import boto3
from benchmarking.machine import ROOT
from benchmarking.workloads import SHAPES, items, reference_pipeline
from botocore.config import Config

from ddb2aurora.codec import encode_item

BATCH: Final = 25  # DynamoDB: BatchWriteItem takes at most 25 writes
WRITERS: Final = 2
_SHAPE: Final = SHAPES[0]
_CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 5}, parameter_validation=False)


class Written(NamedTuple):
    """What writers did: when they *began* and *ended*, when each watched key was taken, and their CPU time."""

    began: float
    ended: float
    taken: Mapping[tuple[str, ...], float]
    cpu_seconds: float


def keys_of(first: int, count: int, *, every: int) -> list[tuple[str, ...]]:
    """Return the keys of every so manieth batch's last item, as a writer of *count* items from *first* watches them."""
    key = reference_pipeline().source_key
    made = items(_SHAPE, count, first=first)
    return [tuple(made[last][name] for name in key) for last in range(BATCH - 1, count, BATCH * every)]


class Writers:
    """Some writers that share *count* items; made ready when this is made."""

    def __init__(self, environment: Mapping[str, str], *, first: int, count: int, rate: int, every: int) -> None:
        share = count // WRITERS
        self.keys = [key for number in range(WRITERS) for key in keys_of(first + number * share, share, every=every)]
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "paths.writing"),
                    json.dumps(
                        {
                            "url": environment["AWS_ENDPOINT_URL"],
                            "region": environment["AWS_REGION"],
                            "first": first + number * share,
                            "count": share,
                            "rate": rate / WRITERS,
                            "every": every,
                        }
                    ),
                ],
                cwd=ROOT / "tests" / "bench",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(WRITERS)
        ]
        for process in self._processes:
            _line(process)

    def go(self) -> None:
        """Let them write."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.write("go\n")
                process.stdin.flush()

    def end(self) -> Written:
        """Wait until all is written."""
        told = [json.loads(_line(process)) for process in self._processes]
        for process in self._processes:
            process.communicate()
        return Written(
            min(each["began"] for each in told),
            max(each["ended"] for each in told),
            {tuple(key): at for each in told for key, at in each["taken"]},
            sum(each["cpu_seconds"] for each in told),
        )


def _line(process: "subprocess.Popen[str]") -> str:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise RuntimeError(f"a writer ended with {process.wait()}; its own words stand above")
    return line


def main(settings: Mapping[str, Any]) -> None:
    """Write as *settings* say."""
    pipeline = reference_pipeline()
    made = items(_SHAPE, settings["count"], first=settings["first"])
    client = boto3.client(
        "dynamodb",
        endpoint_url=settings["url"],
        region_name=settings["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=_CONFIG,
    )
    groups = [made[start : start + BATCH] for start in range(0, len(made), BATCH)]
    requests = [[{"PutRequest": {"Item": encode_item(item)}} for item in group] for group in groups]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began, cpu = time.monotonic(), time.process_time()
    taken: list[tuple[Sequence[str], float]] = []
    for number, batch in enumerate(requests):
        pause = began + number * BATCH / settings["rate"] - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        while batch:
            answer = client.batch_write_item(RequestItems={pipeline.source_table: batch})
            batch = answer.get("UnprocessedItems", {}).get(pipeline.source_table, [])  # noqa: PLW2901 - what is left
        if number % settings["every"] == 0:
            taken.append(([groups[number][-1][name] for name in pipeline.source_key], time.monotonic()))
    told = {"began": began, "ended": time.monotonic(), "taken": taken, "cpu_seconds": time.process_time() - cpu}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
