"""
A pipeline for a table that has none: key columns, a column for each value that is to be queried, and what is left over.

Every item that was seen maps under it, since each type was chosen for all that was seen; what cannot be a column is
named, and the whole item is kept beside.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from ddb2aurora.column_types import ColumnType, parse_column_type
from ddb2aurora.paths import ITEM
from operator_cli.planning.choosing import ONLY_NULL, Choice, choose, choose_item, choose_key, is_open_map
from operator_cli.planning.entities import Tokens
from operator_cli.planning.names import column_name, snake_case
from operator_cli.planning.places import Place
from operator_cli.planning.profile import Profile
from operator_cli.planning.schemas import schema_of

Names = tuple[str, ...]

# InnoDB: half a page of 16 KB, of which a column that may leave the page takes 41 bytes; with what the loader adds.
MOST_COLUMNS: Final = 150
_MOST_ROW_BYTES: Final = 60_000  # of MySQL's 65,535; the rest is for columns to come
_PLAIN_STEP: Final = re.compile(r'[^.\[\]"$][^.\[\]"]*')


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column: its *source* as a pipeline file writes it, and *why* it has its type; *seen* in so many items."""

    name: str
    source: str
    type: ColumnType
    why: str
    seen: int


@dataclass(frozen=True, slots=True)
class ProposedDocument:
    """An attribute that is opened as a JSON document, the *file* of its schema, and the schema."""

    attribute: str
    file: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How the pipeline and its target are to be called."""

    pipeline: str
    database: str
    target_table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A pipeline that takes everything that was seen of a table, and what its reader has to know."""

    naming: Naming
    table: str
    key: tuple[str, ...]
    items: int
    columns: tuple[ProposedColumn, ...]
    documents: tuple[ProposedDocument, ...]
    left_out: tuple[tuple[str, str], ...]
    """What is no column, and why."""
    entities: tuple[Tokens, ...] = ()
    """The kinds of items that share the table, if it is one of several."""
    notes: tuple[str, ...] = ()

    @property
    def item_column(self) -> ProposedColumn | None:
        """The column that holds the whole item, if there is one."""
        return next((column for column in self.columns if column.source == ITEM), None)


def name_for(table: str) -> str:
    """Return the name of a pipeline for *table*."""
    name = snake_case([table]) or "table"
    return (name if name[0].isalpha() else f"t_{name}")[:48].rstrip("_")


def path_text(steps: Sequence[str]) -> str:
    """Return the path of *steps* as a pipeline file writes it; `ddb2aurora.paths` reads it."""
    text = ""
    for step in steps:
        if _PLAIN_STEP.fullmatch(step):
            text += f".{step}" if text else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


class _Candidate(NamedTuple):
    """A value that may be a column: where it is, how often it was seen, and its type."""

    steps: Names
    seen: int
    choice: Choice


def propose(profile: Profile, *, naming: Naming, tolerate: float = 0.0) -> Proposal:
    """
    Return a pipeline for what was seen.

    With *tolerate*, an attribute is opened as JSON documents though that share of the items has none there: those items
    will be rejected. Without, every item that was seen maps.
    """
    attributes = profile.root.children
    several = profile.entities.are_several
    # There are attributes that nobody looked at, for want of room.
    wanted = set(profile.entities.shared() & attributes.keys() if several else attributes) - set(profile.key)
    opened = {name: found for name in wanted if (found := _document_in(attributes[name], profile, tolerate=tolerate))}
    candidates: list[_Candidate] = []
    for name in wanted:
        candidates += _candidates((name,), opened.get(name, attributes[name]))
    candidates.sort(key=lambda one: (-one.seen, one.steps))
    placed = [one for one in candidates if one.choice.type is not None]
    room = MOST_COLUMNS - len(profile.key)
    left_out = [(path_text(one.steps), one.choice.why) for one in candidates if one.choice.type is None]
    left_out += [(path_text(one.steps), f"the {MOST_COLUMNS} columns are taken") for one in placed[room:]]
    columns = _key_columns(profile)
    for one in placed[:room]:
        columns.append(_column(one, taken=[column.name for column in columns]))
    columns = _narrowed(columns, keys=len(profile.key))
    notes = list(_notes(profile, opened))
    if several or profile.root.is_crowded or any(why != ONLY_NULL for _, why in left_out):
        columns, more = _with_item(columns, profile)
        notes += more
    return Proposal(
        naming=naming,
        table=profile.table,
        key=tuple(profile.key),
        items=profile.items,
        columns=tuple(columns),
        documents=tuple(_documents(opened, naming)),
        left_out=tuple(left_out),
        entities=tuple(tokens for tokens in sorted(profile.entities.found) if any(tokens)) if several else (),
        notes=tuple(notes),
    )


