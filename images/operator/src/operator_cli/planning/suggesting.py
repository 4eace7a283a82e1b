"""What to change in a pipeline file so that it takes the items which it would reject."""

from collections.abc import Iterator, Sequence
from typing import Final

from ddb2aurora.errors import Reason
from ddb2aurora.pipeline import Column, Pipeline
from operator_cli.planning.checking import Breach
from operator_cli.planning.choosing import choose, choose_key, choose_number, is_mixed
from operator_cli.planning.places import Place
from operator_cli.planning.profile import Profile

_NUMERIC: Final = ("integer", "decimal", "double")
_DOCUMENT: Final[frozenset[Reason]] = frozenset(
    {Reason.DOCUMENT_MISSING, Reason.DOCUMENT_NOT_JSON, Reason.DOCUMENT_NOT_TEXT, Reason.BAD_NUMBER}
)


def suggestions(pipeline: Pipeline, breaches: Sequence[Breach], profile: Profile) -> Iterator[str]:
    """Yield what to change, each once, for the most broken rules first."""
    told: set[str] = set()
    for breach in breaches:
        for suggestion in _for(breach, pipeline, profile):
            if suggestion not in told:
                told.add(suggestion)
                yield suggestion


def _for(breach: Breach, pipeline: Pipeline, profile: Profile) -> Iterator[str]:
    column = next((one for one in pipeline.columns if breach.detail.startswith(f"column {one.name} ")), None)
    if breach.reason is Reason.MISFIT and column is not None:
        yield from _wider(column, pipeline, profile)
    elif breach.reason is Reason.NULL_NOT_ALLOWED and column is not None:
        yield f"column {column.name}: take `null: false` away; {breach.count} items have no value there"
    elif breach.reason is Reason.SCHEMA_VIOLATION:
        rule = breach.detail.removeprefix("breaks ")
        yield f"schema of {_attribute(breach)}: relax {rule}; {breach.count} items break it at {breach.pointer}"
    elif breach.reason in _DOCUMENT:
        yield (
            f"attribute {_attribute(breach)}: {breach.count} items have no JSON document there; mend them, or take it "
            "out of `documents` and keep it as text"
        )


def _wider(column: Column, pipeline: Pipeline, profile: Profile) -> Iterator[str]:
    place = place_at(profile.root, column.path)
    if place is None:
        return
    is_key = column in pipeline.key_columns
    if is_key:
        position = pipeline.key_columns.index(column)
        choice = choose_key(place, profile.key[str(column.path[0])], position=position)
    else:
        choice = choose(place)
        if column.type.kind in _NUMERIC and is_mixed(place) and "N" in place.types:
            numbers = choose_number(place)
            if numbers.type is not None and numbers.type != column.type:
                yield f"column {column.name}: {numbers.type.sql} in place of {column.type.sql} takes all numbers seen"
    if choice.type is not None and choice.type != column.type:
        yield (
            f"column {column.name}: {choice.type.sql} in place of {column.type.sql} takes all that was seen "
            f"({choice.why})"
        )
    if column.nullable and not is_key:
        yield f"column {column.name}: `on_misfit: null` stores NULL where a value does not fit"


def place_at(root: Place, path: Sequence[str | int]) -> Place | None:
    """Return the place at *path* below *root*, inside documents too; None where nothing was seen."""
    place: Place | None = root
    for step in path:
        if place is None:
            return None
        if isinstance(step, int):
            place = place.members
        else:
            inside = place.document.children if place.document is not None else {}
            place = place.children.get(step) or inside.get(step)
    return place


def _attribute(breach: Breach) -> str:
    return breach.pointer.split("/")[1] if breach.pointer else "?"
