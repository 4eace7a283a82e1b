"""Handlers that the tests of the runtime start in processes of their own."""

import logging
import os
import sys
import time
from decimal import Decimal
from pathlib import Path


def echo(event, _context):
    return event


def describe(_event, context):
    logging.getLogger().warning("a log line")
    return {
        "environment": dict(os.environ),  # noqa: TID251 - the environment is what the test asks for
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "invoked_function_arn": context.invoked_function_arn,
        "aws_request_id": context.aws_request_id,
        "log_group_name": context.log_group_name,
        "remaining_ms": context.get_remaining_time_in_millis(),
    }


def work(event, _context):
    """Do what the event asks for, one thing at a time."""
    if "raise" in event:
        raise ValueError(event["raise"])
    if "exit" in event:
        sys.exit(event["exit"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "mark" in event:
        with Path(event["mark"]).open("a") as marks:
            marks.write(f"{os.getpid()}\n")
    if "print" in event:
        print(event["print"])  # noqa: T201 - the output of a function is its log
    if "bytes" in event:
        return "x" * event["bytes"]
    return os.getpid()


def results(event, _context):
    return {
        "decimal": Decimal("1.10"),
        "bytes": b"text",
        "tuple": (1, 2),
        "not a number": float("nan"),
        "event": [type(value).__name__ for value in event],
    }


def unmarshallable(_event, _context):
    return {"set": {1}}
