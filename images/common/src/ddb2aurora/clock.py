"""The clock: read by handlers and command lines, handed on as a value from there."""

import time


def clock_ms() -> int:
    """Return the time in ms since 1970 (UTC)."""
    return time.time_ns() // 1_000_000
