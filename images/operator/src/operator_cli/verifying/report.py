"""What a verification found, for people and for machines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.verifying.findings import Finding, State
from operator_cli.verifying.keys import ItemKeys
from operator_cli.verifying.notebook import Notebook, Run

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_SHOWN: Final = 100
_SHOWN: Final[tuple[State, ...]] = ("pending", "confirmed", "refused", "repaired")
_BAD: Final = frozenset({"pending", "confirmed", "refused"})


@dataclass(frozen=True, slots=True)
class Report(Result):
    """
    The result of one run.

    *found* counts findings by kind and state; *findings* are the first few of them, as `as_json` shows them.
    """

    run_id: str
    is_whole: bool
    settle_seconds: float
    items: int
    equal: int
    kept: int
    read_units: float
    seconds: float
    found: dict[str, dict[str, int]] = field(default_factory=dict)
    unloadable: dict[str, int] = field(default_factory=dict)
    findings: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, run: Run, *, notebook: Notebook, keys: ItemKeys, show_keys: bool, seconds: float) -> Self:
        """
        Return the result of *run* as it stands in *notebook*.

        Raises:
            pymysql.err.Error: The database did not answer.
        """
        found: dict[str, dict[str, int]] = {}
        for (kind, state), count in sorted(notebook.count(run.run_id).items()):
            if kind != "unloadable":
                found.setdefault(kind, {})[state] = count
        shown = notebook.findings(run.run_id, states=_SHOWN, limit=_MOST_SHOWN)
        kinds = ("equal", "missing", "different", "unloadable")
        return cls(
            run_id=run.run_id,
            is_whole=len(run.plan["segments"]) == run.plan["of_segments"],
            settle_seconds=run.plan["settle_ms"] / 1000,
            items=int(sum(run.counts.get(kind, 0) for kind in kinds)),
            equal=int(run.counts.get("equal", 0)),
            kept=int(run.counts.get("kept", 0)),
            read_units=run.counts.get("read_units", 0),
            seconds=seconds,
            found=found,
            unloadable=notebook.reasons(run.run_id),
            findings=tuple(_shown(one, keys=keys, show_keys=show_keys) for one in shown),
        )

    @property
    def exit_code(self) -> int:
        """See `Result`."""
        return EXIT_FAILURES if self.in_states(_BAD) else EXIT_FINE

    def in_states(self, states: frozenset[str]) -> int:
        """Return how many findings are in one of *states*."""
        return sum(count for by_state in self.found.values() for state, count in by_state.items() if state in states)

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "run_id": self.run_id,
            "equal": self.exit_code == EXIT_FINE,
            "whole_table": self.is_whole,
            "items": self.items,
            "equal_items": self.equal,
            "unloadable": self.unloadable,
            "kept_after_expiry": self.kept,
            "found": self.found,
            "findings": list(self.findings),
            "settle_seconds": self.settle_seconds,
            "read_units": round(self.read_units, 1),
            "seconds": round(self.seconds, 1),
        }

    def as_logged(self) -> dict[str, Any]:
        """See `Result`: keys as hashes, whatever was asked for."""
        findings = [{name: value for name, value in one.items() if name != "key"} for one in self.findings]
        return self.as_json() | {"findings": findings}

    def for_people(self) -> Iterator["str | RenderableType"]:
        """See `Result`."""
        from rich.markup import escape  # noqa: PLC0415 - see operator_cli.frame

        from operator_cli.folding import folding_table  # noqa: PLC0415 - as above

        yield (
            f"run {self.run_id}: {self.items} items in {self.seconds:.1f} s, "
            f"{self.read_units:.0f} read units; a difference counts after {self.settle_seconds:.0f} s"
        )
        if not self.is_whole:
            yield "this was a part of the table"
        yield f"equal when they were first read: {self.equal}"
        for reason, count in self.unloadable.items():
            yield f"can never load, not counted as missing: {count} ({reason})"
        if self.kept:
            yield f"rows without an item, which this pipeline keeps when items expire: {self.kept}"
        for kind, by_state in self.found.items():
            yield f"{kind}: " + ", ".join(f"{count} {state}" for state, count in by_state.items())
        if self.findings:
            table = folding_table("kind", "state", "key", "columns", "note")
            for found in self.findings:
                key = json.dumps(found["key"], ensure_ascii=False) if "key" in found else found["key_hash"]
                table.add_row(
                    found["kind"], found["state"], escape(key), escape(", ".join(found["columns"])), found["note"]
                )
            yield table
        yield "source and target are equal" if self.exit_code == EXIT_FINE else "source and target differ"


def _shown(found: Finding, *, keys: ItemKeys, show_keys: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": found.kind, "state": found.state, "key_hash": found.key_hash}
    if show_keys:
        # Of a row that no item can have there is only the key of the row.
        typed = {} if found.item_key is None else keys.parse(found.item_key)
        plain = {attribute: value for attribute, typed_value in typed.items() for value in typed_value.values()}
        shown["key"] = plain or list(found.row_key or ())
    return {**shown, "columns": list(found.columns), "note": found.note}
