"""A proposal as the text of a pipeline file, whose comments say what was seen and why each type was chosen."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import yaml

from operator_cli.planning.entities import describe
from operator_cli.planning.proposing import Proposal, ProposedColumn

_PLAIN: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.-]*", re.ASCII)
_NOT_TEXT: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})  # to YAML 1.1
_MOST_LEFT_OUT: Final = 50


def render(proposal: Proposal, *, views: Sequence[str] = ()) -> str:
    """Return *proposal* as YAML; *views* are shown in comments at its end."""
    return "\n".join(_lines(proposal, views)) + "\n"


def render_schema(schema: object) -> str:
    """Return a JSON Schema as the text of its file."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _lines(proposal: Proposal, views: Sequence[str]) -> Iterator[str]:
    naming = proposal.naming
    yield f"# Proposed by `ddb2aurora plan` from {proposal.items} items of the table {proposal.table}."
    yield "# Each type takes all that was seen exactly, with room for more. Change what you know better."
    for note in proposal.notes:
        yield from _comment(note)
    yield f"name: {_scalar(naming.pipeline)}"
    yield "source:"
    yield f"  table: {_scalar(proposal.table)}"
    yield f"  key: [{', '.join(_scalar(name) for name in proposal.key)}]"
    if proposal.documents:
        yield "  documents: # attributes whose string value is itself a JSON document, in every item"
        for document in proposal.documents:
            yield f"    {_scalar(document.attribute)}: {document.file}"
    yield "target:"
    yield f"  database: {_scalar(naming.database)}"
    yield f"  table: {_scalar(naming.target_table)}"
    yield "  mode: mirror # mirror | soft_delete | append"
    yield "  columns:"
    names = [f"{_scalar(column.name)}:" for column in proposal.columns]
    types = [f"{_quoted_type(column)}," for column in proposal.columns]
    for column, name, written in zip(proposal.columns, names, types, strict=True):
        yield from _comment(_about(column, proposal), indent="    ")
        padded = f"{name:{max(map(len, names))}} {{type: {written:{max(map(len, types))}}"
        yield f"    {padded} from: {_scalar(column.source)}}}"
    yield from _left_out(proposal)
    yield from _entities(proposal, views)


def _about(column: ProposedColumn, proposal: Proposal) -> str:
    if column.seen >= proposal.items:
        return f"{column.why}; in every item"
    return f"{column.why}; in {column.seen} of {proposal.items} items"


def _left_out(proposal: Proposal) -> Iterator[str]:
    if not proposal.left_out:
        return
    yield "# No columns:"
    item = proposal.item_column
    for path, why in proposal.left_out[:_MOST_LEFT_OUT]:
        kept = f"; it is in {item.name}" if item else ""
        yield from _comment(f"- {path!r}: {why}{kept}")
    if len(proposal.left_out) > _MOST_LEFT_OUT:
        yield f"# - and {len(proposal.left_out) - _MOST_LEFT_OUT} more"


def _entities(proposal: Proposal, views: Sequence[str]) -> Iterator[str]:
    if not proposal.entities:
        return
    yield "# Several kinds of items share this table. What is common to them is columns; the whole item is kept beside."
    for tokens in proposal.entities:
        yield from _comment(f"- {describe(tokens, proposal.key)}")
    yield "# A view for each, to be made once the tables are there. JSON functions read a number with a fraction as a"
    yield "# double; where that is not enough, give the attribute a column."
    for view in views:
        yield f"# {view}"


def _comment(text: str, *, indent: str = "") -> Iterator[str]:
    yield f"{indent}# {text}"


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    written: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=2**31)
    return written.rstrip("\n")


def _quoted_type(column: ProposedColumn) -> str:
    # A comma ends a value in a flow mapping.
    return f'"{column.type.sql}"' if "," in column.type.sql else column.type.sql
