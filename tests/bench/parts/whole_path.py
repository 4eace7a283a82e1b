"""The whole path on this machine: what it carries, how fresh its rows are, and who takes the time."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarking.machine import ROOT
from benchmarking.sections import Line, Plot, Section, Table, thousands
from benchmarking.workloads import reference_pipeline
from paths.alternative import emulator_alone, poller_at
from paths.offer import offer

from local_aws.stack.embedded import EmbeddedStack

ORDER = 40
TITLE = "The whole path, embedded"
MINUTES = 6
BUFFERS = (0, 1, 5)
RATES = (250, 500, 1_000, 2_000, 3_000, 4_500, 6_000)
_WARMING_RATE = 100
_COMPARED_RATE = 1_000
EMULATOR_CHANGES = 20_000
_KEPT_UP = 0.95
_LONGEST_TAIL_SECONDS = 3
ABOUT = (
    "New items of the seed's shape are put into the table of the embedded stack, so many a second for eight "
    "seconds, by two processes; a sample of them is watched until their rows can be selected. Offered is what the "
    "table took, carried what became rows until the last one was there. A step is the last one, the knee, when the "
    "table takes less than is offered or the rows fall behind by more than three seconds beyond the buffer. All of "
    "it shares the cores of this machine with the emulator of DynamoDB and S3, the stand-ins for the managed parts, "
    "the database, the writers and the watcher: on AWS only the three functions are ours, and what they take is the "
    "first three columns of the table below."
)
SINGER = (
    "Not compared: Singer's tap-dynamodb piped into target-mysql. The tap (1.4.0) installs; target-mysql (0.8.0, "
    "the newest on PyPI) is a package of one line, without a program and without a driver for MySQL."
)
FUNCTIONS = ("stream-processor", "firehose-transformer", "aurora-loader")


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    pipeline = reference_pipeline()
    curves: dict[str, list[dict[str, Any]]] = {}
    for buffer in BUFFERS:
        with EmbeddedStack([pipeline], buffer_seconds=buffer, cache=ROOT / ".local" / "cache") as stack:
            first, steps = 0, curves.setdefault(str(buffer), [])
            for rate in (_WARMING_RATE, *RATES):
                say(f"buffer {buffer} s: {rate} changes a second")
                step = offer(
                    pipeline, stack.environment, lambda: stack.database.connect(autocommit=True), rate=rate, first=first
                )
                first += step["count"]
                if rate != _WARMING_RATE:
                    steps.append(step)
                if _is_knee(step, buffer):
                    break
    say("a poller that upserts each change")
    poller = poller_at(pipeline, RATES, is_enough=lambda step: _is_knee(step, 0))
    say("the emulator alone")
    return {"buffers": curves, "poller": poller, "emulator": emulator_alone(pipeline, count=EMULATOR_CHANGES)}


def _is_knee(step: Mapping[str, Any], buffer: int) -> bool:
    return step["offered"] < _KEPT_UP * step["rate"] or step["tail_seconds"] > buffer + _LONGEST_TAIL_SECONDS


def _most(steps: Sequence[Mapping[str, Any]]) -> float:
    """Return the most that was carried, in any step."""
    return max(step["carried"] for step in steps)


def _at(step: Mapping[str, Any], share: float) -> float:
    seen = step["freshness_seconds"]
    return seen[min(len(seen) - 1, int(len(seen) * share))] if seen else float("nan")


def section(measured: dict[str, Any]) -> Section:
    curves = {f"buffer {buffer} s": steps for buffer, steps in measured["buffers"].items()}
    curves["poller"] = measured["poller"]
    emulator = measured["emulator"]
    return Section(
        (),
        (
            ABOUT,
            _plot("median", curves, 0.5),
            _plot("99th percentile", curves, 0.99),
            Table(
                ("", "offered", "carried", "p50, s", "p95, s", "p99, s", "last row after, s"),
                tuple(
                    (
                        name,
                        thousands(step["offered"]),
                        thousands(step["carried"]) + ("" if step["is_complete"] else ", not all"),
                        *(f"{_at(step, share):.2f}" for share in (0.5, 0.95, 0.99)),
                        f"{step['tail_seconds']:.2f}",
                    )
                    for name, steps in curves.items()
                    for step in steps
                ),
            ),
            (
                "The emulator alone, with two writers as fast as they can and one reader of the stream that does "
                f"nothing else, takes {thousands(emulator['put'])} changes a second and gives "
                f"{thousands(emulator['read'])}. The poller is a loop that reads the stream and upserts each change by "
                "itself, without versions, retries, rejects or a restart; it carries "
                f"{thousands(_most(measured['poller']))} a second at most."
            ),
            "CPU time in µs a change, by process, at a rate that all curves have and at the last.",
            _cpu_table(curves),
            SINGER,
        ),
    )


def _plot(name: str, curves: Mapping[str, Sequence[Mapping[str, Any]]], share: float) -> Plot:
    lines = tuple(
        Line(title, [step["offered"] for step in steps], [_at(step, share) for step in steps])
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


def _cpu_table(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    names = sorted({name for steps in curves.values() for step in steps for name in step["cpu_seconds"]})
    ordered = [*FUNCTIONS, *(name for name in names if name not in (*FUNCTIONS, "other"))]
    shown = [(title, step) for title, steps in curves.items() for step in _shown(steps)]
    rows = tuple(
        (
            f"{title}, {thousands(step['offered'])}/s",
            *(f"{1e6 * step['cpu_seconds'].get(name, 0) / step['count']:.0f}" for name in ordered),
            f"{_functions_share(step):.0%}",
        )
        for title, step in shown
    )
    return Table(("", *ordered, "share of the functions"), rows)


def _shown(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the step that all curves have, and the last."""
    last = steps[-1]
    return [step for step in steps if step is last or step["rate"] == _COMPARED_RATE]


def _functions_share(step: Mapping[str, Any]) -> float:
    spent = step["cpu_seconds"]
    return statistics.fsum(spent.get(name, 0) for name in FUNCTIONS) / max(1e-9, statistics.fsum(spent.values()))
