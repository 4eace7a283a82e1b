"""
The function that turns a line into a row, written as source for the columns of one pipeline.

A call a column costs more than what most columns do. So columns that are plainly there (a string of the key, a whole
number in a document) are read in place, and the row is one f-string, as long as every field fits at first sight and
none needs quotes. A row that is otherwise is handed to the general readers and the writer of the dialect. Nothing of a
pipeline file stands in the source: names in it are our own, and numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from string import Template
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec import UNSET

from ddb2aurora.column_types import ColumnType
from ddb2aurora.dialect import NULL
from ddb2aurora.quick_structs import Number
from ddb2aurora.version import SEQUENCE_DIGITS

# A change as its struct, and its documents in the order of the pipeline; None is NULL.
FieldOf: TypeAlias = Callable[[Any, Sequence[Any]], str | None]
# From a change, its fields and what stands before its version to the line of the row.
Writer: TypeAlias = Callable[[Any, list[str | None], str], bytes | None]
# The time of the change, which every line has read before its columns.
CHANGED_AT: Final = "at"


class Reader(NamedTuple):
    """
    What reads the field of one column.

    *general* always does. Where the *value* can be written as an expression on `put`, `at` and the documents `d0`, `d1`
    and so on, a value that fits *column_type* at first sight is taken in place. It can only be of this *kind* (a type
    of Python, or `Number` for DynamoDB's text), if that is one; an *is_optional* value may be None for NULL.
    """

    general: FieldOf
    value: str | None = None
    column_type: ColumnType | None = None
    kind: type | None = None
    is_optional: bool = False

    def place(self, number: int) -> "_Place":
        """Return how the field stands in the source; the general reader is `general[number]`."""
        name = f"v{number}"
        if self.value == CHANGED_AT and self.column_type is not None and self.column_type.size == _LARGEST_INTEGER:
            return _Place("", "", "time", is_plain=True)
        fits = None if self.column_type is None else _FITS.get((self.column_type.kind, self.kind is Number))
        if self.value is None or self.column_type is None or fits is None:
            # What it gives fits, or is None.
            return _Place(f"{name} = general{number}(put, documents)", f"{name} != 'NULL'", name, is_optional=True)
        reading, condition = f"{name} = {self.value}", fits(name, self.column_type, self.kind)
        is_plain = self.column_type.kind != "varchar"
        if self.is_optional:
            return _Place(reading, f"({name} is None or {condition})", name, is_plain=is_plain, is_optional=True)
        return _Place(reading, condition, name, is_plain=is_plain)


class _Place(NamedTuple):
    """A column in the source: its *reading*, when it *fits*, the *name* of what was read; a plain one is a number."""

    reading: str
    fits: str
    name: str
    is_plain: bool = False
    is_optional: bool = False

    @property
    def text(self) -> str:
        """How the field stands in an f-string."""
        return f"{{NULL if {self.name} is None else {self.name}}}" if self.is_optional else f"{{{self.name}}}"


class Opener(NamedTuple):
    """What opens one document: a function of its text, which stands where the expression *text* says."""

    open: Callable[[Any], Any]
    text: str


_MOST_INTEGER_DIGITS: Final = 18
_LARGEST_INTEGER: Final = 64
_MOST_EPOCHS: Final = 100
_NO_COLUMN: Final = _Place("", "", "NULL", is_plain=True)
# Control characters, which are rare in any table, are left to the writer of the dialect, and so is the word NULL.
_ROW: Final = Template("""
def row_of(put):
    at = put.changed_at_ms
    epoch = put.stream_epoch_ms
    sequence = put.sequence_number
    $readings
    if at is not None and epoch and len(sequence) <= 40 and sequence.encode().isdigit()$fits:
        time = str(at)
        texts = f"$texts"
        if ('\\n' not in texts and '\\r' not in texts and '\\t' not in texts and '\\0' not in texts
                and '\\x1a' not in texts):
            if BACKSLASH in texts or '"' in texts or ',' in texts:
                $quotes
            return f"{BEGINNINGS[len(sequence)][epoch]}{sequence},{time},$fields\\n".encode()
    return write(put, [$general], BEGINNING)
""")


class _Beginnings(dict[int, str]):
    """What stands before a sequence number, by the epoch. Epochs are few: a stream has one as long as it lives."""

    def __init__(self, beginning: str, zeros: int) -> None:
        self._beginning = beginning
        self._zeros = "0" * zeros

    def __missing__(self, epoch: int) -> str:
        if len(self) > _MOST_EPOCHS:
            self.clear()
        text = self[epoch] = f"{self._beginning}{epoch}{self._zeros}"
        return text


def documents_function(openers: Sequence[Opener]) -> Callable[[Any], Sequence[Any]]:
    """Return the function that opens the documents of a change."""
    opened = "".join(f"open{number}({opener.text})," for number, opener in enumerate(openers))
    documents_of: Callable[[Any], Sequence[Any]] = _compiled(
        f"def documents_of(put):\n    return ({opened})\n", "documents_of", _names((), openers)
    )
    return documents_of


def row_function(
    readers: Sequence[Reader | None], openers: Sequence[Opener], *, beginning: str, write: Writer
) -> Callable[[Any], bytes | None]:
    """
    Return the function from a change to the line of its row, None where its sequence number is none.

    The line has *beginning* before its version; a column without a reader is NULL. A row with a field that does not fit
    at first sight, or needs quotes, is left to *write*.
    """
    places = [_NO_COLUMN if reader is None else reader.place(number) for number, reader in enumerate(readers)]
    opened = [f"d{number} = open{number}({opener.text})" for number, opener in enumerate(openers)]
    opened.append(f"documents = ({''.join(f'd{number},' for number in range(len(openers)))})")
    awkward = [place for place in places if not place.is_plain]
    source = _ROW.substitute(
        readings="\n    ".join(opened + [place.reading for place in places if place.reading]),
        fits="".join(f" and {place.fits}" for place in places if place.fits),
        texts="".join(f"{{{place.name}}}" for place in awkward),
        quotes="; ".join(f"{place.name} = quoted({place.name})" for place in awkward) or "pass",
        fields=",".join(place.text for place in places),
        general=", ".join(
            "None" if reader is None else f"general{number}(put, documents)" for number, reader in enumerate(readers)
        ),
    )
    beginnings = [_Beginnings(beginning, SEQUENCE_DIGITS - digits) for digits in range(SEQUENCE_DIGITS + 1)]
    names = {"UNSET": UNSET, "NULL": NULL, "BACKSLASH": "\\", "BEGINNING": beginning, "BEGINNINGS": beginnings}
    names |= {"write": write, "quoted": _quoted, **_names(readers, openers)}
    row_of: Callable[[Any], bytes | None] = _compiled(source, "row_of", names)
    return row_of


def _quoted(field: str | None) -> str | None:
    """Return a field without control characters as it stands in a line, unless it is the word NULL."""
    if field is None:
        return None
    if '"' in field or "\\" in field:
        field = field.replace("\\", "\\\\").replace('"', '\\"')
    elif "," not in field:
        return field
    return f'"{field}"'


def _names(readers: Sequence[Reader | None], openers: Sequence[Opener]) -> dict[str, Any]:
    names: dict[str, Any] = {
        f"general{number}": reader.general for number, reader in enumerate(readers) if reader is not None
    }
    return names | {f"open{number}": opener.open for number, opener in enumerate(openers)}


def _compiled(source: str, name: str, names: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a function
    found = dict(names)
    exec(source, found)  # noqa: S102 - the source is our own, see above
    return found[name]


def _varchar(name: str, column_type: ColumnType, kind: type | None) -> str:
    return _of_type(name, str, kind) + f"len({name}) <= {column_type.size} and {name} != 'NULL'"


def _integer(name: str, column_type: ColumnType, kind: type | None) -> str:
    low = 0 if column_type.unsigned else -(2 ** (column_type.size - 1))
    high = low + 2**column_type.size - 1
    return _of_type(name, int, kind) + f"{low} <= {name} <= {high}"


def _of_type(name: str, wanted: type, kind: type | None) -> str:
    return "" if kind is wanted else f"type({name}) is {wanted.__name__} and "


def _integer_from_text(name: str, column_type: ColumnType, _kind: type | None) -> str:
    most = 2**column_type.size - 1 if column_type.unsigned else 2 ** (column_type.size - 1) - 1
    # Written as MySQL's own would be: no sign, no zero in front.
    is_plain = f"{name}.isdigit() and {name}.isascii() and {name}[0] != '0' and len({name}) <= {_MOST_INTEGER_DIGITS}"
    return f"{is_plain} and int({name}) <= {most}"


# By the kind of the column, and whether the value is DynamoDB's text of a number.
_FITS: Final[Mapping[tuple[str, bool], Callable[[str, ColumnType, type | None], str]]] = {
    ("varchar", False): _varchar,
    ("integer", False): _integer,
    ("integer", True): _integer_from_text,
}
