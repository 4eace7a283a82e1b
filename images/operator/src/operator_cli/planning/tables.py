"""The tables of a plan, as people see them."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from operator_cli.folding import folding_table
from operator_cli.planning.entities import describe
from operator_cli.planning.places import Place, Step
from operator_cli.planning.profile import Profile
from operator_cli.planning.showing import Columns, shown_number, shown_path


def place_table(places: Sequence[tuple[tuple[Step, ...], Place]], profile: Profile, columns: Columns) -> Table:
    """Return a row for each of *places*: what was seen there, and which of *columns* takes it."""
    table = folding_table("place", "types", "values", "per item", "longest", "numbers", "column")
    for path, place in places:
        table.add_row(
            escape(shown_path(path)),
            " ".join(f"{kind}:{count}" for kind, count in place.kinds.most_common()),
            str(place.count),
            f"{place.count / max(1, profile.items):.2f}",
            escape(_longest(place)),
            _numbers(place),
            columns.get(path, ""),
        )
    return table


def entity_table(profile: Profile) -> Table:
    """Return a row for each kind of items."""
    table = folding_table("key", "items", "attributes", "always there")
    for tokens, entity in sorted(profile.entities.found.items(), key=lambda found: -found[1].count):
        always = sorted(entity.always - set(profile.key))
        table.add_row(
            escape(describe(tokens, profile.key)),
            str(entity.count),
            str(len(entity.attributes)),
            escape(", ".join(name if name.isprintable() else ascii(name) for name in always)),
        )
    return table


def _longest(place: Place) -> str:
    parts = []
    if "S" in place.kinds:
        characters, size = place.texts.longest_characters, place.texts.longest_bytes
        parts.append(f"{characters} chars" if characters == size else f"{characters} chars, {size} B")
        if place.texts.dates or place.texts.times:
            parts.append(f"{place.texts.dates + place.texts.times} dates")
        if place.document is not None:
            parts.append(f"{place.document.count} JSON")
    if "B" in place.kinds:
        parts.append(f"{place.binary_bytes} B")
    if place.composite_bytes:
        parts.append(f"{place.composite_bytes} B as JSON")
    if place.is_crowded:
        parts.append("more keys")
    return ", ".join(parts)


def _numbers(place: Place) -> str:
    if "N" not in place.kinds:
        return ""
    numbers = place.numbers
    span = f"{shown_number(numbers.lowest)} … {shown_number(numbers.highest)}"
    return f"{span} ({numbers.whole_digits} + {numbers.fraction_digits} digits)"
