"""
The transformer as most people would write it in Python: the standard library and `jsonschema`, for one table only.

The validator is made once and fields are quoted as they have to be. It gives our answers, and checks no lengths.
"""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema

_VALIDATOR = jsonschema.Draft4Validator(json.loads(Path(os.environ["SCHEMA"]).read_text()))  # noqa: TID251 - as users do
_SHAPE = os.environ["SHAPE"]  # noqa: TID251 - as users do
_NEEDS_QUOTES = re.compile('[,"\\\\\n\r\t\0\x1a]')
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\x1a": "\\Z"})


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return {"records": [_answer(record) for record in event["records"]]}


def _answer(record: dict[str, Any]) -> dict[str, str]:
    try:
        row = _row(json.loads(base64.b64decode(record["data"])))
    except (ValueError, KeyError, TypeError, jsonschema.ValidationError) as error:
        why = getattr(error, "message", str(error))
        print(json.dumps({"message": "record rejected", "record_id": record["recordId"], "detail": why}))  # noqa: T201 - as users do
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": ""}
    return {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(row.encode()).decode()}


def _row(change: dict[str, Any]) -> str:
    version = f"{change['epoch_ms']}{change['sequence']:0>40}"
    key = [change["keys"]["page_id"]["S"], change["keys"]["activity_dt"]["S"]]
    if change["event"] == "REMOVE":
        return _line(["D", version, change["at_ms"], *key, None, None, None, None, None])
    visit = json.loads(change["image"]["payload"]["S"])
    _VALIDATOR.validate(visit)
    session = visit["session"]
    country = visit["device"]["location"]["country"]
    values = [change["at_ms"], visit["Hits"], session["start_timestamp"], session["stop_timestamp"], country]
    return _line(["U", version, change["at_ms"], *key, *values])


def _line(fields: list[Any]) -> str:
    return ",".join([_SHAPE, *map(_field, fields)]) + "\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    text = str(value)
    return f'"{text.translate(_ESCAPES)}"' if _NEEDS_QUOTES.search(text) or text == "NULL" else text
