"""Plots as small SVG files, the same bytes for the same figures."""

from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarking.sections import Line, Plot

_WIDTH: Final = 0.8  # of all bars at one place


def draw(plot: Plot, to: Path) -> None:
    """Draw *plot* into the file *to*."""
    # Text stays text, and names inside the file are the same each time.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ddb2aurora", "font.size": 9})
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
    if plot.log_y:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="y", alpha=0.3)
    if len(plot.lines) > 1:
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


def _line(axes, line: Line, _number: int, _count: int) -> None:
    axes.errorbar(
        line.x, line.y, yerr=_errors(line), label=line.name, marker="o", markersize=3, capsize=2, linewidth=1.2
    )
