"""
JSON documents inside items: exact decoding, and validation against a JSON Schema (draft 4 to 2020-12).

Numbers keep every digit: whole numbers are `int`, others `Decimal`. The validator is the `jsonschema` package's, told
that a `Decimal` is a number; schemas of plain keywords are checked by a program with the same verdicts.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, DecimalException
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import msgspec
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
from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.schema_program import Draft, Step, program_for

if TYPE_CHECKING:
    from referencing._core import Resolver  # the package gives it no public name

Check = Callable[[Any], None]
# A document and where it stands, to what is wrong with it.
ViolationIn = Callable[[Any, str], RejectError | None]

_MAX_EXPONENT: Final = 400  # a double ends at 1.8E+308; beyond this a number is an attack on memory, not a value
_MAX_CHARACTERS: Final = 4_000  # Python itself reads whole numbers of at most 4,300 digits
_DEFAULT_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_DRAFT_4: Final = "http://json-schema.org/draft-04/schema"
_DRAFTS: Final[dict[str, type[Validator]]] = {
    _DRAFT_4: Draft4Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    _DEFAULT_DRAFT: Draft202012Validator,
}


class SchemaFileError(HaltError):
    """A JSON Schema cannot be used."""


def _exact_number(text: str) -> Decimal:
    if len(text) > _MAX_CHARACTERS:
        raise RejectError(Reason.BAD_NUMBER, detail=f"a number of more than {_MAX_CHARACTERS} characters")
    try:
        number = Decimal(text)
    except DecimalException as error:
        raise RejectError(Reason.BAD_NUMBER, detail=f"an exponent beyond {_MAX_EXPONENT}") from error
    if abs(number.adjusted()) > _MAX_EXPONENT:
        raise RejectError(Reason.BAD_NUMBER, detail=f"an exponent beyond {_MAX_EXPONENT}")
    return number


_DECODER = msgspec.json.Decoder(float_hook=_exact_number)


def decode_document(text: str) -> Any:  # noqa: ANN401 - a document is any JSON value
    """
    Return the value of a JSON document, every number exact.

    Raises:
        RejectError: *text* is not JSON, or holds a number that is out of all bounds.
    """
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RejectError(Reason.DOCUMENT_NOT_JSON, detail="not a JSON document") from error


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


def _declared(schema: dict[str, Any]) -> str:
    return str(schema.get("$schema", _DEFAULT_DRAFT)).rstrip("#")


def full_validator(schema: dict[str, Any]) -> Validator:
    """
    Return the validator of the `jsonschema` package for a decoded *schema*, told of our numbers.

    Raises:
        SchemaFileError: It is not a JSON Schema that can be used.
    """
    declared = _declared(schema)
    if declared not in _DRAFTS:
        raise SchemaFileError(f"its $schema is {declared!r}, which is no draft from 4 to 2020-12")
    base = _DRAFTS[declared]
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


def schema_check(schema_text: str) -> Check:
    """
    Return the function that checks a decoded document against the JSON Schema in *schema_text*.

    The function raises `RejectError` (`schema_violation`) with the pointer to the offending value and the broken rule.

    Raises:
        SchemaFileError: It is not a JSON Schema that can be used.
    """
    violation_in = violations_of(schema_text)

    def check(document: Any) -> None:  # noqa: ANN401 - a document is any JSON value
        violation = violation_in(document, "")
        if violation is not None:
            raise violation

    return check


def violations_of(schema_text: str) -> ViolationIn:
    """
    Return the function that finds what is wrong with a decoded document by the JSON Schema in *schema_text*.

    It takes the document and the pointer to where it stands, and returns, not raises, a `RejectError`.

    Raises:
        SchemaFileError: It is not a JSON Schema that can be used.
    """
    try:
        schema = decode_document(schema_text)
    except RejectError as error:
        raise SchemaFileError(f"{error.detail}; a JSON Schema is a JSON object") from error
    if not isinstance(schema, dict):
        raise SchemaFileError("not a JSON object, as a JSON Schema is here")
    try:
        validator = full_validator(schema)
        validator.is_valid(None)
    except RecursionError as error:
        raise SchemaFileError("its references lead in a circle, or it is nested too deeply") from error

    is_draft_4 = _declared(schema) == _DRAFT_4
    program = program_for(schema, draft=Draft.FOUR if is_draft_4 else Draft.LATER)
    if program is not None:
        find = program

        def by_program(document: Any, pointer: str) -> RejectError | None:  # noqa: ANN401 - any JSON value
            breach = find(document)
            return None if breach is None else _violation(pointer, breach.place, breach.rule)

        return by_program

    def by_validator(document: Any, pointer: str) -> RejectError | None:  # noqa: ANN401 - any JSON value
        try:
            error = next(validator.iter_errors(document), None)
        except RecursionError:
            return RejectError(Reason.SCHEMA_VIOLATION, pointer=pointer, detail="nested too deeply to be checked")
        return None if error is None else _violation(pointer, error.absolute_path, error.absolute_schema_path)

    return by_validator


def _violation(pointer: str, place: Iterable[Step], rule: Iterable[Step]) -> RejectError:
    return RejectError(
        Reason.SCHEMA_VIOLATION,
        pointer=pointer + "".join(map(escape_pointer, place)),
        detail=f"breaks {''.join(map(escape_pointer, rule))}",
    )
