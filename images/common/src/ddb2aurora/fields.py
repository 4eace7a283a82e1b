"""
Values into CSV fields: the text of a value in a column of a given type, exactly, or `MisfitError`.

A field is the text before quoting (`dialect` quotes it). Binary is hexadecimal digits. A value is what `codec` gives
for an attribute, or what a JSON document holds (whole numbers as `int`, others as `Decimal`).
"""

import re
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from ddb2aurora.column_types import ColumnType
from ddb2aurora.errors import Reason, RejectError

Encoder = Callable[[Any], str]

_TIMESTAMP = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<offset>Z|[+-]\d\d:\d\d)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FIRST_YEAR: Final = 1000  # MySQL: DATE and DATETIME are supported from the year 1000 on
_MAX_JSON_DEPTH: Final = 100  # MySQL: a JSON document nests at most 100 levels
_MAX_JSON_KEY_BYTES: Final = 65_535  # MySQL: the longest key of a JSON object
_INT64: Final = -(2**63)
_UINT64: Final = 2**64 - 1
_MAX_EXACT_SIGNIFICAND: Final = 2**53
_MAX_POWER_OF_TEN: Final = 308


class MisfitError(RejectError):
    """A value does not fit its column exactly."""

    def __init__(self, detail: str) -> None:
        """Say which rule of the column's type is broken."""
        super().__init__(Reason.MISFIT, detail=detail)


def encoder_for(column_type: ColumnType) -> Encoder:
    """
    Return the function that turns a value (never None) into a field of *column_type*.

    The function raises `MisfitError` for a value that does not fit exactly.
    """
    return _ENCODERS[column_type.kind](column_type)


def _number(value: object) -> Decimal | int:
    # bool is an int to Python; a boolean is not a number to DynamoDB, JSON or this project.
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        raise MisfitError("not a number")
    return value


def _integer(column_type: ColumnType) -> Encoder:
    low = 0 if column_type.unsigned else -(2 ** (column_type.size - 1))
    high = 2**column_type.size - 1 if column_type.unsigned else 2 ** (column_type.size - 1) - 1

    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        number = _number(value)
        # Range first: 1E+100 has no business becoming an int of a hundred digits.
        if not low <= number <= high:
            raise MisfitError(f"outside the range of {column_type.sql}")
        whole = int(number)
        if whole != number:
            raise MisfitError("not a whole number")
        return str(whole)

    return encode


def _decimal(column_type: ColumnType) -> Encoder:
    whole_digits = column_type.size - column_type.scale

    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        number = Decimal(_number(value))
        if not number:
            return "0"
        if column_type.unsigned and number < 0:
            raise MisfitError("negative in an unsigned column")
        if number.adjusted() >= whole_digits:
            raise MisfitError(f"more than {whole_digits} digits before the point")
        whole, _, fraction = format(number, "f").partition(".")
        fraction = fraction.rstrip("0")
        if len(fraction) > column_type.scale:
            raise MisfitError(f"more than {column_type.scale} digits after the point")
        return f"{whole}.{fraction}" if fraction else whole

    return encode


def _exact_double(number: Decimal | int) -> float | None:
    """Return the double whose shortest text is *number*, None when there is none that MySQL keeps."""
    try:
        double = float(number)
    except OverflowError:
        return None
    # MySQL: a DOUBLE is 0 or from 2.2250738585072014E-308 on; smaller ones are not promised.
    if double and abs(double) < sys.float_info.min:
        return None
    return double if Decimal(repr(double)) == number else None


def _double(_: ColumnType) -> Encoder:
    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        double = _exact_double(_number(value))
        if double is None:
            raise MisfitError("not exact as a double")
        return repr(double + 0.0)  # -0.0 is 0.0

    return encode


def _boolean(_: ColumnType) -> Encoder:
    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        if not isinstance(value, bool):
            raise MisfitError("not a boolean")
        return "1" if value else "0"

    return encode


def _plain_text(value: Any) -> str | None:  # noqa: ANN401 - any value may be offered
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (Decimal, int)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return None


def _varchar(column_type: ColumnType) -> Encoder:
    size = column_type.size

    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        text = value if isinstance(value, str) else _plain_text(value)
        if text is None:
            raise MisfitError("not a string, a number or a boolean")
        if len(text) > size:
            raise MisfitError(f"longer than {size} characters")
        return text

    return encode


