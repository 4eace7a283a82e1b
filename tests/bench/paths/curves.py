"""How a page shows what became of an offered load: freshness, steps and CPU time."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from benchmarking.sections import Line, Plot, Table, thousands

Step: TypeAlias = Mapping[str, Any]
"""One of what `offer_rising` returns."""
Curves: TypeAlias = Mapping[str, Sequence[Step]]
"""The steps of each curve, under its name."""

FUNCTIONS: Final = ("stream-processor", "firehose-transformer", "aurora-loader")


def most_carried(steps: Sequence[Step]) -> float:
    """Return the most changes a second that were carried, in any step."""
    return max(step["carried"] for step in steps)


def by_buffer(measured: Mapping[str, Sequence[Step]]) -> dict[str, Sequence[Step]]:
    """Return the curves of steps that are kept by the seconds of the buffer."""
    return {f"buffer {seconds} s": steps for seconds, steps in measured.items()}


def freshness_plot(name: str, curves: Curves, share: float) -> Plot:
    """Return the plot of how soon this *share* of the watched rows was there, called *name*."""
    lines = tuple(
        Line(title, [step["offered"] for step in steps], [_freshness(step, share) for step in steps])
        for title, steps in curves.items()
    )
    return Plot(
        f"freshness-{round(share * 100)}",
        f"From the item to its row: {name}",
        "changes a second, as the table took them",
        "seconds",
        lines,
        log_x=True,
        log_y=True,
    )


def steps_table(curves: Curves) -> Table:
    """Return what was offered and carried, and how fresh the rows were, step by step."""
    return Table(
        ("", "offered", "carried", "p50, s", "p95, s", "p99, s", "last row after, s"),
        tuple(
            (
                name,
                thousands(step["offered"]),
                thousands(step["carried"]) + ("" if step["is_complete"] else ", not all"),
                *(f"{_freshness(step, share):.2f}" for share in (0.5, 0.95, 0.99)),
                f"{step['tail_seconds']:.2f}",
            )
            for name, steps in curves.items()
            for step in steps
        ),
    )


def cpu_table(curves: Curves, *, compared_rate: int) -> Table:
    """Return the CPU time of a change, in µs, by who took it, at *compared_rate* and at the last rate of each curve."""
    names = sorted({name for steps in curves.values() for step in steps for name in step["cpu_seconds"]})
    ordered = [*FUNCTIONS, *(name for name in names if name not in (*FUNCTIONS, "other"))]
    rows = tuple(
        (
            f"{title}, {thousands(step['offered'])}/s",
            *(f"{1e6 * step['cpu_seconds'].get(name, 0) / step['count']:.0f}" for name in ordered),
            f"{_functions_share(step):.0%}",
        )
        for title, steps in curves.items()
        for step in steps
        if step is steps[-1] or step["rate"] == compared_rate
    )
    return Table(("", *ordered, "share of the functions"), rows)


def _freshness(step: Step, share: float) -> float:
    seen = step["freshness_seconds"]
    return seen[min(len(seen) - 1, int(len(seen) * share))] if seen else float("nan")


def _functions_share(step: Step) -> float:
    spent = step["cpu_seconds"]
    return statistics.fsum(spent.get(name, 0) for name in FUNCTIONS) / max(1e-9, statistics.fsum(spent.values()))
