"""How places, paths and numbers are shown, to people and to machines."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from operator_cli.planning.choosing import choose, is_open_map
from operator_cli.planning.places import Place, Step
from operator_cli.planning.profile import Profile

# Types of columns by the paths that they are read from.
Columns: TypeAlias = Mapping[tuple[Step | int, ...], str]

_LONGEST_NUMBER_SHOWN: Final = 24


def places_of(profile: Profile) -> Iterator[tuple[tuple[Step, ...], Place]]:
    """Yield the places of *profile* with their paths, attribute by attribute; the keys first."""
    first = list(profile.key)
    names = sorted(profile.root.children, key=lambda name: (first.index(name) if name in first else len(first), name))
    for name in names:
        yield from profile.root.children[name].walk((name,))


def shown_path(path: tuple[Step, ...]) -> str:
    """Return *path* for people and machines: `a.b[].c`; a name is shown as it is, controls escaped."""
    text = ""
    for step in path:
        text += "[]" if step is None else (f".{step}" if text else step)
    return text if text.isprintable() else ascii(text)


def place_as_json(path: tuple[Step, ...], place: Place, columns: Columns) -> dict[str, Any]:
    """Return what was seen at *place*, which is at *path*, and which of *columns* takes it."""
    numbers, texts = place.numbers, place.texts
    choice = choose(place)
    found: dict[str, Any] = {"path": shown_path(path), "types": dict(place.kinds.most_common()), "values": place.count}
    if "S" in place.kinds:
        found |= {"longest_characters": texts.longest_characters, "longest_bytes": texts.longest_bytes}
        found |= {"dates": texts.dates, "times": texts.times}
        found["documents"] = place.document.count if place.document else 0
    if "N" in place.kinds:
        found |= {"lowest": str(numbers.lowest), "highest": str(numbers.highest)}
        found |= {"digits_before_point": numbers.whole_digits, "digits_after_point": numbers.fraction_digits}
    if "B" in place.kinds:
        found["longest_binary_bytes"] = place.binary_bytes
    if place.is_crowded:
        found["has_more_keys"] = True
    if path in columns:
        found["column_type"] = columns[path]
    if not is_open_map(place):
        found |= {"fitting_type": choice.type.sql if choice.type else None, "why": choice.why}
    return found


def shown_number(number: Decimal | int | None) -> str:
    """Return *number* in full where that is short, otherwise its first digits and an exponent."""
    text = "" if number is None else str(number) if isinstance(number, int) else format(number, "f")
    return text if len(text) <= _LONGEST_NUMBER_SHOWN else f"{Decimal(number or 0):.5e}"
