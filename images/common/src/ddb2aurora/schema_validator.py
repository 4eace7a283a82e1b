"""
The validator of the `jsonschema` package, told of our numbers: for schemas that use more than plain keywords.

It also is the judge of what a JSON Schema is; schemas are put before it when pipeline files are compiled.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    validators,
)
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from referencing import Registry, Resource, Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import UnknownDialect, specification_with

from ddb2aurora.codec import escape_pointer
from ddb2aurora.documents import DRAFTS, SchemaFileError, declared_draft
from ddb2aurora.schema_program import Breach, Program

if TYPE_CHECKING:
    from referencing._core import Resolver  # the package gives it no public name

_VALIDATORS: Final[dict[str, type[Validator]]] = dict(
    zip(
        DRAFTS,
        (Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator, Draft202012Validator),
        strict=True,
    )
)


def _is_number(_: object, instance: object) -> bool:
    return isinstance(instance, (int, Decimal)) and not isinstance(instance, bool)


def _is_whole(_: object, instance: object) -> bool:
    # JSON Schema since draft 6: 1.0 is an integer. Drafts 3 and 4 look at how the number is written.
    if isinstance(instance, Decimal):
        return instance == instance.to_integral_value()
    return isinstance(instance, int) and not isinstance(instance, bool)


def _is_written_whole(_: object, instance: object) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


def _multiple_of(validator: Validator, divisor: Any, instance: Any, _: object) -> Iterator[ValidationError]:  # noqa: ANN401 - JSON
    # As a fraction, since a Decimal's remainder is an error when the quotient has more digits than the context.
    if validator.is_type(instance, "number") and (Fraction(instance) / Fraction(divisor)).denominator != 1:
        yield ValidationError("not a multiple")


class _Inspector:
    """Look into every part of a schema for what would only come to light at the first change that needs it."""

    def __init__(self, validator: type[Validator], specification: Specification[Any]) -> None:
        self._validator = validator
        self._specification = specification
        self._seen: set[int] = set()

    def inspect(self, part: Resource[Any], resolver: "Resolver[Any]") -> None:
        if id(part.contents) in self._seen or not isinstance(part.contents, dict):
            return
        self._seen.add(id(part.contents))
        if "$schema" in part.contents:
            raise SchemaFileError("only the top of the schema may have a $schema")
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if keyword in part.contents:
                self._follow(part.contents[keyword], resolver)
        for pattern in part.contents.get("patternProperties", {}):
            _check_pattern(pattern)
        for contents in self._specification.subresources_of(part.contents):
            inner = self._specification.create_resource(contents)
            self.inspect(inner, resolver.in_subresource(inner))

    def _follow(self, reference: Any, resolver: "Resolver[Any]") -> None:  # noqa: ANN401 - JSON
        try:
            found = resolver.lookup(reference)
        except (Unresolvable, UnknownDialect, AttributeError, LookupError, TypeError, ValueError) as error:
            # Nothing is ever fetched: the registry holds this schema alone.
            raise SchemaFileError(
                f"its reference {reference!r} leads nowhere; only references inside the schema work"
            ) from error
        # What a reference alone leads to, outside the places for schemas, was not checked with the whole.
        _check_schema(self._validator, found.contents)
        self.inspect(self._specification.create_resource(found.contents), found.resolver)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise SchemaFileError(f"the pattern {pattern!r} is not a regular expression: {error}") from error


def _check_schema(validator: type[Validator], schema: Any) -> None:  # noqa: ANN401 - a schema or what should be one
    try:
        validator.check_schema(schema)
    except SchemaError as error:
        pointer = "".join(map(escape_pointer, error.absolute_path)) or "the top"
        raise SchemaFileError(f"not a valid JSON Schema: {error.message} at {pointer}") from error


def full_validator(schema: dict[str, Any]) -> Validator:
    """
    Return the validator of the `jsonschema` package for a decoded *schema*, told of our numbers.

    Raises:
        SchemaFileError: It is not a JSON Schema that can be used.
    """
    declared = declared_draft(schema)
    if declared not in _VALIDATORS:
        raise SchemaFileError(f"its $schema is {declared!r}, which is no draft from 4 to 2020-12")
    base = _VALIDATORS[declared]
    _check_schema(base, schema)
    # With a $schema, the jsonschema package would leave our validator for its own at each reference to the top.
    schema = {keyword: value for keyword, value in schema.items() if keyword != "$schema"}
    specification = specification_with(declared)
    root = specification.create_resource(schema)
    _Inspector(base, specification).inspect(root, Registry[Any]().resolver_with_root(root))
    whole = _is_written_whole if base is Draft4Validator else _is_whole
    checker = base.TYPE_CHECKER.redefine_many({"number": _is_number, "integer": whole})
    exact: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]  # no stub
        base, validators={"multipleOf": _multiple_of}, type_checker=checker
    )
    return exact(schema, registry=Registry())


def first_breach_by(schema: dict[str, Any]) -> Program:
    """
    Return the function that finds what of *schema* a document breaks first.

    Raises:
        SchemaFileError: It is not a JSON Schema that can be used.
    """
    try:
        validator = full_validator(schema)
        validator.is_valid(None)
    except RecursionError as error:
        raise SchemaFileError("its references lead in a circle, or it is nested too deeply") from error

    def first_breach(document: Any) -> Breach | None:  # noqa: ANN401 - a document is any JSON value
        error = next(validator.iter_errors(document), None)
        return None if error is None else Breach(tuple(error.absolute_path), tuple(error.absolute_schema_path))

    return first_breach
