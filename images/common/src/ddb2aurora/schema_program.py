"""
JSON Schemas as plain functions: for the keywords that most schemas keep to, the same verdicts as the full validator.

`program_for` turns a schema into one function a keyword, put together once. A schema that uses anything else, or says
it otherwise than JSON Schema does, has no program, and the full validator checks its documents or refuses it; so a
program never has to guess. It finds the very error that the full validator would find first: the same place in the
document and the same rule. Property tests compare them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

Step: TypeAlias = str | int


class Breach(NamedTuple):
    """A broken rule: the *place* in the document, and the place of the *rule* in the schema."""

    place: tuple[Step, ...]
    rule: tuple[Step, ...]


class Draft(Enum):
    """A draft of JSON Schema, as far as programs tell them apart."""

    FOUR = 4
    """An integer is one by how it is written: 1.0 is none."""
    LATER = 6


# A document (as `documents.decode_document` gives it) or a part of it, and its first breach.
Program: TypeAlias = Callable[[Any], Breach | None]
_Maker: TypeAlias = Callable[[Any, Mapping[str, Any], Draft], Program]

ANNOTATIONS: Final[Mapping[str, type]] = {
    "title": str,
    "description": str,
    "$comment": str,
    "examples": list,
    "default": object,
}
_TYPES: Final = frozenset(("object", "array", "string", "integer", "number", "boolean", "null"))
_CLASSES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}


class _OutsideError(Exception):
    """A schema uses what no program is made for."""


def program_for(schema: Mapping[str, Any], *, draft: Draft) -> Program | None:
    """
    Return the program of *schema*; None if it has none, or is no valid schema.

    What a keyword means may depend on the *draft* that the schema is of.
    """
    try:
        return _node({keyword: value for keyword, value in schema.items() if keyword != "$schema"}, draft)
    except _OutsideError:
        return None


def _must(be_so: bool) -> None:  # noqa: FBT001 - its only argument
    if not be_so:
        raise _OutsideError


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _node(schema: Any, draft: Draft) -> Program:  # noqa: ANN401 - JSON
    if not isinstance(schema, dict):
        raise _OutsideError
    programs: list[tuple[str, Program]] = []
    # The full validator takes the keywords in the order of the schema as well.
    for keyword, value in schema.items():
        if keyword in ANNOTATIONS:
            _must(isinstance(value, ANNOTATIONS[keyword]))
            continue
        maker = _MAKERS.get(keyword)
        if maker is None:
            raise _OutsideError
        programs.append((keyword, maker(value, schema, draft)))
    together = tuple(programs)

    def check(instance: Any) -> Breach | None:  # noqa: ANN401 - a document is any JSON value
        for keyword, program in together:
            breach = program(instance)
            if breach is not None:
                return Breach(breach.place, (keyword, *breach.rule))
        return None

    return check


_HERE: Final = Breach((), ())


def _of(holds: Callable[[Any], bool]) -> Program:
    def check(instance: Any) -> Breach | None:  # noqa: ANN401 - a document is any JSON value
        return None if holds(instance) else _HERE

    return check


def _is_number(instance: object) -> bool:
    return isinstance(instance, (int, Decimal)) and not isinstance(instance, bool)


def _is_written_whole(instance: object) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


def _is_whole(instance: object) -> bool:
    if isinstance(instance, Decimal):
        return instance == instance.to_integral_value()
    return _is_written_whole(instance)


def _type(value: Any, _schema: Mapping[str, Any], draft: Draft) -> Program:  # noqa: ANN401 - JSON
    names = [value] if isinstance(value, str) else value
    _must(_are_names(names) and set(names) <= _TYPES and names != [])
    classes = tuple(found for name in names for found in _CLASSES.get(name, ()))
    if len(names) == len(classes):
        # Most types by far; a call less for each.
        return lambda instance: None if isinstance(instance, classes) else _HERE
    tests: list[Callable[[Any], bool]] = []
    if classes:
        tests.append(lambda instance: isinstance(instance, classes))
    if "number" in names:
        tests.append(_is_number)
    elif "integer" in names:
        tests.append(_is_written_whole if draft is Draft.FOUR else _is_whole)
    if len(tests) == 1:
        return _of(tests[0])
    return _of(lambda instance: any(test(instance) for test in tests))


def _required(value: Sequence[str], _schema: Mapping[str, Any], draft: Draft) -> Program:
    _must(_are_names(value) and (draft is not Draft.FOUR or len(value) > 0))
    names = frozenset(value)
    return lambda instance: None if not isinstance(instance, dict) or instance.keys() >= names else _HERE


def _properties(value: Mapping[str, Any], _schema: Mapping[str, Any], draft: Draft) -> Program:
    _must(isinstance(value, dict))
    programs = tuple((name, _node(schema, draft)) for name, schema in value.items())

    def check(instance: Any) -> Breach | None:  # noqa: ANN401 - a document is any JSON value
        if isinstance(instance, dict):
            for name, program in programs:
                if name in instance:
                    breach = program(instance[name])
                    if breach is not None:
                        return Breach((name, *breach.place), (name, *breach.rule))
        return None

    return check


def _items(value: Any, _schema: Mapping[str, Any], draft: Draft) -> Program:  # noqa: ANN401 - JSON
    program = _node(value, draft)  # a list of schemas, which older drafts know, is outside

    def check(instance: Any) -> Breach | None:  # noqa: ANN401 - a document is any JSON value
        if isinstance(instance, list):
            for index, member in enumerate(instance):
                breach = program(member)
                if breach is not None:
                    return Breach((index, *breach.place), breach.rule)
        return None

    return check


def _additional_properties(value: Any, schema: Mapping[str, Any], _draft: Draft) -> Program:  # noqa: ANN401 - JSON
    _must("patternProperties" not in schema)
    known = frozenset(schema.get("properties", ()))
    if value is True:
        return _of(lambda _: True)
    if value is False:
        return _of(lambda instance: not isinstance(instance, dict) or instance.keys() <= known)
    raise _OutsideError  # the full validator takes the names in no stated order


def _enum(value: Sequence[Any], _schema: Mapping[str, Any], _draft: Draft) -> Program:
    # Of numbers and booleans, and of what holds them, equality has rules of its own.
    _must(_are_names(value) and len(value) > 0)
    known = frozenset(value)
    return _of(lambda instance: isinstance(instance, str) and instance in known)


def _const(value: Any, schema: Mapping[str, Any], draft: Draft) -> Program:  # noqa: ANN401 - JSON
    if draft is Draft.FOUR:
        raise _OutsideError
    return _enum([value], schema, draft)


def _pattern(value: str, _schema: Mapping[str, Any], _draft: Draft) -> Program:
    _must(isinstance(value, str))
    try:
        search = re.compile(value).search
    except re.error as error:
        raise _OutsideError from error
    return _of(lambda instance: not isinstance(instance, str) or search(instance) is not None)


def _bound(class_: type[Any], holds: Callable[[int, Any], bool]) -> _Maker:
    def make(value: Any, _schema: Mapping[str, Any], _draft: Draft) -> Program:  # noqa: ANN401 - JSON
        _must(type(value) is int and value >= 0)
        return _of(lambda instance: not isinstance(instance, class_) or holds(len(instance), value))

    return make


def _limit(holds: Callable[[Any, Any], bool], *, since_draft_6: bool = False) -> _Maker:
    def make(value: Any, schema: Mapping[str, Any], draft: Draft) -> Program:  # noqa: ANN401 - JSON
        # In draft 4 `exclusiveMinimum: true` changes what `minimum` means.
        if draft is Draft.FOUR and (since_draft_6 or schema.keys() & {"exclusiveMinimum", "exclusiveMaximum"}):
            raise _OutsideError
        _must(_is_number(value))
        return _of(lambda instance: not _is_number(instance) or holds(instance, value))

    return make


_MAKERS: Final[Mapping[str, _Maker]] = {
    "type": _type,
    "required": _required,
    "properties": _properties,
    "items": _items,
    "additionalProperties": _additional_properties,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": _bound(str, lambda size, least: size >= least),
    "maxLength": _bound(str, lambda size, most: size <= most),
    "minItems": _bound(list, lambda size, least: size >= least),
    "maxItems": _bound(list, lambda size, most: size <= most),
    "minProperties": _bound(dict, lambda size, least: size >= least),
    "maxProperties": _bound(dict, lambda size, most: size <= most),
    "minimum": _limit(lambda instance, least: instance >= least),
    "maximum": _limit(lambda instance, most: instance <= most),
    "exclusiveMinimum": _limit(lambda instance, least: instance > least, since_draft_6=True),
    "exclusiveMaximum": _limit(lambda instance, most: instance < most, since_draft_6=True),
}
