"""SQL views, one for each kind of items in a table that several kinds share."""
# ruff: noqa: S608 - statements are put together of quoted names, and of tokens that are words

import re
from collections.abc import Iterator
from typing import Final

from ddb2aurora.sql import quote_name
from operator_cli.planning.entities import Entity, Tokens
from operator_cli.planning.names import column_name
from operator_cli.planning.profile import Profile
from operator_cli.planning.proposing import Proposal, path_text

MOST_VIEWS: Final = 20
_MOST_ATTRIBUTES: Final = 60
# What needs no escape in a path of JSON_EXTRACT inside a string of SQL.
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_ .:-]+", re.ASCII)


def views_of(proposal: Proposal, profile: Profile) -> Iterator[str]:
    """Yield a CREATE VIEW statement for each kind of items; the item is taken apart by JSON functions."""
    item = proposal.item_column
    if item is None:
        return
    keys = proposal.columns[: len(proposal.key)]
    by_source = {column.source: column for column in proposal.columns}
    names: list[str] = []
    for tokens in proposal.entities[:MOST_VIEWS]:
        entity = profile.entities.found[tokens]
        names.append(column_name([proposal.naming.target_table, *tokens], taken=names))
        selected = [quote_name(column.name) for column in keys]
        taken = [column.name for column in keys]
        for attribute in _own(entity, profile):
            column = by_source.get(path_text((attribute,)))
            taken.append(column.name if column else column_name([attribute], taken=taken))
            inside = f"JSON_UNQUOTE(JSON_EXTRACT({quote_name(item.name)}, '$.\"{attribute}\"')) AS "
            selected.append(("" if column else inside) + quote_name(taken[-1]))
        table = quote_name(proposal.naming.database, proposal.naming.target_table)
        view = quote_name(proposal.naming.database, names[-1])
        yield (
            f"CREATE OR REPLACE VIEW {view} AS SELECT {', '.join(selected)} FROM {table} "
            f"WHERE {_condition(tokens, [column.name for column in keys])};"
        )


def _own(entity: Entity, profile: Profile) -> list[str]:
    names = [name for name in entity.attributes if name not in profile.key and _SIMPLE.fullmatch(name)]
    names.sort(key=lambda name: (-entity.attributes[name], name))
    return names[:_MOST_ATTRIBUTES]


def _condition(tokens: Tokens, columns: list[str]) -> str:
    parts = []
    for token, column in zip(tokens, columns, strict=True):
        if token.endswith("#"):
            # An underscore stands for any character in LIKE.
            escape = " ESCAPE '|'" if "_" in token else ""
            parts.append(f"{quote_name(column)} LIKE '{token.replace('_', '|_')}%'{escape}")
        elif token:
            parts.append(f"{quote_name(column)} = '{token}'")
    return " AND ".join(parts)
