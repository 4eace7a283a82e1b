"""How the cost of a change grows: with the table, the object, the loaders, the tombstones, and the event."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from benchmarking.growth import Curve
from benchmarking.interleave import Spread, spread
from benchmarking.sections import Goal, Line, Plot, Section, Table, exponent, times
from growing.events import records_in_an_event
from growing.loads import (
    DELETE_EVERY,
    OBJECT_MIB,
    Turns,
    items_in_the_table,
    loaders_at_once,
    size_of_the_object,
    tombstones_remembered,
)
from growing.tables import count_to_a_million
from loading.server import bench_server

ORDER = 35
TITLE = "Growth"
MINUTES = 15
ROUNDS, EVENT_ROUNDS = 5, 11
ITEMS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
OBJECTS_MIB = (0.25, 1, 4, 16, 64)
LOADERS = (1, 2, 3, 4, 6, 8)
TOMBSTONES = (0, 1_000, 10_000, 100_000, 1_000_000)
# Up to what Firehose hands over at once, and to nearly what an event of Lambda has room for (6 MB).
RECORDS = {"transformer": (1, 10, 50, 100, 500), "stream_processor": (1, 10, 50, 100, 500, 5_000)}
Kind: TypeAlias = Literal["cpu", "wall"]
KINDS: Mapping[Kind, str] = {"cpu": "CPU", "wall": "wall"}


class Subject(NamedTuple):
    """
    One curve: its *name* in the file, its *title*, and what it may grow by.

    That is an exponent, and how many times the least cost the cost at the last point may be, None for no more than the
    exponent allows. A curve that is there to be compared with has no exponent.
    """

    name: str
    title: str
    most_slope: float | None
    most_rise: float | None = None
    bound: str = ""


class Group(NamedTuple):
    """Curves over the same sizes, which share a plot and a table; the slopes are those from *fitted_from* on."""

    name: str
    title: str
    size: str
    words: str
    subjects: tuple[Subject, ...]
    fitted_from: float = 0


TREE = (
    "Each key is looked up in a tree, whose depth grows with the logarithm of the rows; and the more there are, the "
    "fewer keys of an object share a page, until each has one to itself. A straight `LOAD DATA` of new keys, which "
    "guards nothing, has a slope of {straight} against the items in the table."
)
BUSY = "Loaders at once wait for each other's latches, and share two cores and their caches with the server."
FIXED = "Nothing in the loader depends on it; the figures say how far the machine was busy with something else."
GROUPS = (
    Group(
        "items",
        "items in the table",
        "items",
        (
            f"Objects of {OBJECT_MIB} MiB. *Existing*: changes of items that the table has, taken at random, each "
            "once, or as often as all others where it has fewer than the object has changes. *New*: keys at random "
            "places of the index that it has not; tables of up to 100,000 items are filled anew before each load. What "
            "is expected is the logarithm of a tree, and of the pages that keys share, which in the range measured is "
            "at most a power of 0.1. Beside it `LOAD DATA` of such objects of new keys straight into the same tables, "
            "which guards nothing. A table that outgrows the buffer pool adds reads: the largest has "
            "{gibibytes:.1f} GiB, and the loads into it read {pages} pages a change (existing keys, new keys, "
            "straight; each at its median) that were not in memory."
        ),
        (
            Subject("items-existing", "existing keys", 0.1, None, TREE),
            Subject("items-new", "new keys", 0.1, None, TREE),
            Subject("items-straight", "new keys, straight", None),
        ),
    ),
    Group(
        "object",
        "size of the object",
        "MiB",
        (
            "New keys into a table that is emptied before each load, and changes of items of a table of a million. "
            "What is expected is that the fixed cost of a load is spread over more changes and nothing else changes; "
            "the slope is that from 1 MiB on."
        ),
        (
            Subject("object-new", "new keys, empty table", 0.05, 1.25, FIXED),
            Subject("object-existing", "existing keys, a million rows", 0.05, 1.25, FIXED),
        ),
        fitted_from=1,
    ),
    Group(
        "loaders",
        "loaders at once",
        "loaders",
        (
            f"Each loads an object of {OBJECT_MIB} MiB over a connection of its own, all into one table of a million "
            "items, of which no two objects hold the same. What is expected is that the CPU time of a change stays, "
            "while the changes a second of all grow until the cores are busy. Loads that had to be tried again: "
            "{retries}."
        ),
        (Subject("loaders", "existing keys", 0.1, 1.25, BUSY),),
    ),
    Group(
        "tombstones",
        "tombstones",
        "tombstones",
        (
            f"Objects of {OBJECT_MIB} MiB of changes of all items of a table that is filled anew before each load. The "
            "tombstones are those of other items. *Older*: than all changes of the object, which is then spared the "
            "look at them. *A newer one*: there is one more, as new as the object, so that each key is looked for. *A "
            f"fifth deletes*: one change in {DELETE_EVERY} is a delete, which leaves a tombstone and looks for each "
            "key; these are forgotten before the next load. What is expected is no growth where the look is spared, "
            "and else the logarithm of a tree. None is drawn, and fitted, as 1."
        ),
        (
            Subject("tombstones-older", "older", 0.02, 1.25, FIXED),
            Subject("tombstones-newer", "a newer one", 0.05, None, TREE),
            Subject("tombstones-deletes", "a fifth deletes", 0.05, None, TREE),
        ),
    ),
    Group(
        "records",
        "records in an event",
        "records",
        (
            "The functions before the loader, from dict to dict, with events of the seed's shape. What is expected is "
            "that the fixed cost of a call is spread over more records and nothing else changes; the slope is that "
            "from 50 records on."
        ),
        (
            Subject("transformer", "transformer", 0.05, 1.25, FIXED),
            Subject("stream_processor", "stream-processor", 0.05, 1.25, FIXED),
        ),
        fitted_from=50,
    ),
)
ABOUT = (
    "What a change costs as something grows, with the loader in mode mirror: whole loads of objects that the server "
    "reads itself, by {server}, with a buffer pool of 2 GiB. The CPU time is that of the server and of our process. "
    "All points of a curve are measured in turns, round after round, so that a machine that gets busier is no growth. "
    "The slope is the exponent of the power law that fits best (least squares of logarithms), round by round: 0 is a "
    "cost that stays, 1 one that grows as the size does, and a cost that doubles from one end of four decades to the "
    "other has 0.08. Beside it the cost at the last point ÷ that at the point where it is least, which finds what a "
    "falling fixed cost would hide."
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
        found = curve.spreads()
        return Line(
            subject.title,
            curve.sizes,
            [each.median for each in found],
            [each.low for each in found],
            [each.high for each in found],
            slope=curve.beginning_at(group.fitted_from).slope().median,
            fitted_from=group.fitted_from,
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
    line = Line(
        "changes a second",
        [point["x"] for point in points],
        [each.median for each in found],
        [each.low for each in found],
        [each.high for each in found],
    )
    return Plot("throughput", "Changes a second of all loaders", "loaders at once", "changes a second", (line,))
