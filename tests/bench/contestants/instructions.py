"""Go a hot path so many times, for valgrind to count: instructions.py PATH TIMES; `json` is that of the library."""

import gc
import io
import json
import logging
import sys
from collections.abc import Callable
from contextlib import redirect_stdout

from benchmarking.workloads import SHAPES, changes, reference_pipeline
from costs import PATHS

from ddb2aurora.envelope import encode_change

CHANGES = 200


def through_json() -> tuple[Callable[[], object], int]:
    lines = [encode_change(change) for change in changes(SHAPES[0], CHANGES, pipeline=reference_pipeline())]
    return lambda: [json.dumps(json.loads(line)) for line in lines], CHANGES


def main(path: str, times: str) -> None:
    logging.disable()
    gc.disable()
    work, _ = through_json() if path == "json" else PATHS[path]()
    with redirect_stdout(io.StringIO()):
        for _ in range(int(times)):
            work()


if __name__ == "__main__":
    main(*sys.argv[1:])
