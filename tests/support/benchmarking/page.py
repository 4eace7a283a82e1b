"""docs/performance.md: every goal beside its figure, made from what is stored of the last run of each part."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from benchmarking.sections import Goal, Plot, Section, Table

_PREFACE: Final = (
    'Made by `make bench`, never by hand, in about {minutes} minutes; `make bench BENCH="…"` measures some parts anew '
    "and keeps the others: {names}. Figures are ratios within one run: what is compared ran in turns (A B, B A, …) on "
    "the same machine, and stands as a median with its quartiles. *Per core* means per second of CPU time, of all "
    "threads. The samples lie in `docs/performance/`. [Decisions on performance](decisions/performance.md) says why "
    "things are as they are."
)


class GoalWithoutBoundError(Exception):
    """A goal that is not met says neither what bounds it nor what was tried."""


class Part(NamedTuple):
    """A part that was measured: its *section*, and the *circumstances* of its last run."""

    name: str
    title: str
    section: Section
    circumstances: Mapping[str, Any]


def plot_file(part: str, plot: Plot) -> str:
    """Return the name of a plot's file."""
    return f"{part}-{plot.name}.svg"


def page(parts: Sequence[Part], *, names: Sequence[str], minutes: int) -> str:
    """
    Return the page.

    Raises:
        GoalWithoutBoundError: A goal that is not met has no explanation.
    """
    preface = _PREFACE.format(names=", ".join(f"`{name}`" for name in names), minutes=minutes)
    title = ["# Performance", "", *_block("", preface), ""]
    return "\n".join([*title, "## Goals", "", *_goals(parts), "", "## Runs", "", *_runs(parts), *_sections(parts)])


def _goals(parts: Sequence[Part]) -> list[str]:
    rows = [(part, goal) for part in parts for goal in part.section.goals]
    lines = ["| part | goal | measured | met |", "|---|---|---|---|"]
    lines += [
        f"| {part.title} | {goal.text} | {goal.figure} | {'yes' if goal.met else '**no**'} |" for part, goal in rows
    ]
    missed = [(part, goal) for part, goal in rows if not goal.met]
    if missed:
        lines += ["", "What bounds those that are not met, and what was tried:", ""]
        lines += [_bullet(f"**{part.title}: {goal.text}.** {_bound(goal)}") for part, goal in missed]
    return lines


def _bound(goal: Goal) -> str:
    if not goal.bound:
        raise GoalWithoutBoundError(goal.text)
    return goal.bound


def _bullet(text: str) -> str:
    return textwrap.fill(text, 120, initial_indent="- ", subsequent_indent="  ", break_long_words=False)


def _runs(parts: Sequence[Part]) -> list[str]:
    lines = ["| part | last run | of commit | took | load before and after |", "|---|---|---|---|---|"]
    for part in parts:
        found = part.circumstances
        at, load = found["at"][:16].replace("T", " "), f"{found['load_before']} – {found['load_after']}"
        lines.append(f"| {part.title} | {at} UTC | {found['commit']} | {found['seconds']:.0f} s | {load} |")
    machines = {_machine(part.circumstances): part.title for part in parts}
    return [*lines, "", *(textwrap.fill(text, 120) + "\n" for text in machines)]


def _machine(found: Mapping[str, Any]) -> str:
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"Measured on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['kernel']}; "
        f"{versions}."
    )


def _sections(parts: Sequence[Part]) -> list[str]:
    lines: list[str] = []
    for part in parts:
        lines += [f"## {part.title}", ""]
        for block in part.section.blocks:
            lines += [*_block(part.name, block), ""]
    return lines


def _block(part: str, block: str | Table | Plot) -> list[str]:
    if isinstance(block, Plot):
        return [f"![{block.title}](performance/{plot_file(part, block)})"]
    if isinstance(block, Table):
        rules = "|".join(["---", *(["--:"] * (len(block.heads) - 1))])
        return [f"| {' | '.join(block.heads)} |", f"|{rules}|", *(f"| {' | '.join(row)} |" for row in block.rows)]
    return [textwrap.fill(block, 120, break_long_words=False, break_on_hyphens=False)]