def _text(column_type: ColumnType) -> Encoder:
    size = column_type.size

    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        text = _plain_text(value)
        if text is None:
            if isinstance(value, bytes):
                raise MisfitError("binary in a text column; use a blob type")
            text = _json_text(value, number=_exact_json_number)
        if len(text.encode()) > size:
            raise MisfitError(f"longer than {size} bytes")
        return text

    return encode


def _binary(column_type: ColumnType) -> Encoder:
    size = column_type.size

    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, bytes):
            raise MisfitError("neither binary nor a string")
        if len(value) > size:
            raise MisfitError(f"longer than {size} bytes")
        return value.hex()

    return encode


def _exact_json_number(number: Decimal | int) -> str:
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def _mysql_json_number(number: Decimal | int) -> str:
    if _INT64 <= number <= _UINT64 and number == int(number):
        return str(int(number))
    # MySQL's JSON type keeps every other number as a double.
    double = _exact_double(number)
    text = None if double is None else _text_that_mysql_reads_as(double)
    if text is None:
        raise MisfitError("a number inside is neither a 64-bit integer nor exact as a JSON double; use a text type")
    return text


def _text_that_mysql_reads_as(double: float) -> str | None:
    # MySQL reads JSON by RapidJSON without its full-precision flag: the significand becomes a double, then one
    # multiplication or division by a power of ten follows. Where that rounds twice, the last bit may be wrong.
    digits = Decimal(repr(double)).as_tuple()
    significand, exponent = int("".join(map(str, digits.digits))), int(digits.exponent)
    if abs(exponent) > _MAX_POWER_OF_TEN:
        return None
    power = float(f"1e{abs(exponent)}")
    read = significand * power if exponent >= 0 else significand / power
    if read != abs(double):
        return None
    if significand <= _MAX_EXACT_SIGNIFICAND:
        return repr(double)
    # Without a point all digits become one integer first, so that what was reckoned above is what is read.
    return f"{'-' if digits.sign else ''}{significand}e{exponent}"


def _json_text(value: Any, *, number: Callable[[Decimal | int], str], depth: int = 1) -> str:  # noqa: ANN401 - any value
    if depth > _MAX_JSON_DEPTH:
        raise MisfitError(f"nested deeper than {_MAX_JSON_DEPTH} levels")
    match value:
        case bool() | None | str():
            return msgspec.json.encode(value).decode()
        case Decimal() | int():
            return number(value)
        case bytes():
            return '"' + b64encode(value).decode() + '"'
        case dict():
            members = (
                f"{_json_key(name)}:{_json_text(inner, number=number, depth=depth + 1)}"
                for name, inner in value.items()
            )
            return "{" + ",".join(members) + "}"
    elements = sorted(value) if isinstance(value, frozenset) else value
    return "[" + ",".join(_json_text(inner, number=number, depth=depth + 1) for inner in elements) + "]"


def _json_key(name: str) -> str:
    if len(name.encode()) > _MAX_JSON_KEY_BYTES:
        raise MisfitError(f"a name inside is longer than {_MAX_JSON_KEY_BYTES} bytes")
    return msgspec.json.encode(name).decode()


def _json(_: ColumnType) -> Encoder:
    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        return _json_text(value, number=_mysql_json_number)

    return encode


def _datetime(column_type: ColumnType) -> Encoder:
    digits = column_type.size

    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        match = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise MisfitError("not an ISO 8601 date and time")
        fraction = (match["fraction"] or "").rstrip("0")
        if len(fraction) > digits:
            raise MisfitError(f"more than {digits} digits of a second")
        try:
            moment = datetime.fromisoformat(match["seconds"] + (match["offset"] or "Z")).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise MisfitError("no such date and time") from error
        if moment.year < _FIRST_YEAR:
            raise MisfitError(f"before the year {_FIRST_YEAR}")
        return moment.strftime("%Y-%m-%d %H:%M:%S") + (f".{fraction}" if fraction else "")

    return encode


def _date(_: ColumnType) -> Encoder:
    def encode(value: Any) -> str:  # noqa: ANN401 - any value may be offered
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise MisfitError("not an ISO 8601 date")
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise MisfitError("no such date") from error
        if day.year < _FIRST_YEAR:
            raise MisfitError(f"before the year {_FIRST_YEAR}")
        return value

    return encode


_ENCODERS: Final[dict[str, Callable[[ColumnType], Encoder]]] = {
    "integer": _integer,
    "decimal": _decimal,
    "double": _double,
    "boolean": _boolean,
    "varchar": _varchar,
    "text": _text,
    "varbinary": _binary,
    "blob": _binary,
    "json": _json,
    "datetime": _datetime,
    "date": _date,
}
