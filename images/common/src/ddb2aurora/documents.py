"""
JSON documents inside items: exact decoding, and validation against a JSON Schema (draft 4 to 2020-12).

Numbers keep every digit: whole numbers are `int`, others `Decimal`. The validator is the `jsonschema` package's, told
that a `Decimal` is a number.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

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
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from ddb2aurora.codec import escape_pointer
from ddb2aurora.errors import HaltError, Reason, RejectError

Check = Callable[[Any], None]

_MAX_EXPONENT: Final = 400  # a double ends at 1.8E+308; beyond this a number is an attack on memory, not a value
_DEFAULT_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS: Final[dict[str, type[Validator]]] = {
    "http://json-schema.org/draft-04/schema": Draft4Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    _DEFAULT_DRAFT: Draft202012Validator,
}


class SchemaFileError(HaltError):
    """A JSON Schema cannot be used."""


def _exact_number(text: str) -> Decimal:
    number = Decimal(text)
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


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if name in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _check_references(schema: dict[str, Any]) -> None:
    # The jsonschema package would fetch a remote schema at the first change that needs it.
    root = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = Registry[Any]().with_resource("", root).resolver()
    for reference in _references(schema):
        try:
            if reference.startswith("#"):
                resolver.lookup(reference)
                continue
        except Unresolvable:
            pass
        raise SchemaFileError(f"its reference {reference!r} leads nowhere; only references inside the schema work")


def _validator_for(schema: dict[str, Any]) -> Validator:
    declared = str(schema.get("$schema", _DEFAULT_DRAFT)).rstrip("#")
    if declared not in _DRAFTS:
        raise SchemaFileError(f"its $schema is {declared!r}, which is no draft from 4 to 2020-12")
    base = _DRAFTS[declared]
    try:
        base.check_schema(schema)
    except SchemaError as error:
        pointer = "".join(map(escape_pointer, error.absolute_path)) or "the top"
        raise SchemaFileError(f"not a valid JSON Schema: {error.message} at {pointer}") from error
    _check_references(schema)
    whole = _is_written_whole if base is Draft4Validator else _is_whole
    checker = base.TYPE_CHECKER.redefine_many({"number": _is_number, "integer": whole})
    exact: type[Validator] = validators.extend(base, type_checker=checker)  # type: ignore[no-untyped-call]  # no stub
    return exact(schema, registry=Registry())


def schema_check(schema_text: str) -> Check:
    """
    Return the function that checks a decoded document against the JSON Schema in *schema_text*.

    The function raises `RejectError` (`schema_violation`) with the pointer to the offending value and the broken rule.

    Raises:
        SchemaFileError: It is not a JSON Schema that can be used.
    """
    try:
        schema = decode_document(schema_text)
    except RejectError as error:
        raise SchemaFileError(f"{error.detail}; a JSON Schema is a JSON object") from error
    if not isinstance(schema, dict):
        raise SchemaFileError("not a JSON object, as a JSON Schema is here")
    validator = _validator_for(schema)

    def check(document: Any) -> None:  # noqa: ANN401 - a document is any JSON value
        try:
            error = next(validator.iter_errors(document), None)
        except (ArithmeticError, RecursionError) as arithmetic:
            raise RejectError(Reason.SCHEMA_VIOLATION, detail="cannot be checked") from arithmetic
        if error is not None:
            raise _violation(error)

    return check


def _violation(error: ValidationError) -> RejectError:
    pointer = "".join(map(escape_pointer, error.absolute_path))
    rule = "".join(map(escape_pointer, error.absolute_schema_path))
    return RejectError(Reason.SCHEMA_VIOLATION, pointer=pointer, detail=f"breaks {rule}")
