"""
The exact codec between DynamoDB JSON and Python values, for all ten attribute types.

| DynamoDB | Python |
|---|---|
| S, B, BOOL, NULL | `str`, `bytes`, `bool`, `None` |
| N | `Decimal`, normalised (DynamoDB itself drops trailing zeros) |
| M, L | `dict`, `list` |
| SS, NS, BS | `frozenset` of `str`, `Decimal`, `bytes` |

Binary is base64 text in DynamoDB JSON, as a Lambda event carries it. `decode(encode(x)) == x` for every value.
"""

import functools
import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any, TypeAlias

from ddb2aurora.errors import Reason, RejectError

Value: TypeAlias = "str | Decimal | bytes | bool | dict[str, Value] | list[Value] | frozenset[Any] | None"
AttributeValue: TypeAlias = Mapping[str, Any]

# DynamoDB numbers: up to 38 significant digits, magnitude 1E-130 to 9.99...E+125. Losing a digit is an error here;
# dropping trailing zeros ("Rounded" without "Inexact") is not.
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal])
# Decimal() itself also takes "NaN", "Infinity", underscores, blanks and other scripts' digits.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?", re.ASCII)
_ZERO = Decimal(0)
# DynamoDB nests values at most 32 levels deep; whichever way those are counted, this is more.
_MAX_DEPTH = 64


@functools.lru_cache(maxsize=1024)  # the names in schemas and items are few, and met again and again
def escape_pointer(step: str | int) -> str:
    """Return *step* as one step of a JSON pointer (RFC 6901)."""
    return "/" + str(step).replace("~", "~0").replace("/", "~1")


def number_from_text(text: object, *, pointer: str = "") -> Decimal:
    """
    Return the number that *text* stands for, exactly.

    Raises:
        RejectError: *text* is no number that DynamoDB can hold.
    """
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise RejectError(Reason.BAD_NUMBER, pointer=pointer, detail="not the text of a number")
    try:
        number = _NUMBERS.normalize(Decimal(text))
    except DecimalException as error:
        raise RejectError(
            Reason.BAD_NUMBER, pointer=pointer, detail="more than 38 digits, or outside 1E-130 to 9.99E+125"
        ) from error
    return number or _ZERO


def number_to_text(number: Decimal) -> str:
    """Return *number* as plain digits without an exponent, exactly."""
    return format(number, "f")


def _text(value: object, pointer: str, _depth: int) -> str:
    if not isinstance(value, str):
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="S must hold a string")
    return value


def _binary(value: object, pointer: str, _depth: int) -> bytes:
    try:
        return a2b_base64(value, strict_mode=True)  # type: ignore[arg-type]  # another type is a TypeError
    except (Base64Error, TypeError, ValueError) as error:
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="B must hold base64 text") from error


def _number(value: object, pointer: str, _depth: int) -> Decimal:
    return number_from_text(value, pointer=pointer)


def _boolean(value: object, pointer: str, _depth: int) -> bool:
    if not isinstance(value, bool):
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="BOOL must hold true or false")
    return value


def _null(value: object, pointer: str, _depth: int) -> None:
    if value is not True:
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="NULL must hold true")


def _map(value: object, pointer: str, depth: int) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="M must hold an object")
    return {name: _decode(inner, pointer + escape_pointer(name), depth + 1) for name, inner in value.items()}


def _list(value: object, pointer: str, depth: int) -> list[Value]:
    if not isinstance(value, list):
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="L must hold an array")
    return [_decode(inner, f"{pointer}/{index}", depth + 1) for index, inner in enumerate(value)]


def _set_of(member: "_Decoder") -> "_Decoder":
    def decode_set(value: object, pointer: str, depth: int) -> frozenset[Any]:
        if not isinstance(value, list) or not value:
            raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="a set must hold a non-empty array")
        return frozenset(member(inner, f"{pointer}/{index}", depth) for index, inner in enumerate(value))

    return decode_set


# What an attribute of one type holds, where it stands (a JSON pointer), and how deep.
_Decoder: TypeAlias = Callable[[Any, str, int], Any]
_DECODERS: dict[str, _Decoder] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": _null,
    "M": _map,
    "L": _list,
    "SS": _set_of(_text),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
}


def decode(attribute: AttributeValue, *, pointer: str = "") -> Value:
    """
    Return the Python value of one attribute value in DynamoDB JSON.

    Raises:
        RejectError: It is not valid DynamoDB JSON; *pointer* is where the error says it was found.
    """
    return _decode(attribute, pointer, 0)


def _decode(attribute: object, pointer: str, depth: int) -> Value:
    if depth > _MAX_DEPTH:
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail=f"nested deeper than {_MAX_DEPTH} levels")
    if not isinstance(attribute, dict) or len(attribute) != 1:
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="an attribute value has exactly one type")
    [(kind, value)] = attribute.items()
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise RejectError(Reason.UNDECODABLE, pointer=pointer, detail="no such attribute type")
    return decoder(value, pointer, depth)  # type: ignore[no-any-return]  # each decoder returns a Value


def decode_item(item: Mapping[str, AttributeValue]) -> dict[str, Value]:
    """
    Return the Python values of all attributes of an item in DynamoDB JSON.

    Raises:
        RejectError: It is not valid DynamoDB JSON.
    """
    return {name: decode(attribute, pointer=escape_pointer(name)) for name, attribute in item.items()}


def encode(value: Value) -> dict[str, Any]:  # noqa: PLR0911 - one return a type
    """
    Return *value* as DynamoDB JSON; the members of sets are sorted, so that equal values give equal JSON.

    Raises:
        TypeError: *value* is of no type that DynamoDB has.
    """
    match value:
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case str():
            return {"S": value}
        case Decimal():
            return {"N": number_to_text(value)}
        case bytes():
            return {"B": b64encode(value).decode()}
        case dict():
            return {"M": {name: encode(inner) for name, inner in value.items()}}
        case list():
            return {"L": [encode(inner) for inner in value]}
        case frozenset() if value:
            return _encode_set(value)
    raise TypeError(f"DynamoDB has no type for a {type(value).__name__}")


def _encode_set(members: frozenset[Any]) -> dict[str, Any]:
    kinds = {type(member) for member in members}
    if kinds == {str}:
        return {"SS": sorted(members)}
    if kinds == {Decimal}:
        return {"NS": [number_to_text(member) for member in sorted(members)]}
    if kinds == {bytes}:
        return {"BS": [b64encode(member).decode() for member in sorted(members)]}
    raise TypeError("a DynamoDB set holds only strings, only numbers or only binaries")


def encode_item(item: Mapping[str, Value]) -> dict[str, dict[str, Any]]:
    """
    Return all attributes of *item* as DynamoDB JSON.

    Raises:
        TypeError: A value is of no type that DynamoDB has.
    """
    return {name: encode(value) for name, value in item.items()}
