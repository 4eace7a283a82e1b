"""Both sides of one item, as a result."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.inspecting.diagnosis import Diagnosis
from operator_cli.inspecting.traces import Trace
from operator_cli.verifying.looking import Sight

if TYPE_CHECKING:
    from rich.console import RenderableType

_NO_SIDE: Final = ""


@dataclass(frozen=True, slots=True)
class Difference(Result):
    """
    What is known of one item.

    *columns* are name, what the item says and what the row holds, None where that is NULL or there is no such side.
    """

    key: dict[str, str]
    key_hash: str
    diagnosis: Diagnosis
    sight: Sight
    columns: tuple[tuple[str, str | None, str | None], ...]
    history: tuple[Trace, ...] | None
    objects_read: int = 0
    is_cut_short: bool = False

    @property
    def exit_code(self) -> int:
        """See `Result`."""
        return EXIT_FINE if self.diagnosis.word == "equal" else EXIT_FAILURES

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        row, tombstone = self.sight.row, self.sight.tombstone
        return {
            "verdict": self.diagnosis.word,
            "explanation": self.diagnosis.sentence,
            "key": self.key,
            "key_hash": self.key_hash,
            "item_exists": self.sight.item is not None,
            "row_exists": row is not None,
            "row": None
            if row is None
            else {"version": str(row.version), "changed_at_ms": row.changed_at_ms, "deleted": row.is_stamped},
            # Versions have more digits than JSON's readers keep.
            "tombstone": {
                "version": _version(tombstone.version),
                "soft_version": _version(tombstone.soft_version),
            },
            "item": self.sight.item,
            "columns": [
                {"name": name, "expected": expected, "actual": actual, "equal": self._is_equal(name)}
                for name, expected, actual in self.columns
            ],
            "history": None if self.history is None else [_trace(trace) for trace in self.history],
            "objects_read": self.objects_read,
            "cut_short": self.is_cut_short,
        }

    def as_logged(self) -> dict[str, Any]:
        """See `Result`: which columns differ, and not what they hold."""
        shown = self.as_json()
        columns = [{"name": column["name"], "equal": column["equal"]} for column in shown["columns"]]
        return {name: value for name, value in shown.items() if name not in {"key", "item"}} | {"columns": columns}

    def for_people(self) -> Iterator["str | RenderableType"]:
        """See `Result`."""
        from rich.markup import escape  # noqa: PLC0415 - see operator_cli.frame

        from operator_cli.folding import folding_table  # noqa: PLC0415 - as above

        row, tombstone = self.sight.row, self.sight.tombstone
        yield "item: " + ("there" if self.sight.item is not None else "none")
        if row is None:
            yield "row: none"
        else:
            stamped = ", stamped as deleted" if row.is_stamped else ""
            yield f"row: version {row.version}, changed at {_moment(row.changed_at_ms)}{stamped}"
        if max(tombstone.version, tombstone.soft_version) >= 0:
            soft = f", soft delete {tombstone.soft_version}" if tombstone.soft_version >= 0 else ""
            yield f"tombstone: delete {_version(tombstone.version) or 'none'}{soft}"
        if self.sight.verdict.kind == "unloadable":
            yield f"the item as it is: {json.dumps(self.sight.item, ensure_ascii=False)}"
        sides = folding_table("column", "the item says", "the row holds", "")
        for name, expected, actual in self.columns:
            equal = "" if self._is_equal(name) else "differs"
            ours = _cell(expected) if self._has_expected else _NO_SIDE
            sides.add_row(escape(name), ours, _NO_SIDE if row is None else _cell(actual), equal)
        yield sides
        if self.history is not None:
            for trace in self.history:
                loaded = f", loaded {_shown(trace.loaded_at)}" if trace.loaded_at else ""
                note = f" ({trace.note})" if trace.note else ""
                yield f"{trace.what} {trace.version} in {trace.where}, written {_shown(trace.written_at)}{loaded}{note}"
            cut = ", and there were more: narrow --since or raise --most-objects" if self.is_cut_short else ""
            yield f"read {self.objects_read} objects{cut}"
        yield self.diagnosis.sentence

    @property
    def _has_expected(self) -> bool:
        return self.sight.item is not None and self.sight.verdict.kind != "unloadable"

    def _is_equal(self, column: str) -> bool:
        verdict = self.sight.verdict
        return verdict.kind == "equal" or (verdict.kind == "different" and column not in verdict.columns)


def _cell(value: str | None) -> str:
    from rich.markup import escape  # noqa: PLC0415 - see operator_cli.frame

    return "[dim]NULL[/dim]" if value is None else escape(value)


def _version(version: int) -> str | None:
    return str(version) if version >= 0 else None


def _moment(changed_at_ms: int | None) -> str:
    if changed_at_ms is None:
        return "an unknown time"
    return datetime.fromtimestamp(changed_at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


def _trace(trace: Trace) -> dict[str, Any]:
    return {
        "place": trace.place,
        "where": trace.where,
        "change": trace.what,
        "version": str(trace.version),
        "changed_at_ms": trace.changed_at_ms,
        "written_at": _shown(trace.written_at) or None,
        "loaded_at": _shown(trace.loaded_at) or None,
        "note": trace.note,
    }
