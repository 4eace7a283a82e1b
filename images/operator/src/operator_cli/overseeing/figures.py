"""Figures for people: how long something takes, how long ago it was, and how much there is of it."""

from typing import Final

_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def span(duration_ms: float) -> str:
    """Return a duration in the one unit that says most: 0.4 s, 12 s, 5 min, 3 h, 2 d."""
    seconds = max(0.0, duration_ms / 1000)
    for size, unit in _STEPS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{int(seconds)} s"  # noqa: PLR2004 - from there tenths say nothing


def ago(moment_ms: int | None, *, now_ms: int) -> str:
    """Return how long before *now_ms* a moment was; never when there is none."""
    return "never" if moment_ms is None else f"{span(now_ms - moment_ms)} ago"


def size(number_bytes: int) -> str:
    """Return a number of bytes in the unit that says most."""
    amount = float(number_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - a thousand of each are one of the next
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"  # noqa: PLR2004 - as above
        amount /= 1000
    return f"{amount:.1f} TB"


def many(number: int, noun: str) -> str:
    """Return *number* with its *noun*, which gets an s unless there is one: 1 event, 1,234 events."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