def _document_in(place: Place, profile: Profile, *, tolerate: float) -> Place | None:
    """Return what is inside the documents at *place*, None where a pipeline cannot open them."""
    # The mapping rejects an item whose document is absent or is none.
    document = place.document
    if document is None or place.types != {"S"} or not is_open_map(document):
        return None
    return document if document.count >= (1 - tolerate) * profile.items else None


def _candidates(steps: Names, place: Place) -> Iterator[_Candidate]:
    # A path has no place for an empty name.
    if is_open_map(place) and all(place.children):
        for name, child in place.children.items():
            yield from _candidates((*steps, name), child)
    else:
        yield _Candidate(steps, place.count, choose(place))


def _key_columns(profile: Profile) -> list[ProposedColumn]:
    columns: list[ProposedColumn] = []
    for position, (name, kind) in enumerate(profile.key.items()):
        place = profile.root.children[name]
        choice = choose_key(place, kind, position=position)
        one = _Candidate((name,), place.count, choice)
        columns.append(_column(one, taken=[column.name for column in columns]))
    return columns


def _column(one: _Candidate, *, taken: Sequence[str]) -> ProposedColumn:
    if one.choice.type is None:
        raise LookupError("a candidate without a type is no column")
    name = column_name(one.steps, taken=taken)
    return ProposedColumn(name, path_text(one.steps), one.choice.type, one.choice.why, one.seen)


def _with_item(columns: list[ProposedColumn], profile: Profile) -> tuple[list[ProposedColumn], list[str]]:
    choice = choose_item(
        fits_json=profile.items_fit_json, fits_text=profile.items_fit_text, longest_bytes=profile.item_bytes
    )
    if choice.type is None:
        return columns, [f"The whole item is no column: {choice.why}."]
    name = column_name(["item"], taken=[column.name for column in columns])
    return [*columns, ProposedColumn(name, ITEM, choice.type, choice.why, profile.items)], []


def _narrowed(columns: list[ProposedColumn], *, keys: int) -> list[ProposedColumn]:
    """Return *columns* with the widest made text until MySQL's longest row holds all; those of the key stay."""
    columns = list(columns)
    while sum(column.type.row_bytes for column in columns) > _MOST_ROW_BYTES:
        widest = max(range(keys, len(columns)), key=lambda position: columns[position].type.row_bytes)
        column = columns[widest]
        sql = "blob" if column.type.is_binary else "text"
        why = f"{column.why}; {sql}, since a row holds 65,535 bytes"
        columns[widest] = replace(column, type=parse_column_type(sql), why=why)
    return columns


def _documents(opened: Mapping[str, Place], naming: Naming) -> Iterator[ProposedDocument]:
    taken: list[str] = []
    for name, place in sorted(opened.items()):
        taken.append(column_name([name], taken=taken))
        file = f"{naming.pipeline}.schema.json" if len(opened) == 1 else f"{naming.pipeline}.{taken[-1]}.schema.json"
        yield ProposedDocument(name, file, schema_of(place, title=f"What was seen in {name}"))


def _notes(profile: Profile, opened: Mapping[str, Place]) -> Iterator[str]:
    for name, place in sorted(profile.root.children.items()):
        document = place.document
        if name in profile.key or document is None:
            continue
        missing = profile.items - document.count
        if name in opened and missing:
            yield (
                f"{missing} of {profile.items} items have no JSON object in {name!r}: this pipeline rejects them, "
                "as --tolerate allowed."
            )
        elif missing and place.types == {"S"} and is_open_map(document):
            yield (
                f"{name!r} holds JSON objects in {document.count} of {profile.items} items. A pipeline that opened "
                f"them would reject the other {missing}; --tolerate {_share(missing, profile.items)} allows that."
            )
    if profile.root.is_crowded:
        yield "The items have more different attributes than were looked at; the whole item is kept beside."


def _share(part: int, whole: int) -> str:
    """Return the share of *part* in *whole*, rounded up, in as many digits as it takes."""
    return f"{math.ceil(part / whole * 10_000) / 10_000:g}"
