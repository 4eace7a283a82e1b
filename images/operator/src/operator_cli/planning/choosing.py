"""
The type of a column for what was seen at a place: one that takes all of it exactly, with room for more of the like.

Each rule mirrors the encoder of the type (`ddb2aurora.fields`); a property test holds the two side by side.
"""

from typing import Final, NamedTuple

from ddb2aurora.column_types import ColumnType, parse_column_type
from operator_cli.planning.places import Place
from operator_cli.planning.texts import Texts
from operator_cli.scanning.table import AttributeType

# From 64 characters on InnoDB may keep the column off the page: 256 bytes and more.
_VARCHARS: Final = (64, 128, 255, 500, 1000, 2000)
_VARBINARIES: Final = (256, 512, 1000, 4000)
_TEXT_BYTES: Final = (("text", 2**16 - 1), ("mediumtext", 2**24 - 1), ("longtext", 2**32 - 1))
_ROOM: Final = 2  # times what was seen
_MOST_DIGITS: Final = 65
_MOST_FRACTION_DIGITS: Final = 30
_LEAST_WHOLE_DIGITS: Final = 12
_SPARE_DIGITS: Final = 2
_MILLISECONDS: Final = 3
_MICROSECONDS: Final = 6
_KEY_CHARACTERS: Final = ((64, 128, 255, 512), (64, 128, 255))  # 4 bytes each; of hash and range
_KEY_BYTES: Final = (2048, 1024)  # DynamoDB: the longest hash key and the longest range key
_NUMBER_CHARACTERS: Final = 170  # DynamoDB: a sign, "0." and 167 digits of a number of 38 digits near 1E-130
ONLY_NULL: Final = "only NULL was seen"


class Choice(NamedTuple):
    """The *type* for a column, None when none takes all that was seen, and *why*."""

    type: ColumnType | None
    why: str


def choose(place: Place) -> Choice:
    """Return the type for a column of the values at *place*; NULL and absent values are NULL in any type."""
    types = place.types
    if len(types) <= 1:
        return _single(place)
    if types <= {"S", "N", "BOOL"}:
        characters = _longest_plain_text(place)
        byte_length = max(place.texts.longest_bytes, characters)
        return _chosen(_text_type(characters, byte_length), f"{_listed(types)} in one place, as plain text")
    if types <= {"S", "B"}:
        return _chosen(_binary_type(max(place.binary_bytes, place.texts.longest_bytes)), _binary_why(place))
    return _document(place)


def _single(place: Place) -> Choice:
    match [*place.types]:
        case []:
            return Choice(None, ONLY_NULL)
        case ["BOOL"]:
            return _chosen("boolean", "true and false")
        case ["N"]:
            return _number(place)
        case ["S"]:
            return _string(place.texts)
        case ["B"]:
            return _chosen(_binary_type(place.binary_bytes), _binary_why(place))
    return _document(place)


def choose_number(place: Place) -> Choice:
    """Return the type for a column of the numbers at *place*, whatever else is there."""
    return _number(place)


def choose_key(place: Place, kind: AttributeType, *, position: int) -> Choice:
    """
    Return the type for the column of the key attribute number *position*, which is of *kind*.

    Whatever it is, both key columns together fit an InnoDB index.
    """
    if kind == "N":
        choice = _number(place)
        if choice.type is not None and choice.type.may_be_key and choice.type.kind != "varchar":
            return choice
        return _chosen(f"varchar({_NUMBER_CHARACTERS})", "numbers that no numeric key column keeps, as plain text")
    limit = _KEY_BYTES[position]
    if kind == "B":
        return _chosen(f"varbinary({limit})", "binary, with room for DynamoDB's longest key")
    characters = place.texts.longest_characters
    room = next((size for size in _KEY_CHARACTERS[position] if size >= _ROOM * characters), None)
    if room is None:
        why = f"{_characters(place.texts)}: too long for a varchar in an index, so its UTF-8 bytes"
        return _chosen(f"varbinary({limit})", why)
    return _chosen(f"varchar({room})", f"{_characters(place.texts)}; varbinary({limit}) would take any key")


def choose_item(*, fits_json: bool, fits_text: bool, longest_bytes: int) -> Choice:
    """Return the type for the column of the whole item."""
    if fits_json:
        return _chosen("json", "the whole item; all numbers seen are exact in MySQL's JSON")
    if fits_text:
        return _chosen(
            _long_text_type(longest_bytes), "the whole item, as text: some numbers are not exact in MySQL's JSON"
        )
    return Choice(None, "it nests too deeply, or has too long a name, for any column")


