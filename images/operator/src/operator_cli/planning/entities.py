"""
What kinds of items share one table: told by the beginnings of their keys, `USER#…`, `ORDER#…`.

A key counts as the token before its first `#`, or as a whole when it is one word in capitals (`PROFILE`); any other key
is of no kind. Where there are too many tokens to be kinds, the key is data and tells nothing.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}(?=#)", re.ASCII)
_WORD: Final = re.compile(r"[A-Z][A-Z0-9_]{1,39}", re.ASCII)
_MOST_TOKENS: Final = 40
_MOST_SHAPES: Final = 500

Token = str  # a prefix with its #, a whole word, or "" for a key of no kind
Tokens = tuple[Token, ...]


class Entity:
    """Items whose keys begin alike."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0
        self.attributes: Counter[str] = Counter()

    def take(self, other: "Entity") -> None:
        """Count the items of *other* in."""
        self.count += other.count
        self.attributes.update(other.attributes)

    @property
    def always(self) -> frozenset[str]:
        """The attributes that all have."""
        return frozenset(name for name, count in self.attributes.items() if count == self.count)


class Entities:
    """The kinds of items of one table, and the sets of attributes that its items have."""

    def __init__(self, key: Sequence[str]) -> None:
        """Tell items by the attributes of *key*."""
        self.key = tuple(key)
        self.found: dict[Tokens, Entity] = {}
        self.shapes: Counter[frozenset[str]] = Counter()
        self.has_more_shapes = False
        self._tells = [True for _ in self.key]
        self._tokens: list[set[Token]] = [set() for _ in self.key]

    def add(self, item: Mapping[str, Any]) -> None:
        """Count *item* (attributes with plain values) in."""
        tokens = tuple(self._token(position, item.get(name)) for position, name in enumerate(self.key))
        # A key may have stopped telling just now.
        tokens = tuple(token if tells else "" for token, tells in zip(tokens, self._tells, strict=True))
        entity = self.found.setdefault(tokens, Entity())
        entity.count += 1
        entity.attributes.update(item.keys())
        shape = frozenset(item)
        if shape in self.shapes or len(self.shapes) < _MOST_SHAPES:
            self.shapes[shape] += 1
        else:
            self.has_more_shapes = True

    @property
    def are_several(self) -> bool:
        """Whether the table holds items of several kinds: keys tell them apart, and so do their attributes."""
        kinds = [(tokens, entity) for tokens, entity in self.found.items() if any(tokens)]
        return any(
            not one.always <= set(other.attributes)
            for tokens, one in kinds
            for others, other in kinds
            if tokens != others
        )

    def shared(self) -> frozenset[str]:
        """Return the attributes that items of more than one kind have."""
        counts = Counter(name for entity in self.found.values() for name in entity.attributes)
        return frozenset(name for name, count in counts.items() if count > 1)

    def _token(self, position: int, value: object) -> Token:
        if not self._tells[position] or not isinstance(value, str):
            return ""
        token = token_of(value)
        tokens = self._tokens[position]
        tokens.add(token)
        if len(tokens) > _MOST_TOKENS:
            self._tells[position] = False
            self._merge()
        return token

    def _merge(self) -> None:
        merged: dict[Tokens, Entity] = {}
        for tokens, entity in self.found.items():
            kept = tuple(token if tells else "" for token, tells in zip(tokens, self._tells, strict=True))
            merged.setdefault(kept, Entity()).take(entity)
        self.found = merged


def token_of(text: str) -> Token:
    """Return the token that tells the kind of an item with the key *text*, "" when there is none."""
    prefix = _PREFIX.match(text)
    if prefix is not None:
        return f"{prefix[0]}#"
    return text if _WORD.fullmatch(text) else ""


def describe(tokens: Tokens, names: Collection[str]) -> str:
    """Return *tokens* of the key attributes *names* as a person reads them."""
    told = [
        f"{name} {token}…" if token.endswith("#") else f"{name} {token}"
        for name, token in zip(names, tokens, strict=True)
        if token
    ]
    return ", ".join(told) or "any other key"
