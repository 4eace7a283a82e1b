"""Plots as small SVG files, the same bytes for the same figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarking.growth import fit
from benchmarking.sections import Line, Plot, exponent

_WIDTH: Final = 0.8  # of all bars at one place
_LEAST_SPAN: Final = 10  # a cost that stays looks as if it did: the axis is at least a decade high
_ROOM: Final = 1.3
_MARKERS: Final = "osD^v"


def draw(plot: Plot, to: Path) -> None:
    """Draw *plot* into the file *to*."""
    # Text stays text, and names inside the file are the same each time.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ddb2aurora", "font.size": 9})
    is_fitted = any(line.slope is not None for line in plot.lines)
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    for number, line in enumerate(plot.lines):
        (_bars if plot.kind == "bars" else _line)(axes, line, number, len(plot.lines))
    if plot.kind == "bars":
        axes.set_xticks(range(len(plot.lines[0].x)), [str(x) for x in plot.lines[0].x])
    if plot.level is not None:
        axes.axhline(plot.level, color="black", linewidth=0.8, linestyle="--")
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    if plot.log_x:
        axes.set_xscale("log")
    if plot.ticks:
        axes.set_xticks(*zip(*plot.ticks, strict=True))
        axes.xaxis.set_minor_locator(NullLocator())
    if plot.log_y:
        axes.set_yscale("log")
        if is_fitted:
            _show_a_decade(axes, plot.lines)
    else:
        axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="y", which="both" if is_fitted else "major", alpha=0.3)
    if len(plot.lines) > 1 or is_fitted:
        axes.legend(fontsize=8)
    figure.savefig(to, format="svg", metadata={"Date": None, "Creator": None})
    # Lines that end in blanks are no good in a repository.
    to.write_text(
        "".join(f"{text.rstrip()}\n" for text in to.read_text(encoding="utf-8").splitlines()), encoding="utf-8"
    )


def _errors(line: Line) -> list[list[float]] | None:
    if not line.low:
        return None
    below = [max(0.0, y - low) for y, low in zip(line.y, line.low, strict=True)]
    return [below, [max(0.0, high - y) for y, high in zip(line.y, line.high, strict=True)]]


def _bars(axes, line: Line, number: int, count: int) -> None:
    width = _WIDTH / count
    places = [place - _WIDTH / 2 + width * (number + 0.5) for place in range(len(line.x))]
    axes.bar(places, line.y, width, yerr=_errors(line), label=line.name, error_kw={"linewidth": 0.8})


def _line(axes, line: Line, number: int, _count: int) -> None:
    if line.slope is not None:
        _points_and_fit(axes, line, number)
        return
    axes.errorbar(
        line.x, line.y, yerr=_errors(line), label=line.name, marker="o", markersize=3, capsize=2, linewidth=1.2
    )


def _points_and_fit(axes, line: Line, number: int) -> None:
    points = axes.errorbar(
        line.x,
        line.y,
        yerr=_errors(line),
        label=f"{line.name}: slope {exponent(line.slope)}",
        linestyle="none",
        marker=_MARKERS[number % len(_MARKERS)],
        markersize=4.5,
        capsize=2.5,
        elinewidth=1,
    )
    fitted = [(x, y) for x, y in zip(line.x, line.y, strict=True) if x >= line.fitted_from]
    law = fit(*zip(*fitted, strict=True), slope=line.slope)
    ends = [fitted[0][0], fitted[-1][0]]
    axes.plot(ends, [law.at(end) for end in ends], color=points[0].get_color(), linewidth=1.1, alpha=0.6)


def _show_a_decade(axes, lines: Sequence[Line]) -> None:
    low = min(min(line.low or line.y) for line in lines) / _ROOM
    high = max(max(line.high or line.y) for line in lines) * _ROOM
    missing = max(1.0, _LEAST_SPAN / (high / low)) ** 0.5
    axes.set_ylim(low / missing, high * missing)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
