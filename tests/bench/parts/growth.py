"""How the cost of a change grows: with the table, the object, the loaders, the tombstones, and the event."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from benchmarking.growth import Curve
from benchmarking.interleave import Spread, spread
from benchmarking.sections import Goal, Line, Plot, Section, Table, exponent, times
from growing.events import records_in_an_event
from growing.loads import Turns, items_in_the_table, loaders_at_once, size_of_the_object, tombstones_remembered
from growing.subjects import GROUPS, Group, Subject
from growing.tables import count_to_a_million
from loading.server import bench_server

ORDER = 35
TITLE = "Growth"
MINUTES = 8
ROUNDS, EVENT_ROUNDS = 5, 11
ITEMS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
OBJECTS_MIB = (0.25, 1, 4, 16, 64)
LOADERS = (1, 2, 4, 8)
TOMBSTONES = (0, 1_000, 10_000, 100_000, 1_000_000)
# Up to what Firehose hands over at once, and to nearly what an event of Lambda has room for (6 MB).
RECORDS = {"transformer": (1, 10, 50, 100, 500), "stream_processor": (1, 10, 50, 100, 500, 5_000)}
Kind: TypeAlias = Literal["cpu", "wall"]
KINDS: Mapping[Kind, str] = {"cpu": "CPU", "wall": "wall"}
ABOUT = (
    "What a change costs as something grows, with the loader in mode mirror: whole loads of objects that the server "
    "reads itself, by {server}, with a buffer pool of 2 GiB. The CPU time is that of the server, of our process, and "
    "of the client program where that loads. All points of a curve are measured in turns, round after round, so that a "
    "machine that gets busier is no growth. The slope is the exponent of the power law that fits best (least squares "
    "of logarithms), round by round: 0 is a cost that stays, 1 one that grows as the size does, and a cost that "
    "doubles from one end of four decades to the other has 0.08. Beside it the cost at the last point ÷ that at the "
    "point where it is least, which finds what a falling fixed cost would hide."
)


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with bench_server("mysql") as server:
        found["server"] = server.name
        count_to_a_million(server)
        turns = Turns(server, ROUNDS, say)
        curves = {
            **items_in_the_table(turns, ITEMS),
            **size_of_the_object(turns, OBJECTS_MIB),
            **loaders_at_once(turns, LOADERS),
            **tombstones_remembered(turns, TOMBSTONES),
        }
    found["curves"] = curves | records_in_an_event(RECORDS, rounds=EVENT_ROUNDS, say=say)
    return found


def section(measured: dict[str, Any]) -> Section:
    kept = measured["curves"]
    blocks: list[str | Table | Plot] = [ABOUT.format(server=measured["server"]), _summary(kept)]
    facts = {
        "gibibytes": kept["items-new"]["points"][-1]["table_bytes"] / 2**30,
        "pages": ", ".join(_pages_a_change(kept[subject.name]) for subject in GROUPS[0].subjects),
        "retries": kept["loaders"]["retries"],
        "straight": _slope(_curve(kept["items-straight"], "cpu").slope()),
    }
    for group in GROUPS:
        blocks += [f"**{group.title[0].upper()}{group.title[1:]}.** {group.words.format(**facts)}"]
        blocks.append(_plot(group, kept, "cpu"))
        if group.name == "items":
            blocks.append(_plot(group, kept, "wall"))
        if group.name == "loaders":
            blocks.append(_throughput(kept["loaders"]["points"]))
        blocks.append(_table(group, kept))
    goals = (_goal(group, subject, kept, facts) for group in GROUPS for subject in group.subjects)
    return Section(tuple(goal for goal in goals if goal), tuple(blocks))


def _pages_a_change(kept: Mapping[str, Any]) -> str:
    last = kept["points"][-1]
    return f"{spread(last['pages_read']).median / last['changes']:.2f}"


def _curve(kept: Mapping[str, Any], kind: Kind) -> Curve:
    """Return the microseconds of a change."""
    points = kept["points"]
    return Curve(
        [_drawn_at(point["x"]) for point in points],
        [[seconds / point["changes"] * 1e6 for seconds in point[f"{kind}_seconds"]] for point in points],
    )


def _goal(group: Group, subject: Subject, kept: Mapping[str, Any], facts: Mapping[str, Any]) -> Goal | None:
    if subject.most_slope is None:
        return None
    curve = _curve(kept[subject.name], "cpu")
    slope, rise = curve.beginning_at(group.fitted_from).slope(), curve.rise()
    text = f"CPU time of a change against {group.title}, {subject.title}: slope at most {subject.most_slope}"
    figure = _slope(slope)
    is_met = slope.median <= subject.most_slope
    if subject.most_rise is not None:
        text += f", the last at most {subject.most_rise} × the least"
        figure += f", {times(rise)}"
        is_met = is_met and rise.median <= subject.most_rise
    return Goal(text, figure, met=is_met, bound=subject.bound.format(**facts))


def _slope(found: Spread) -> str:
    median, low, high = map(exponent, found)
    return f"{median} ({low} – {high})"


def _microseconds(found: Spread) -> str:
    return f"{found.median:.1f} ({found.low:.1f} – {found.high:.1f})"


def _size(value: float) -> str:
    return f"{value:,}"


def _drawn_at(size: float) -> float:
    # 0 has no logarithm.
    return size or 1


def _sizes(group: Group, kept: Mapping[str, Any]) -> list[float]:
    return sorted({point["x"] for subject in group.subjects for point in kept[subject.name]["points"]})


def _summary(kept: Mapping[str, Any]) -> Table:
    rows = []
    for group in GROUPS:
        for subject in group.subjects:
            points = kept[subject.name]["points"]
            found: list[str] = []
            for kind in KINDS:
                curve = _curve(kept[subject.name], kind)
                found += [_slope(curve.beginning_at(group.fitted_from).slope()), times(curve.rise())]
            span = f"{_size(points[0]['x'])} – {_size(points[-1]['x'])} {group.size}"
            rows.append((f"{group.title}: {subject.title}", span, *found))
    heads = ("cost of a change against", "from – to", "slope, CPU", "last ÷ least", "slope, wall", "last ÷ least")
    return Table(heads, tuple(rows))


def _table(group: Group, kept: Mapping[str, Any]) -> Table:
    sizes = _sizes(group, kept)
    heads = [group.size]
    columns = [[_size(size) for size in sizes]]
    for subject in group.subjects:
        at = [point["x"] for point in kept[subject.name]["points"]]
        for kind, unit in KINDS.items():
            heads.append(f"{subject.title}: {unit}, µs")
            found = dict(zip(at, _curve(kept[subject.name], kind).spreads(), strict=True))
            columns.append([_microseconds(found[size]) if size in found else "" for size in sizes])
    return Table(tuple(heads), tuple(zip(*columns, strict=True)))


def _plot(group: Group, kept: Mapping[str, Any], kind: Kind) -> Plot:
    def line(subject: Subject) -> Line:
        curve = _curve(kept[subject.name], kind)
        return Line.of_spreads(subject.title, curve.sizes, curve.spreads())._replace(
            slope=curve.beginning_at(group.fitted_from).slope().median, fitted_from=group.fitted_from
        )

    return Plot(
        group.name if kind == "cpu" else f"{group.name}-{kind}",
        f"{'CPU' if kind == 'cpu' else 'Wall'} time of a change against {group.title}",
        f"{group.title}, {group.size}" if group.size == "MiB" else group.title,
        "µs a change",
        tuple(map(line, group.subjects)),
        log_x=True,
        log_y=True,
        ticks=[(_drawn_at(size), _size(size)) for size in _sizes(group, kept)],
    )


def _throughput(points: Sequence[Mapping[str, Any]]) -> Plot:
    found = [spread([point["changes"] / seconds for seconds in point["wall_seconds"]]) for point in points]
    line = Line.of_spreads(
        "changes a second",
        [point["x"] for point in points],
        found,
    )
    return Plot("throughput", "Changes a second of all loaders", "loaders at once", "changes a second", (line,))
