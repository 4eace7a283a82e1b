"""What a plan found, for people and for machines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.pipeline import Pipeline
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, EXIT_INTERRUPTED, Result
from operator_cli.planning.checking import Trial
from operator_cli.planning.choosing import is_mixed
from operator_cli.planning.entities import describe
from operator_cli.planning.names import troubles_of
from operator_cli.planning.places import Place
from operator_cli.planning.profile import Profile
from operator_cli.planning.proposing import Proposal
from operator_cli.planning.showing import Columns, place_as_json, places_of, shown_path
from operator_cli.planning.suggesting import suggestions
from operator_cli.planning.widths import Width, width_of

if TYPE_CHECKING:
    from rich.console import RenderableType

# Firehose: a record holds at most 1,000 KiB; the stream-processor keeps larger changes under failed/.
RECORD_BYTES: Final = 1_024_000
KEY_BYTES: Final = 3072  # InnoDB: the longest key of an index
_MOST_PLACES_IN_JSON: Final = 2_000
_MOST_PLACES_SHOWN: Final = 200
_MOST_SHAPES: Final = 10
_MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Result):
    """
    What was found in a table.

    *trial* is of the pipeline that was named, *proposal* of the one that was made where none was named; *text* is the
    pipeline file that was made, *files* those that were written, *proposal_trial* the one of the items that were kept
    for it; *is_sound* says that it takes them all, but for what was tolerated.
    """

    profile: Profile
    source: str
    is_whole: bool
    was_interrupted: bool
    read_units: float
    seconds: float
    trial: Trial | None = None
    proposal: Proposal | None = None
    compiled: Pipeline | None = None
    text: str = ""
    schemas: dict[str, Any] | None = None
    files: tuple[str, ...] = ()
    proposal_trial: Trial | None = None
    is_sound: bool = True

    @property
    def exit_code(self) -> int:
        """See `Result`."""
        if self.was_interrupted:
            return EXIT_INTERRUPTED
        is_fine = self.is_sound and (self.trial is None or not self.trial.rejected)
        return EXIT_FINE if is_fine else EXIT_FAILURES

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        profile = self.profile
        places, columns = list(places_of(profile)), self._columns()
        return {
            "table": profile.table,
            "source": self.source,
            "whole_table": self.is_whole and not self.was_interrupted,
            "interrupted": self.was_interrupted,
            "items": profile.items,
            "undecodable": dict(profile.undecodable),
            "read_units": round(self.read_units, 1),
            "seconds": round(self.seconds, 1),
            "places": [place_as_json(path, place, columns) for path, place in places[:_MOST_PLACES_IN_JSON]],
            "places_found": len(places),
            "has_more_attributes": profile.root.is_crowded,
            "key": self._key_json(),
            "type_clashes": [shown_path(path) for path, place in places if is_mixed(place)],
            "name_troubles": troubles_of(profile.root.children),
            "change_bytes": {
                "p50": profile.change_bytes.percentile(0.5),
                "p99": profile.change_bytes.percentile(0.99),
                "max": profile.change_bytes.largest,
                "limit": RECORD_BYTES,
            },
            "entities": [
                {"key": describe(tokens, profile.key), "items": entity.count, "attributes": len(entity.attributes)}
                for tokens, entity in sorted(profile.entities.found.items(), key=lambda found: -found[1].count)
            ],
            "shapes": len(profile.entities.shapes),
            "has_more_shapes": profile.entities.has_more_shapes,
            **self._trial_json(),
            **self._proposal_json(),
        }

    def for_people(self) -> Iterator["str | RenderableType"]:
        """See `Result`."""
        from operator_cli.planning.tables import entity_table, place_table  # noqa: PLC0415 - see operator_cli.frame

        yield from self._heading()
        if not self.profile.items:
            yield "there is nothing to propose a pipeline from"
            return
        places = list(places_of(self.profile))
        yield place_table(places[:_MOST_PLACES_SHOWN], self.profile, self._columns())
        if len(places) > _MOST_PLACES_SHOWN:
            yield f"and {len(places) - _MOST_PLACES_SHOWN} places more; --json shows them"
        yield from self._sizes()
        if self.profile.entities.are_several:
            yield "several kinds of items share this table:"
            yield entity_table(self.profile)
        yield from _some(
            "in one place of several types", [shown_path(path) for path, place in places if is_mixed(place)]
        )
        yield from _some("names that MySQL takes otherwise", troubles_of(self.profile.root.children))
        yield from self._about_trial()
        yield from self._about_proposal()

    def _heading(self) -> Iterator[str]:
        profile = self.profile
        rate = profile.items / self.seconds if self.seconds else 0
        yield (
            f"{profile.items} items of {self.source} in {self.seconds:.1f} s ({rate:.0f} a second), "
            f"{self.read_units:.0f} read units"
        )
        if self.was_interrupted:
            yield "interrupted: this is what was found so far, and nothing is proposed"
        elif not self.is_whole:
            yield "this is a sample: what was not read may be longer, or of another type"
        for detail, count in profile.undecodable.items():
            yield f"no DynamoDB JSON: {count} items ({detail})"

    def _sizes(self) -> Iterator[str]:
        sizes = self.profile.change_bytes
        yield (
            f"a change in Firehose: {sizes.percentile(0.5)} bytes for half of them, {sizes.percentile(0.99)} for 99 %, "
            f"{sizes.largest} at most; a record holds {RECORD_BYTES}"
        )
        yield f"sets of attributes: {len(self.profile.entities.shapes)}" + (
            " and more" if self.profile.entities.has_more_shapes else ""
        )
        width = self._width()
        if width is not None:
            yield (
                f"a row may take {width.row_bytes} of MySQL's {width.row_limit} bytes and {width.page_bytes} of the "
                f"{width.page_limit} that InnoDB keeps in a page; the key {width.key_bytes} of {KEY_BYTES}"
            )

    @property
    def _pipeline(self) -> Pipeline | None:
        return self.trial.pipeline if self.trial else self.compiled

    def _columns(self) -> Columns:
        """Return the types of the columns that are read from a place, by its path."""
        columns = self._pipeline.columns if self._pipeline else ()
        return {column.path: column.type.sql for column in columns if column.path}

    def _width(self) -> Width | None:
        pipeline = self._pipeline
        return None if pipeline is None else width_of(pipeline)

    def _key_json(self) -> list[dict[str, Any]]:
        children = self.profile.root.children
        return [
            {"attribute": name, "type": kind, "longest_bytes": _key_length(children.get(name)), "limit": KEY_BYTES}
            for name, kind in self.profile.key.items()
        ]

    def _trial_json(self) -> dict[str, Any]:
        if self.trial is None:
            return {}
        breaches = self.trial.breaches
        return {
            "pipeline": self.trial.pipeline.name,
            "rejected": self.trial.rejected,
            "rejected_share": self.trial.rejected / self.trial.items if self.trial.items else 0.0,
            "reasons": [
                {
                    "reason": breach.reason,
                    "pointer": breach.pointer,
                    "detail": breach.detail,
                    "items": breach.count,
                    "key_hashes": list(breach.key_hashes),
                }
                for breach in breaches
            ],
            "suggestions": list(suggestions(self.trial.pipeline, breaches, self.profile)),
            "unread_attributes": self._unread(),
            "row": _width_json(width_of(self.trial.pipeline)),
        }

    def _proposal_json(self) -> dict[str, Any]:
        if self.proposal is None or self.compiled is None or self.proposal_trial is None:
            return {}
        return {
            "proposal": {
                "name": self.proposal.naming.pipeline,
                "pipeline_file": self.text,
                "schemas": self.schemas or {},
                "left_out": [{"path": path, "why": why} for path, why in self.proposal.left_out],
                "notes": list(self.proposal.notes),
                "tried": self.proposal_trial.items,
                "rejected": self.proposal_trial.rejected,
                "written": list(self.files),
                "row": _width_json(width_of(self.compiled)),
            }
        }

    def _unread(self) -> list[str]:
        if self.trial is None or self.trial.pipeline.reads_whole_item:
            return []
        return sorted(self.profile.root.children.keys() - self.trial.pipeline.attributes)

    def _about_trial(self) -> Iterator[str]:
        if self.trial is None:
            return
        trial, share = self.trial, self.trial.rejected / max(1, self.trial.items)
        yield f"pipeline {trial.pipeline.name} rejects {trial.rejected} of {trial.items} items ({share:.2%})"
        for breach in trial.breaches[:_MOST_LINES]:
            place = f" at {breach.pointer}" if breach.pointer else ""
            yield f"  {breach.count} {breach.reason}{place}: {breach.detail} (such as {', '.join(breach.key_hashes)})"
        if len(trial.breaches) > _MOST_LINES:
            yield f"  and {len(trial.breaches) - _MOST_LINES} rules more; --json shows them"
        yield from _some("what would mend it", list(suggestions(trial.pipeline, trial.breaches, self.profile)))
        yield from _some("attributes that no column reads", [repr(name) for name in self._unread()])

    def _about_proposal(self) -> Iterator[str]:
        if self.proposal is None or self.proposal_trial is None:
            return
        yield from self.proposal.notes
        tried, rejected = self.proposal_trial.items, self.proposal_trial.rejected
        yield f"the proposal takes {tried - rejected} of the {tried} items that were kept to try it on"
        if not self.is_sound:
            yield "so it was not written; this is a fault of this command, and worth a report:"
            yield from (f"  {breach.reason}: {breach.detail}" for breach in self.proposal_trial.breaches)
        elif self.files:
            yield f"written: {', '.join(self.files)}"
            yield f"next: ddb2aurora migrate --pipeline {self.proposal.naming.pipeline}"
        else:
            yield "proposed, and not written (--write does):"
            yield ""
            yield self.text


def _width_json(width: Width) -> dict[str, int]:
    return {
        "row_bytes": width.row_bytes,
        "row_limit": width.row_limit,
        "page_bytes": width.page_bytes,
        "page_limit": width.page_limit,
        "key_bytes": width.key_bytes,
        "key_limit": KEY_BYTES,
    }


def _key_length(place: Place | None) -> int:
    if place is None:
        return 0
    return max(place.texts.longest_bytes, place.binary_bytes, place.numbers.longest_text)


def _some(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        yield f"  and {len(lines) - _MOST_LINES} more; --json shows them"
