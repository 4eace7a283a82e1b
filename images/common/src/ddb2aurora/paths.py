"""
Where a column takes its value from: a path into the item, or one of a few names for facts about the change.

A path is an attribute's name, then map keys and list indexes: `device.location.country`, `visits[0].page`. A name that
holds a dot, a bracket or a quote is written in brackets and double quotes, as in `["a.b"]["c"]`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


class Missing:
    """The type of `MISSING`, which stands for a place that is not there (null is a value that is)."""


MISSING: Final = Missing()

CHANGED_AT_MS: Final = "$changed_at_ms"
EVENT_NAME: Final = "$event_name"
SEQUENCE_NUMBER: Final = "$sequence_number"
ITEM: Final = "$item"
FACTS: Final = (CHANGED_AT_MS, EVENT_NAME, SEQUENCE_NUMBER, ITEM)

_STEP = re.compile(
    r'(?:^|(?!^)\.)(?P<name>[^.\[\]"$][^.\[\]"]*)|\[(?P<index>[0-9]{1,6})\]|\["(?P<quoted>(?:[^"\\]|\\.)+)"\]',
    re.DOTALL,
)


def parse_path(text: str) -> Path:
    """
    Return the steps of a path.

    Raises:
        ValueError: *text* is not a path.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a path: it stops making sense at character {position + 1}")
        if match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append(match["name"] or re.sub(r"\\(.)", r"\1", match["quoted"], flags=re.DOTALL))
        position = match.end()
    if not steps or isinstance(steps[0], int):
        raise ValueError(f"{text!r} is not a path: it must begin with the name of an attribute")
    return tuple(steps)


def look_up(values: Mapping[str, Any], path: Path) -> Any:  # noqa: ANN401 - an item holds any value
    """Return the value at *path*, or `MISSING` when a step of it is not there."""
    value: Any = values
    for step in path:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return MISSING
            value = value[step]
        elif isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return MISSING
    return value
