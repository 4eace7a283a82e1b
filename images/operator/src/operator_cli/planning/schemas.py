"""A JSON Schema for documents that were seen: the types at each place, and what was in all; nothing is guessed."""

from typing import Any, Final

from operator_cli.planning.places import NULL, Place

_TYPES: Final = {"S": "string", "BOOL": "boolean", NULL: "null", "M": "object", "L": "array"}


def schema_of(place: Place, *, title: str) -> dict[str, Any]:
    """Return the schema, of draft 2020-12, that every document which was seen at *place* satisfies."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_part(place)}


def _part(place: Place) -> dict[str, Any]:
    types = [_type(kind, place) for kind in sorted(place.kinds)]
    if len(types) != 1:
        return {"type": types}
    part: dict[str, Any] = {"type": types[0]}
    if types == ["object"] and not place.is_crowded:
        required = sorted(name for name, child in place.children.items() if child.count == place.count)
        if required:
            part["required"] = required
        part["properties"] = {name: _part(child) for name, child in sorted(place.children.items())}
    elif types == ["array"] and place.members is not None:
        part["items"] = _part(place.members)
    return part


def _type(kind: str, place: Place) -> str:
    if kind == "N":
        return "integer" if place.numbers.are_whole else "number"
    return _TYPES[kind]
