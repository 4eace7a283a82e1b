"""
Load objects with the handler of the loader, and tell what memory that took.

One request a line on standard input ({"bucket": ..., "key": ..., "size": ...}), one answer a line on file descriptor 3:
the resident memory before, and at its peak. Settings of the function come from the environment, as they do in Lambda.
"""

import json
import os
import re
import sys
from pathlib import Path

from aurora_loader.handler import handler

_PEAK, _NOW = "VmHWM", "VmRSS"


class Context:
    """An invocation without end."""

    aws_request_id = "bench"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def memory(kind: str) -> int:
    """Return the bytes that the kernel tells of under the name *kind*."""
    found = re.search(rf"^{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def main() -> None:
    answers = os.fdopen(3, "w")
    for line in sys.stdin:
        request = json.loads(line)
        described = {"key": request["key"], "size": request["size"], "eTag": request["etag"]}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "awsRegion": "us-east-1"}
        event = {"Records": [{**record, "s3": {"bucket": {"name": request["bucket"]}, "object": described}}]}
        Path("/proc/self/clear_refs").write_text("5")  # the peak is from now on
        before = memory(_NOW)
        handler(event, Context())
        answers.write(json.dumps({"before": before, "peak": memory(_PEAK)}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
