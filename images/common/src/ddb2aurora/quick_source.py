"""
One function that reads all fields of a row, written as source for the columns of a pipeline.

A call a column costs more than what most columns do. So columns that are plainly there (a required string, a whole
number in a document) are read in place, and handed to their general reader only when they do not fit. Nothing of a
pipeline file stands in the source: names in it are our own, and numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from ddb2aurora.column_types import ColumnType

# A change as its struct, and its documents in the order of the pipeline; None is NULL.
FieldOf: TypeAlias = Callable[[Any, Sequence[Any]], str | None]


class Reader(NamedTuple):
    """
    What reads the field of one column.

    *general* always does. Where the *value* can be written as an expression on `put` and `documents`, a value that
    fits *column_type* at first sight is taken in place.
    """

    general: FieldOf
    value: str | None = None
    column_type: ColumnType | None = None

    def expression(self, number: int) -> str:
        """Return the expression for the field; the general reader is `general[number]`."""
        general = f"general{number}(put, documents)"
        fits = None if self.column_type is None else _FIELDS.get(self.column_type.kind)
        if self.value is None or self.column_type is None or fits is None:
            return general
        return f"{fits(self.value, self.column_type)} else {general}"


class Opener(NamedTuple):
    """What opens one document: a function of its text, which stands where the expression *text* says."""

    open: Callable[[Any], Any]
    text: str


def reader_of_all(readers: Sequence[Reader], openers: Sequence[Opener]) -> Callable[[Any], list[str | None]]:
    """Return the function that opens the documents of a change and reads the fields of all *readers*."""
    documents = "".join(f"open{number}({opener.text})," for number, opener in enumerate(openers))
    fields = ", ".join(f"({reader.expression(number)})" for number, reader in enumerate(readers))
    names: dict[str, Any] = {f"general{number}": reader.general for number, reader in enumerate(readers)}
    names |= {f"open{number}": opener.open for number, opener in enumerate(openers)}
    source = f"def read(put):\n    documents = ({documents})\n    return [{fields}]\n"
    exec(source, names)  # noqa: S102 - the source is our own, see above
    read: Callable[[Any], list[str | None]] = names["read"]
    return read


def _varchar(value: str, column_type: ColumnType) -> str:
    return f"v if type(v := {value}) is str and len(v) <= {column_type.size}"


def _integer(value: str, column_type: ColumnType) -> str:
    low = 0 if column_type.unsigned else -(2 ** (column_type.size - 1))
    high = low + 2**column_type.size - 1
    return f"str(v) if type(v := {value}) is int and {low} <= v <= {high}"


_FIELDS: dict[str, Callable[[str, ColumnType], str]] = {"varchar": _varchar, "integer": _integer}
