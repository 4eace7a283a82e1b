"""
The MySQL types that a pipeline file may use, and what fits into each *exactly*.

A `ColumnType` turns a value into the text of a CSV field, or raises `MisfitError`. Nothing is ever rounded, cut, padded
or guessed:

| type | accepts |
|---|---|
| tinyint … bigint, with or without unsigned | whole numbers within range |
| decimal(p,s) | numbers with at most p-s digits before and s after the point |
| double | 0, and numbers from 2.2250738585072014E-308 on whose shortest text as a double is the number itself |
| boolean | true and false |
| varchar(n) | strings; numbers and booleans as their plain text |
| text types | the same, and maps, lists and sets as JSON text |
| varbinary(n), blob types | binary; strings as their UTF-8 bytes |
| json | any value; numbers must be 64-bit integers or doubles that MySQL reads exactly, since it keeps no others |
| datetime(n) | ISO 8601 strings, an offset is converted to UTC, no more than n digits of a second |
| date | ISO 8601 dates |
"""

import re
from typing import Final, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "integer", "decimal", "double", "boolean", "varchar", "text", "varbinary", "blob", "json", "datetime", "date"
]

_TYPE = re.compile(
    r"(?P<name>[a-z]+(?: unsigned)?)(?:\((?P<size>\d{1,5})(?:,(?P<scale>\d{1,5}))?\)(?P<unsigned> unsigned)?)?",
    re.ASCII,
)
_SYNONYMS: Final = {"integer": "int", "bool": "boolean", "integer unsigned": "int unsigned"}
_MAX_DECIMAL_DIGITS: Final = 65
_MAX_DECIMAL_SCALE: Final = 30
_MAX_VARCHAR_CHARACTERS: Final = 16_383  # a row holds 65,535 bytes, a character of utf8mb4 up to 4
_MAX_VARBINARY_BYTES: Final = 65_532
_MAX_FRACTION_DIGITS: Final = 6
EXAMPLES: Final = (
    "int, bigint unsigned, decimal(20,4), double, varchar(100), text, varbinary(16), json, datetime(3), date"
)


class ColumnType(msgspec.Struct, frozen=True, gc=False):
    """
    One MySQL type.

    *size* means bits for integers, digits for decimals, characters for varchar, bytes for text, varbinary and blob
    types, and digits of a fraction of a second for datetime. *scale* is for decimals.
    """

    sql: str
    kind: Kind
    size: int = 0
    scale: int = 0
    unsigned: bool = False

    @property
    def is_binary(self) -> bool:
        """Whether fields of this type travel as hexadecimal digits."""
        return self.kind in ("varbinary", "blob")

    @property
    def is_text(self) -> bool:
        """Whether this type has a character set and a collation."""
        return self.kind in ("varchar", "text")

    @property
    def is_short(self) -> bool:
        """Whether a value always fits into a row of the table itself, which has 65,535 bytes at most."""
        return self.kind not in ("text", "blob", "json")

    @property
    def may_be_key(self) -> bool:
        """Whether a key column may have this type: it has a bounded size and compares exactly."""
        return self.kind in ("integer", "decimal", "varchar", "varbinary")

    @property
    def key_bytes(self) -> int:
        """Return how many bytes of an InnoDB index a key column of this type may take."""
        match self.kind:
            case "varchar":
                return self.size * 4
            case "varbinary":
                return self.size
            case "integer":
                return self.size // 8
        return self.size // 2 + 1

    @property
    def row_bytes(self) -> int:
        """Return how many of the 65,535 bytes of a MySQL row a column of this type may take."""
        match self.kind:
            case "varchar":
                return self.size * 4 + 2
            case "varbinary":
                return self.size + 2
            case "text" | "blob" | "json":
                return 12
            case "integer":
                return self.size // 8
            case "decimal":
                return self.size // 2 + 1
        return 8


def _sizeless() -> dict[str, ColumnType]:
    types = [ColumnType(name, name) for name in ("double", "boolean", "json", "date", "datetime")]
    for name, bits in (("tinyint", 8), ("smallint", 16), ("mediumint", 24), ("int", 32), ("bigint", 64)):
        types.append(ColumnType(name, "integer", bits))
        types.append(ColumnType(f"{name} unsigned", "integer", bits, unsigned=True))
    for prefix, length_bytes in (("tiny", 1), ("", 2), ("medium", 3), ("long", 4)):
        types.append(ColumnType(f"{prefix}text", "text", 256**length_bytes - 1))
        types.append(ColumnType(f"{prefix}blob", "blob", 256**length_bytes - 1))
    return {column_type.sql: column_type for column_type in types}


_SIZELESS: Final = _sizeless()


def parse_column_type(text: str) -> ColumnType:
    """
    Return the type that *text* names.

    Raises:
        ValueError: It is not one of the types that this project can fill exactly.
    """
    written = re.sub(r"\s*([(),])\s*", r"\1", " ".join(text.lower().split())).replace(")unsigned", ") unsigned")
    match = _TYPE.fullmatch(written)
    found = None
    if match is not None and match["size"] is None:
        found = _SIZELESS.get(_SYNONYMS.get(match["name"], match["name"]))
    elif match is not None:
        found = _sized(match["name"], int(match["size"]), match["scale"], match["unsigned"] or "")
    if found is None:
        raise ValueError(f"{text!r} is not a type that can be filled exactly; use one like {EXAMPLES}")
    return found


def _sized(name: str, size: int, scale: str | None, sign: str) -> ColumnType | None:
    places = int(scale or 0)
    if name == "decimal" and 1 <= size <= _MAX_DECIMAL_DIGITS and places <= min(size, _MAX_DECIMAL_SCALE):
        return ColumnType(f"decimal({size},{places}){sign}", "decimal", size, places, unsigned=bool(sign))
    if sign or scale is not None:
        return None
    if name == "varchar" and 1 <= size <= _MAX_VARCHAR_CHARACTERS:
        return ColumnType(f"varchar({size})", "varchar", size)
    if name == "varbinary" and 1 <= size <= _MAX_VARBINARY_BYTES:
        return ColumnType(f"varbinary({size})", "varbinary", size)
    if name == "datetime" and 1 <= size <= _MAX_FRACTION_DIGITS:
        return ColumnType(f"datetime({size})", "datetime", size)
    return None
