"""Between the values of a MySQL driver and the fields of rows, so that the two can be compared, and asked for."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ddb2aurora.column_types import ColumnType
from ddb2aurora.dialect import Field


def field_of(value: Any, column_type: ColumnType) -> Field:  # noqa: ANN401, PLR0911 - a return for each type that a driver gives
    """
    Return *value* of a column of *column_type* as the comparable form of a field.

    Raises:
        TypeError: The driver gave a type that no such column has.
    """
    match value:
        case None:
            return None
        case bytes():
            return value.hex() if column_type.is_binary else comparable(value.decode(), column_type)
        case str():
            return comparable(value, column_type)
        case float():
            return repr(value)
        case int():
            return str(value)
        case Decimal():
            return _plain(value)
        case datetime():
            fraction = f"{value.microsecond:06}".rstrip("0")
            return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{fraction}" if fraction else "")
        case date():
            return value.isoformat()
    raise TypeError(f"a column of type {column_type.sql} gave a {type(value).__name__}")


def comparable(field: Field, column_type: ColumnType) -> Field:
    """Return *field* in the one form that equal values share; only JSON has several ways to write one value."""
    if field is None or column_type.kind != "json":
        return field
    # Every number that a json column takes is a 64-bit integer or exact as a double.
    return msgspec.json.encode(json.loads(field), order="sorted").decode()


def parameter_of(field: Field, column_type: ColumnType) -> Any:  # noqa: ANN401 - whatever a driver takes
    """Return *field* of a column of *column_type* as a parameter of a statement; the inverse of `field_of`."""
    if field is None:
        return None
    if column_type.is_binary:
        return bytes.fromhex(field)
    match column_type.kind:
        case "integer" | "boolean":
            return int(field)
        case "decimal":
            # As text it would be compared with a column as a double, which is neither exact nor found by an index.
            return Decimal(field)
    return field


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
