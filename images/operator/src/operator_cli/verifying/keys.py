"""
From the key of a row back to the key of its item, so that the item can be asked for.

A row that somebody added by hand may have a key that no item can have; then there is nothing to ask for.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ddb2aurora.codec import decode, number_to_text
from ddb2aurora.column_types import ColumnType
from ddb2aurora.errors import RejectError
from ddb2aurora.fields import encoder_for
from ddb2aurora.pipeline import Pipeline
from operator_cli.scanning.table import AttributeType
from operator_cli.verifying.sides import Key

# DynamoDB: the longest hash key and the longest range key, in bytes; neither may be empty.
_MAX_KEY_BYTES: Final = (2048, 1024)


class ItemKeys:
    """The keys of one table: how they are asked for, written down, and told from the keys of rows."""

    def __init__(self, pipeline: Pipeline, types: Mapping[str, AttributeType]) -> None:
        """Serve *pipeline*, whose table says that its key attributes are of these *types*."""
        self._parts = tuple(
            (attribute, types[attribute], column.type)
            for attribute, column in zip(pipeline.source_key, pipeline.key_columns, strict=True)
        )

    def of_row(self, key: Key) -> dict[str, Any] | None:
        """Return the key, as a stream carries it, of the item whose row has *key*; None if no item can have it."""
        found = {}
        for (attribute, kind, column_type), field, limit in zip(self._parts, key, _MAX_KEY_BYTES, strict=False):
            value = _value(field, kind, column_type, limit=limit)
            if value is None:
                return None
            found[attribute] = value
        return found

    def text(self, keys: Mapping[str, Any]) -> str:
        """Return *keys* as one text that is the same for equal keys."""
        return json.dumps([keys[attribute] for attribute, _, _ in self._parts], ensure_ascii=False, sort_keys=True)

    def parse(self, text: str) -> dict[str, Any]:
        """Return the keys that `text` made *text* of."""
        return dict(zip((attribute for attribute, _, _ in self._parts), json.loads(text), strict=True))


def _value(field: str | None, kind: AttributeType, column_type: ColumnType, *, limit: int) -> dict[str, str] | None:
    if not field:
        return None
    try:
        raw = bytes.fromhex(field) if column_type.is_binary else field.encode()
        if kind == "N":
            value = {"N": number_to_text(Decimal(field))}
        elif kind == "B":
            value = {"B": b64encode(raw).decode()}
        else:
            value = {"S": raw.decode()}
        # The way there must lead back: '01' is the text of no number.
        if encoder_for(column_type)(decode(value)) != field:
            return None
    except (ArithmeticError, RejectError, ValueError):
        return None
    return value if kind == "N" or len(raw) <= limit else None
