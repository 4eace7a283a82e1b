"""What a part has to say of its measurements: goals, tables, plots and words."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from benchmarking.interleave import Spread


class Goal(NamedTuple):
    """A goal beside its figure. One that is not met says what bounds it and what was tried: *bound*."""

    text: str
    figure: str
    met: bool
    bound: str = ""


class Line(NamedTuple):
    """
    One line, or one group of bars; *low* and *high* are the ends of the bars of error.

    With a *slope* points are drawn, and through those from *fitted_from* on the power law of that exponent, which is a
    straight line where both axes are logarithmic.
    """

    name: str
    x: Sequence[float | str]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    slope: float | None = None
    fitted_from: float = 0

    @classmethod
    def of_spreads(cls, name: str, x: Sequence[float | str], found: Sequence[Spread]) -> "Line":
        """Return the line through the medians of *found*, with their quartiles as bars of error."""
        y, low, high = zip(*found, strict=True)
        return cls(name, x, y, low, high)


class Plot(NamedTuple):
    """
    A plot; *name* becomes part of its file's. A *level* is drawn as a line across.

    *ticks* are places on the axis across and their names, in place of those that suit its numbers.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    kind: Literal["lines", "bars"] = "lines"
    log_x: bool = False
    log_y: bool = False
    level: float | None = None
    ticks: Sequence[tuple[float, str]] = ()


class Table(NamedTuple):
    """A table; all columns but the first are set to the right."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Section(NamedTuple):
    """A part of the page; a block that is text is a paragraph."""

    goals: tuple[Goal, ...]
    blocks: tuple[str | Table | Plot, ...]


def thousands(value: float) -> str:
    """Return a rate as people read it: three significant digits, with commas."""
    return f"{float(f'{value:.3g}'):,.0f}"


def times(found: Spread) -> str:
    """Return a ratio with its quartiles."""
    return f"{found.median:.2f} × ({found.low:.2f} – {found.high:.2f})"


def rate(found: Spread) -> str:
    """Return a rate with its quartiles."""
    return f"{thousands(found.median)} ({thousands(found.low)} – {thousands(found.high)})"


def exponent(value: float) -> str:
    """Return an exponent with two digits; one that rounds to zero has no sign."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
