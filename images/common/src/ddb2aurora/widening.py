"""
What a change of a column's type means for the values: which types hold all of another, and whose texts carry over.

Both are about exactness. `holds`: each value of one type is the same value in the other, so a table may be wider than a
pipeline file asks for. `carries`: each field that was written for one type is what the same item gives for the other,
or is refused by a strict server; so a row of yesterday's columns can be loaded into today's.
"""

from typing import Final

from ddb2aurora.column_types import ColumnType

# A strict server refuses a field that is too long or out of range, or it warns, which is an error as well. Not so with
# a datetime: MySQL rounds surplus digits of a second in silence.
_REFUSED_IF_TOO_WIDE: Final = ("integer", "decimal", "varchar", "text", "varbinary", "blob")


def holds(wide: ColumnType, narrow: ColumnType) -> bool:
    """Return whether every value of *narrow* is the same value in *wide*."""
    if wide.sql == narrow.sql or wide.kind != narrow.kind:
        return wide.sql == narrow.sql
    match wide.kind:
        case "integer" if wide.unsigned == narrow.unsigned:
            return wide.size >= narrow.size
        case "integer":
            return narrow.unsigned and wide.size > narrow.size
        case "decimal":
            whole_digits = wide.size - wide.scale >= narrow.size - narrow.scale
            return wide.scale >= narrow.scale and whole_digits and (narrow.unsigned or not wide.unsigned)
    return wide.size >= narrow.size


def carries(old: ColumnType, new: ColumnType) -> bool:
    """
    Return whether a field that was written for *old* is what the same value gives for *new*, or is refused there.

    Not so for a number that becomes text: a document's 1.50 is written 1.5 for a number and 1.50 for a text.
    """
    if holds(new, old) or (old.kind == new.kind and old.kind in _REFUSED_IF_TOO_WIDE):
        return True
    return (old.kind, new.kind) in {("integer", "decimal"), ("varchar", "text"), ("varbinary", "blob")}
