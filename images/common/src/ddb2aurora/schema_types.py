"""
JSON Schemas as types that msgspec decodes into: what decodes is valid, in one pass and without a value in between.

The types are sound and not complete. A document that decodes satisfies the schema; one that does not may satisfy it all
the same (it holds properties that the schema does not name, or writes a whole number as 1.0), which the full check then
decides. Numbers with a fraction have no type, since their digits must be kept as they are written.
"""

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ddb2aurora.paths import Path
from ddb2aurora.schema_program import ANNOTATIONS

_SIZES: Final = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}
_COUNTS: Final = {"minItems": "min_length", "maxItems": "max_length"}
_LIMITS: Final = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"}
_SCALARS: Final[Mapping[str, type]] = {"string": str, "integer": int, "boolean": bool, "null": type(None)}
_INT64: Final = 2**63


class UntypableError(Exception):
    """A schema has no type."""


class Place(NamedTuple):
    """
    Where a scalar is: the dotted *attributes* of the decoded structs, and whether it *is_there* always.

    An optional one is UNSET where it is not, and has nothing inside. It can only be of this *kind*, if that is one.
    """

    attributes: str
    is_there: bool
    kind: type | None


class TypedDocument:
    """A type for the documents of one schema, and the way to a value inside."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """
        Make the type of *schema*, which has a program (see `schema_program`).

        Raises:
            UntypableError: It has none.
        """
        self._fields: dict[type, dict[str, tuple[str, Any, bool]]] = {}
        self.type = self._object(schema)

    def place_of(self, path: Path) -> Place:
        """
        Return where the scalar at *path* is in the decoded structs.

        Raises:
            UntypableError: No value, or none that is a scalar, has a place of its own there.
        """
        found: Any = self.type
        names: list[str] = []
        is_there = True
        for step in path:
            fields = self._fields.get(found) if isinstance(found, type) else None
            if fields is None or step not in fields:
                raise UntypableError
            name, found, is_required = fields[str(step)]
            names.append(name)
            is_there = is_there and is_required
        if not names or found in self._fields or _is_list(found):
            raise UntypableError
        return Place(".".join(names), is_there, _scalar(found))

    def _object(self, schema: Mapping[str, Any]) -> type:
        properties = schema.get("properties", {})
        required = set(schema.get("required", ()))
        _only(schema, {"type", "properties", "required", "additionalProperties"})
        if schema.get("type") != "object" or not required <= properties.keys():
            raise UntypableError
        fields: list[Any] = []
        places: dict[str, tuple[str, Any, bool]] = {}
        for number, (name, inner) in enumerate(properties.items()):
            found = self._type(inner)
            field = f"f{number}"
            places[name] = (field, found, name in required)
            fields.append((field, found) if name in required else (field, found | UnsetType, UNSET))
        fields.sort(key=len)  # those that are required come first
        try:
            made = msgspec.defstruct(
                "Document",
                fields,
                rename={field: name for name, (field, *_) in places.items()},
                forbid_unknown_fields=True,
                gc=False,
            )
        except ValueError as error:  # a name that has to be escaped in JSON
            raise UntypableError from error
        self._fields[made] = places
        return made

    def _type(self, schema: Any) -> Any:  # noqa: ANN401, PLR0911 - JSON, and a type; one return each
        if not isinstance(schema, dict):
            raise UntypableError
        if "enum" in schema:
            _only(schema, {"type", "enum"})
            if schema.get("type", "string") != "string":
                raise UntypableError
            return Literal[tuple(schema["enum"])]
        names = schema.get("type")
        if isinstance(names, list):
            return self._union(schema, names)
        match names:
            case "object":
                return self._object(schema)
            case "array":
                _only(schema, {"type", "items", *_COUNTS})
                return _annotated(list[self._type(schema.get("items"))], schema, _COUNTS)  # type: ignore[misc] # a type made at run time
            case "string":
                _only(schema, {"type", *_SIZES})
                return _annotated(str, schema, _SIZES)
            case "integer":
                _only(schema, {"type", *_LIMITS})
                limits = [schema[name] for name in _LIMITS if name in schema]
                if not all(type(limit) is int and -_INT64 < limit < _INT64 for limit in limits):
                    raise UntypableError
                return _annotated(int, schema, _LIMITS)
        return self._plain(schema, names)

    def _union(self, schema: Mapping[str, Any], names: Sequence[str]) -> Any:  # noqa: ANN401 - a type
        _only(schema, {"type"})
        if not set(names) <= _SCALARS.keys():
            raise UntypableError
        return functools.reduce(operator.or_, (_SCALARS[name] for name in names))

    def _plain(self, schema: Mapping[str, Any], name: object) -> Any:  # noqa: ANN401 - a type
        _only(schema, {"type"})
        if name not in ("boolean", "null"):
            raise UntypableError
        return _SCALARS[str(name)]


def _only(schema: Mapping[str, Any], keywords: set[str]) -> None:
    if not schema.keys() <= keywords | ANNOTATIONS.keys() | {"$schema"}:
        raise UntypableError


def _annotated(found: Any, schema: Mapping[str, Any], names: Mapping[str, str]) -> Any:  # noqa: ANN401 - types
    constraints = {ours: schema[theirs] for theirs, ours in names.items() if theirs in schema}
    # A type may have one lower and one upper limit only.
    if {"ge", "gt"} <= constraints.keys() or {"le", "lt"} <= constraints.keys():
        raise UntypableError
    return Annotated[found, Meta(**constraints)] if constraints else found


def _is_list(found: Any) -> bool:  # noqa: ANN401 - a type
    return "list" in repr(found)


def _scalar(found: Any) -> type | None:  # noqa: ANN401 - a type
    plain = get_args(found)[0] if get_origin(found) is Annotated else found
    return plain if plain in (str, int) else None
