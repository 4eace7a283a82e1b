"""
One form for a value, whoever holds it: a case, the model or the database. Equal means stored exactly.

Whole numbers are `int`, decimals `Decimal`, doubles `float`, text and times `str`, binary `bytes`, JSON what it says.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ddb2aurora.column_types import ColumnType
from ddb2aurora.pipeline import Pipeline


def written_row(row: Mapping[str, Any], pipeline: Pipeline) -> tuple[Any, ...]:
    """Return the values of a row as a case writes it."""
    names = [column.name for column in pipeline.columns]
    if unknown := row.keys() - set(names):
        raise KeyError(f"no such columns: {', '.join(sorted(unknown))}")
    return tuple(_written(row.get(column.name), column.type) for column in pipeline.columns)


def field_row(fields: tuple[str | None, ...], pipeline: Pipeline) -> tuple[Any, ...]:
    """Return the values of a row as the model holds it, in the text of a CSV line."""
    return tuple(_field(text, column.type) for text, column in zip(fields, pipeline.columns, strict=True))


def stored_row(values: tuple[Any, ...], pipeline: Pipeline) -> tuple[Any, ...]:
    """Return the values of a row as the database gives it back."""
    return tuple(_stored(value, column.type) for value, column in zip(values, pipeline.columns, strict=True))


def _written(value: Any, type_: ColumnType) -> Any:  # noqa: PLR0911 - one return a type
    if value is None:
        return None
    match type_.kind:
        case "decimal" if type(value) in (int, Decimal):
            return Decimal(value)
        case "double" if type(value) in (int, Decimal):
            return float(value)
        case "json" if isinstance(value, str):
            return _parsed(value)
        case "integer" if type(value) is int:
            return value
        case "boolean" if type(value) is bool:
            return int(value)
        case "varbinary" | "blob" if isinstance(value, bytes):
            return value
        case "varchar" | "text" | "datetime" | "date" if isinstance(value, str):
            return value
    raise TypeError(f"a {type(value).__name__} says nothing about a column of type {type_.sql}")


def _field(text: str | None, type_: ColumnType) -> Any:  # noqa: PLR0911 - one return a type
    if text is None:
        return None
    match type_.kind:
        case "integer" | "boolean":
            return int(text)
        case "decimal":
            return Decimal(text)
        case "double":
            return float(text)
        case "json":
            return _parsed(text)
        case "varbinary" | "blob":
            return bytes.fromhex(text)
    return text


def _stored(value: Any, type_: ColumnType) -> Any:
    if isinstance(value, datetime):
        fraction = f".{value.microsecond:06}".rstrip("0").rstrip(".")
        return f"{value:%Y-%m-%d %H:%M:%S}{fraction}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and type_.kind == "json":
        return _parsed(value)
    return value


def _parsed(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)
