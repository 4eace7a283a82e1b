"""
Settings out of the environment: read once, all mistakes reported together, secrets never printed.

Each stage has one frozen `Settings` with a `from_env`, which uses a `SettingsReader`. Nothing else reads it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ddb2aurora.errors import HaltError
from ddb2aurora.metrics import NAMESPACE

DEFAULT_PIPELINES_FOLDER: Final = "/opt/ddb2aurora/pipelines"  # where the images carry them
_LOG_LEVELS: Final = ("INFO", "DEBUG", "WARNING", "ERROR")


class SettingsError(HaltError):
    """Settings are missing or bad; the text names every one of them and what it should be."""


class Secret:
    """A text that shows as *** wherever it is printed; `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Hide *text*."""
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def process_environment() -> Mapping[str, str]:
    """Return the environment of this process; only handlers and command lines call this, to build their settings."""
    return os.environ  # noqa: TID251 - the one place that reads it


class SettingsReader:
    """
    Read variables one by one and collect what is wrong; `finish` raises it all at once.

    Each method returns a usable value even when it reports a mistake, so that reading goes on to the next variable.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read from *environment*; an empty variable counts as missing."""
        self._environment = environment
        self._problems: list[str] = []

    def optional(self, name: str) -> str | None:
        """Return the variable, or None when it is missing."""
        return self._environment.get(name) or None

    def text(self, name: str, *, what: str, default: str | None = None) -> str:
        """Return the variable; *what* tells an operator what belongs there."""
        value = self._environment.get(name) or default
        if value is None:
            self.report(f"{name} is missing: set it to {what}")
            return ""
        return value

    def integer(self, name: str, *, what: str, low: int, high: int, default: int | None = None) -> int:
        """Return the variable as a whole number from *low* to *high*."""
        value = self._environment.get(name)
        if not value and default is not None:
            return default
        try:
            number = int(value or "")
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            self.report(f"{name} is {value!r}: set it to {what}, a whole number from {low} to {high}")
            return low
        return number

    def choice(self, name: str, *, what: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """Return the variable, which must be one of *choices*."""
        value = self._environment.get(name) or default
        if value not in choices:
            self.report(f"{name} is {value!r}: set it to {what}, one of {', '.join(choices)}")
            return choices[0]
        return value

    def log_level(self) -> str:
        """Return LOG_LEVEL, INFO by default."""
        return self.choice("LOG_LEVEL", what="the lowest level to log", choices=_LOG_LEVELS, default="INFO")

    def metrics_namespace(self) -> str:
        """Return METRICS_NAMESPACE, by default that of the project; each deployment of an account has its own."""
        return self._environment.get("METRICS_NAMESPACE") or NAMESPACE

    def pipelines_folder(self) -> Path:
        """Return PIPELINES_FOLDER, by default where the images carry the compiled pipelines."""
        return Path(self._environment.get("PIPELINES_FOLDER") or DEFAULT_PIPELINES_FOLDER)

    def report(self, problem: str) -> None:
        """Add a mistake that only shows between variables."""
        self._problems.append(problem)

    def finish(self) -> None:
        """
        End the reading.

        Raises:
            SettingsError: Something was missing or bad.
        """
        if self._problems:
            raise SettingsError("bad settings:\n  " + "\n  ".join(self._problems))