def _chosen(sql: str, why: str) -> Choice:
    return Choice(parse_column_type(sql), why)


def _number(place: Place) -> Choice:
    numbers = place.numbers
    whole, fraction = numbers.whole_digits, numbers.fraction_digits
    digits = f"numbers with up to {whole} digits before the point and {fraction} after it"
    if numbers.in_int64:
        return _chosen("bigint", f"whole numbers of up to {max(whole, 1)} digits")
    if numbers.in_uint64:
        return _chosen("bigint unsigned", f"whole numbers of up to {whole} digits, none below 0")
    if fraction <= _MOST_FRACTION_DIGITS and whole + fraction <= _MOST_DIGITS:
        scale = min(fraction + _SPARE_DIGITS, _MOST_FRACTION_DIGITS, _MOST_DIGITS - whole) if fraction else 0
        size = min(max(whole + _SPARE_DIGITS, _LEAST_WHOLE_DIGITS) + scale, _MOST_DIGITS)
        return _chosen(f"decimal({size},{scale})", digits)
    if numbers.are_doubles:
        return _chosen("double", f"{digits}, each exact as a double")
    why = f"{digits}: more than any numeric type keeps exactly, so as plain text"
    return _chosen(_text_type(numbers.longest_text, numbers.longest_text), why)


def _string(texts: Texts) -> Choice:
    if texts.are_dates:
        return _chosen("date", "all are ISO 8601 dates")
    if texts.are_times:
        digits = _MILLISECONDS if texts.second_digits <= _MILLISECONDS else _MICROSECONDS
        meaning = "with an offset, kept in UTC" if texts.times_with_offset else "without an offset"
        return _chosen(f"datetime({digits})", f"all are ISO 8601 times {meaning}")
    return _chosen(_text_type(texts.longest_characters, texts.longest_bytes), _characters(texts))


def _document(place: Place) -> Choice:
    what = f"{_listed(place.types)}" + (" in one place" if len(place.types) > 1 else "")
    if place.composites_fit_json and place.numbers.in_json:
        return _chosen("json", f"{what}; all numbers seen are exact in MySQL's JSON")
    if "B" not in place.types and place.composites_fit_text:
        byte_length = max(place.composite_bytes, place.texts.longest_bytes, place.numbers.longest_text)
        return _chosen(
            _long_text_type(byte_length), f"{what}, as JSON text: some numbers are not exact in MySQL's JSON"
        )
    return Choice(None, f"{what}: no type of MySQL keeps all of them exactly")


def _longest_plain_text(place: Place) -> int:
    # That of a boolean is shorter than the shortest varchar here.
    return max(place.texts.longest_characters, place.numbers.longest_text)


def _text_type(characters: int, byte_length: int) -> str:
    for size in _VARCHARS:
        if _ROOM * characters <= size:
            return f"varchar({size})"
    return _long_text_type(byte_length)


def _long_text_type(byte_length: int) -> str:
    return next((name for name, limit in _TEXT_BYTES if _ROOM * byte_length <= limit), "longtext")


def _binary_type(byte_length: int) -> str:
    for size in _VARBINARIES:
        if _ROOM * byte_length <= size:
            return f"varbinary({size})"
    return _long_text_type(byte_length).replace("text", "blob")


def _binary_why(place: Place) -> str:
    if "S" in place.types:
        return "binary and strings in one place, as bytes"
    return f"binary of up to {place.binary_bytes} bytes"


def _characters(texts: Texts) -> str:
    told = f"strings of up to {texts.longest_characters} characters"
    return told if texts.longest_bytes == texts.longest_characters else f"{told}, {texts.longest_bytes} bytes"


_WORDS: Final = {
    "S": "strings",
    "N": "numbers",
    "BOOL": "booleans",
    "B": "binary",
    "M": "maps",
    "L": "lists",
    "SS": "string sets",
    "NS": "number sets",
    "BS": "binary sets",
}


def _listed(types: frozenset[str]) -> str:
    *most, last = [word for kind, word in _WORDS.items() if kind in types]
    return f"{', '.join(most)} and {last}" if most else last


def is_mixed(place: Place) -> bool:
    """Return whether values of several types were seen at *place*."""
    return len(place.types) > 1


def is_open_map(place: Place) -> bool:
    """Return whether the keys of the maps at *place* can be columns: nothing but maps, with few keys."""
    return place.types == {"M"} and bool(place.children) and not place.is_crowded
