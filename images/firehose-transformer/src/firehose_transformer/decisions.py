"""What becomes of each record of a transformation event, and of each change in it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ddb2aurora.errors import RejectError


class Rejection(NamedTuple):
    """
    A change that did not become a row, and why: line *number* of its record, counted from 1.

    *line* is None where all that the record holds, so many *changes*, failed for this one reason.
    """

    error: RejectError
    number: int = 1
    line: bytes | None = None
    changes: int = 1


class Decision(msgspec.Struct, frozen=True, gc=False):
    """
    What becomes of one record, which holds so many *changes*.

    *rows* are its rows in base64, None when the record fails as a whole. *dropped* changes leave no trace.
    """

    record_id: str
    arrival_ms: int
    changes: int
    rows: str | None
    dropped: int
    rejections: tuple[Rejection, ...]

    @property
    def transformed(self) -> int:
        """How many changes became a row."""
        return 0 if self.rows is None else self.changes - self.dropped - len(self.rejections)

    @property
    def rejected(self) -> int:
        """How many changes are kept under `failed/`: those that are rejects, or all when the record fails."""
        return self.changes if self.rows is None else len(self.rejections)

    @property
    def has_rejects(self) -> bool:
        """Whether changes of this record have to be kept by somebody else than Firehose."""
        return self.rows is not None and bool(self.rejections)

    def answer(self) -> dict[str, str]:
        """Return what Firehose is told."""
        result = "ProcessingFailed" if self.rows is None else "Ok" if self.rows else "Dropped"
        return {"recordId": self.record_id, "result": result, "data": self.rows or ""}

    def handed_back(self) -> "Decision":
        """Return the decision that gives the record back to Firehose whole."""
        return msgspec.structs.replace(self, rows=None, dropped=0)


class Transformation(NamedTuple):
    """
    What becomes of the records of an event.

    *records* is what Firehose is told of each, in the order of the event. Most are one change that becomes one row;
    *others* are the decisions on those that are not, by their place in the event.
    """

    records: Sequence[dict[str, str]]
    others: Mapping[int, Decision]

    def handing_back(self, places: Collection[int]) -> "Transformation":
        """Return the same, except that the records at *places*, all of them among the others, are handed back whole."""
        if not places:
            return self
        others = {place: found.handed_back() if place in places else found for place, found in self.others.items()}
        records = list(self.records)
        for place, decision in others.items():
            records[place] = decision.answer()
        return Transformation(records, others)

    @property
    def answer(self) -> dict[str, Sequence[dict[str, str]]]:
        """What Firehose is told."""
        return {"records": self.records}
