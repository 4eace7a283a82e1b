"""The key of an item, as an operator writes it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ddb2aurora.codec import decode
from ddb2aurora.errors import HaltError, RejectError
from operator_cli.scanning.table import AttributeType


class KeyTextError(HaltError):
    """What was given is not the key of an item of this table."""


def parse_key(
    text: str | None, assignments: Sequence[str], *, types: Mapping[str, AttributeType]
) -> dict[str, dict[str, str]]:
    """
    Return the key in DynamoDB JSON out of *text*, a JSON object, or of *assignments* such as `id=5`.

    Values may be plain, or in DynamoDB JSON already; binary is base64. *types* are those of the table's key.

    Raises:
        KeyTextError: It is no key of the table; the error names the attributes that it has.
    """
    given: Any = {}
    if text is not None:
        try:
            # Numbers keep their digits.
            given = json.loads(text, parse_float=str, parse_int=str)
        except ValueError as error:
            raise KeyTextError(f"the key is not JSON; {_form(types)}") from error
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise KeyTextError(f"--key takes attribute=value; {_form(types)}")
        if isinstance(given, dict):
            if name in given:
                raise KeyTextError(f"the attribute {name} is given twice; {_form(types)}")
            given[name] = value
    if not isinstance(given, dict) or given.keys() != types.keys():
        raise KeyTextError(f"not the key of this table; {_form(types)}")
    return {name: _typed(name, given[name], kind, types) for name, kind in types.items()}


def _typed(name: str, value: Any, kind: AttributeType, types: Mapping[str, AttributeType]) -> dict[str, str]:  # noqa: ANN401 - whatever was written
    plain: Any = value[kind] if isinstance(value, dict) and list(value) == [kind] else value
    try:
        decode({kind: plain})
    except RejectError as error:
        raise KeyTextError(f"the attribute {name} is of type {kind}: {error.detail}; {_form(types)}") from error
    return {kind: plain}


def _form(types: Mapping[str, AttributeType]) -> str:
    form = json.dumps({name: 5 if kind == "N" else "…" for name, kind in types.items()}, ensure_ascii=False)
    return f"write it like '{form}' or " + " ".join(f"--key {name}=…" for name in types)
