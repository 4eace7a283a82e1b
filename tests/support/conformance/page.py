"""The page about what was found: a table of rules and implementations, and what was seen where one is broken."""

from collections.abc import Sequence
from datetime import date

from conformance.rule import BROKEN, KEPT, NOT_OFFERED, Rule, Verdict
from conformance.subject import Subject

_MARKS = {KEPT: "kept", BROKEN: "**broken**", NOT_OFFERED: "not offered"}
_PREFACE = """# Which emulator keeps Firehose's rules

Made by `make conformance` on {day}: the same looks from outside, through the SDK, at three implementations of Data
Firehose. They are the rules that this pipeline relies on, as AWS documents them. An emulator that breaks them shows a
pipeline that works where AWS would not, and loses records that AWS would keep; that is why `local_aws` exists.

Each column is an emulator with what belongs to it. `local_aws` brings a Firehose alone: S3 and SQS beside it are
MiniStack's. LocalStack runs functions in containers that it makes itself; here they run inside its process, so that no
engine's socket has to be given to it. What its Firehose asks of them and makes of their answers is all its own.
"""


def table(rules: Sequence[Rule], columns: Sequence[tuple[Subject, Sequence[Verdict]]]) -> str:
    """Return the table in Markdown, with a last line of counts."""
    heads = ["rule of AWS", *(f"{subject.title} {subject.version}" for subject, _ in columns)]
    rows = [
        [f"{number}. {rule.text}", *(_MARKS[verdicts[number - 1].kind] for _, verdicts in columns)]
        for number, rule in enumerate(rules, start=1)
    ]
    kept = [f"{sum(one.kind == KEPT for one in verdicts)} of {len(rules)}" for _, verdicts in columns]
    lines = [heads, ["---"] * len(heads), *rows, ["kept", *kept]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def page(rules: Sequence[Rule], columns: Sequence[tuple[Subject, Sequence[Verdict]]], *, day: date) -> str:
    """Return the whole page."""
    sections = []
    for subject, verdicts in columns:
        found = [
            f"- {number}: {verdict.kind}: {_one_line(verdict.seen)}\n"
            for number, verdict in enumerate(verdicts, start=1)
            if verdict.kind != KEPT
        ]
        if found:
            sections.append(f"## What was seen in {subject.title}\n\n{''.join(found)}")
    return "\n".join([_PREFACE.format(day=day), table(rules, columns), *sections])


def _one_line(text: str) -> str:
    return " ".join(text.split())
