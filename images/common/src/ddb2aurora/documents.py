"""
JSON documents inside items: exact decoding, and validation against a JSON Schema (draft 4 to 2020-12).

Numbers keep every digit: whole numbers are `int`, others `Decimal`. Schemas of plain keywords are checked by a program;
any other by the validator of the `jsonschema` package, which is loaded only then: with what it needs, it is a third of
the time that the transformer takes to start.
"""

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any, Final

import msgspec

from ddb2aurora.codec import escape_pointer
from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.schema_program import Breach, Draft, Program, program_for

Check = Callable[[Any], None]
# A document and where it stands, to what is wrong with it.
ViolationIn = Callable[[Any, str], RejectError | None]

_MAX_EXPONENT: Final = 400  # a double ends at 1.8E+308; beyond this a number is an attack on memory, not a value
_MAX_CHARACTERS: Final = 4_000  # Python itself reads whole numbers of at most 4,300 digits
DEFAULT_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
DRAFTS: Final = {
    "http://json-schema.org/draft-04/schema": Draft.FOUR,
    "http://json-schema.org/draft-06/schema": Draft.LATER,
    "http://json-schema.org/draft-07/schema": Draft.LATER,
    "https://json-schema.org/draft/2019-09/schema": Draft.LATER,
    DEFAULT_DRAFT: Draft.LATER,
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


def schema_check(schema_text: str) -> Check:
    """
    Return the function that checks a decoded document against the JSON Schema in *schema_text*.

    The function raises `RejectError` (`schema_violation`) with the pointer to the offending value and the broken rule.
    The schema itself is checked in full, as is right where it is read from a file.

    Raises:
        SchemaFileError: It is not a JSON Schema that can be used.
    """
    schema = _decode_schema(schema_text)
    _first_breach_by_validator(schema)
    violation_in = _violation_in(_program(schema) or _first_breach_by_validator(schema))

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
    schema = _decode_schema(schema_text)
    return _violation_in(_program(schema) or _first_breach_by_validator(schema))


def declared_draft(schema: dict[str, Any]) -> str:
    """Return the draft that a schema says it is of."""
    return str(schema.get("$schema", DEFAULT_DRAFT)).rstrip("#")


def _decode_schema(schema_text: str) -> dict[str, Any]:
    try:
        schema = decode_document(schema_text)
    except RejectError as error:
        raise SchemaFileError(f"{error.detail}; a JSON Schema is a JSON object") from error
    if not isinstance(schema, dict):
        raise SchemaFileError("not a JSON object, as a JSON Schema is here")
    return schema


def _program(schema: dict[str, Any]) -> Program | None:
    draft = DRAFTS.get(declared_draft(schema))
    if draft is None:
        return None
    try:
        return program_for(schema, draft=draft)
    except RecursionError:
        return None


def _first_breach_by_validator(schema: dict[str, Any]) -> Program:
    from ddb2aurora.schema_validator import first_breach_by  # noqa: PLC0415 - most functions never need it

    return first_breach_by(schema)


def _violation_in(first_breach: Program) -> ViolationIn:
    def violation_in(document: Any, pointer: str) -> RejectError | None:  # noqa: ANN401 - any JSON value
        try:
            breach = first_breach(document)
        except RecursionError:
            return RejectError(Reason.SCHEMA_VIOLATION, pointer=pointer, detail="nested too deeply to be checked")
        return None if breach is None else _violation(pointer, breach)

    return violation_in


def _violation(pointer: str, breach: Breach) -> RejectError:
    return RejectError(
        Reason.SCHEMA_VIOLATION,
        pointer=pointer + "".join(map(escape_pointer, breach.place)),
        detail=f"breaks {''.join(map(escape_pointer, breach.rule))}",
    )
