"""Ages as an operator writes them: 15m, 12h, 7d."""

import re
from typing import Final

import typer

_AGE: Final = re.compile(r"([1-9]\d{0,5})([smhdw])", re.ASCII)
_UNIT_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}

_MOST_MS: Final = 36_500 * 86_400_000  # so that now less an age is a time


def age_in_ms(text: str) -> int:
    """
    Return the age that *text* says, such as 12h, 7d or 2w.

    Raises:
        BadParameter: It says none.
    """
    match = _AGE.fullmatch(text.strip())
    if match is None:
        # The text says which of several options is meant.
        raise typer.BadParameter(f"an age is a number and one of s, m, h, d, w, such as 7d, and not {text!r}")
    age_ms = int(match[1]) * _UNIT_MS[match[2]]
    if age_ms > _MOST_MS:
        raise typer.BadParameter(f"an age has 36500 days at most, and not {text!r}")
    return age_ms
