"""The tables and the plot that the loader's part of the page is made of."""

from collections.abc import Mapping
from typing import Any

from benchmarking.interleave import Samples, Spread, ratio, spread, wall_ratio
from benchmarking.sections import Line, Plot, Table, thousands, times

from loading.contests import OURS, STRAIGHT
from loading.statements import STEPS

Found = Mapping[str, Mapping[str, Samples]]
"""Samples by case and by way."""
SIDES = ("server", "client")


def samples_of(kept: Mapping[str, Any]) -> dict[str, dict[str, Samples]]:
    """Return the samples of each case that was kept."""
    return {
        name: {way: Samples.from_json(samples) for way, samples in found["samples"].items()}
        for name, found in kept.items()
    }


def side_ratio(found: Mapping[str, Samples], side: str) -> Spread:
    """Return how many times as fast as the straight load ours is in CPU time, both read by *side*."""
    return ratio(found[f"{OURS} {side}"], found[f"{STRAIGHT} {side}"])


def empty_table(kept: Mapping[str, Any], empty: Found) -> Table:
    """Return the table of loads into an empty table."""
    heads = ("object, MiB", "rows", "rows/s", "server, CPU", "server, wall", "LOCAL, CPU", "LOCAL, wall")
    rows = []
    for size, found in empty.items():
        ratios = [
            times(compare(found[f"{OURS} {side}"], found[f"{STRAIGHT} {side}"]))
            for side in SIDES
            for compare in (ratio, wall_ratio)
        ]
        count = kept[size]["rows"]
        rows.append((size, f"{count:,}", _rows_a_second(count, found[f"{OURS} server"]), *ratios))
    return Table(heads, tuple(rows))


def parallel_table(kept: Mapping[str, Any], empty: Found) -> Table:
    """Return the table of loads by several connections, beside one and beside ours."""
    rows = []
    for size, found in empty.items():
        ways = [way for way in found if way.endswith("connections")]
        for way in (f"{OURS} client", f"{STRAIGHT} client", *ways) if ways else ():
            title = {f"{OURS} client": "ours", f"{STRAIGHT} client": "1 connection"}.get(way, way)
            ours = found[f"{OURS} client"]
            rows.append(
                (
                    f"{size}, {title}",
                    _rows_a_second(kept[size]["rows"], found[way]),
                    times(ratio(ours, found[way])),
                    times(wall_ratio(ours, found[way])),
                )
            )
    return Table(("object, MiB, way", "rows/s", "ours is faster, CPU", "wall"), tuple(rows))


def full_table(kept: Mapping[str, Any], full: Found) -> Table:
    """Return the table of loads into a million rows."""
    return Table(
        ("keys, MiB", "rows", "rows/s", "CPU", "wall"),
        tuple(
            (
                name,
                f"{kept[name]['rows']:,}",
                _rows_a_second(kept[name]["rows"], found[OURS]),
                times(ratio(found[OURS], found[STRAIGHT])),
                times(wall_ratio(found[OURS], found[STRAIGHT])),
            )
            for name, found in full.items()
        ),
    )


def upserts_table(rows: int, found: Mapping[str, Samples]) -> Table:
    """Return the table of upserts out of Python."""
    return Table(
        ("way", "rows/s", "ours is faster, CPU", "wall"),
        tuple(
            (
                name,
                _rows_a_second(rows, samples),
                times(ratio(found[OURS], samples)),
                times(wall_ratio(found[OURS], samples)),
            )
            for name, samples in found.items()
        ),
    )


def steps_table(apart: Mapping[str, Any]) -> Table:
    """Return the table of what each step of a load takes."""

    def figures(seconds: Mapping[str, float]) -> str:
        return f"{seconds['cpu_seconds'] * 1e3:.1f} ({seconds['wall_seconds'] * 1e3:.1f})"

    def total(steps: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        return {kind: sum(step[kind] for step in steps.values()) for kind in ("cpu_seconds", "wall_seconds")}

    rows = [(step, *(figures(steps[step]) for steps in apart.values())) for step in STEPS]
    rows.append(("**all**", *(figures(total(steps)) for steps in apart.values())))
    return Table(("ms of the server's CPU (of wall time)", *(f"{name} MiB" for name in apart)), tuple(rows))


def memory_table(kept: list[dict[str, Any]]) -> Table:
    """Return the table of the process's memory."""
    return Table(
        ("object, MiB", "idle, MB", "peak, MB", "over idle, MB"),
        tuple(
            (
                f"{each['mebibytes']}",
                f"{each['idle'] / 1e6:.1f}",
                f"{each['peak'] / 1e6:.1f}",
                f"{(each['peak'] - each['idle']) / 1e6:.1f}",
            )
            for each in kept
        ),
    )


def empty_plot(empty: Found) -> Plot:
    """Return the plot of loads into an empty table."""

    def line(title: str, side: str) -> Line:
        found = [side_ratio(samples, side) for samples in empty.values()]
        return Line.of_spreads(
            title,
            [f"{size} MiB" for size in empty],
            found,
        )

    return Plot(
        "empty",
        "Into an empty table: speed of our guarded load ÷ that of a straight LOAD DATA",
        "size of the object",
        "times",
        (line("the server reads the file", "server"), line("LOCAL", "client")),
        kind="bars",
        level=0.85,
    )


def _rows_a_second(rows: int, samples: Samples) -> str:
    return thousands(spread([rows / seconds for seconds in samples.wall]).median)
