r"""
The row dialect: how a row is written, and the LOAD clause that reads it. One writer, one clause, one module.

UTF-8; `,` between fields; `"` around a field where needed; `\` escapes; `\n` ends a line; `\N` is NULL. A line holds
`_shape`, `_op` (`U` upsert, `D` delete, `S` soft delete, `H` heartbeat), `_version`, `_changed_at_ms`, then the columns
in the order of the pipeline file. Binary fields are hexadecimal digits, which the clause turns back with UNHEX.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from ddb2aurora.column_types import ColumnType
from ddb2aurora.errors import Ddb2AuroraError
from ddb2aurora.sql import CHANGED_AT_COLUMN, VERSION_COLUMN, quote_name

Operation: TypeAlias = Literal["U", "D", "S", "H"]
Field: TypeAlias = str | None

SHAPE_COLUMN: Final = "_shape"
OPERATION_COLUMN: Final = "_op"
HEADER_COLUMNS: Final = (SHAPE_COLUMN, OPERATION_COLUMN, VERSION_COLUMN, CHANGED_AT_COLUMN)

LOAD_DIALECT: Final = r"""CHARACTER SET utf8mb4
FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '\\'
LINES TERMINATED BY '\n'"""

_OPERATIONS: Final[dict[str, Operation]] = {"U": "U", "D": "D", "S": "S", "H": "H"}
_MAX_DIGITS: Final = 65  # a version is DECIMAL(65,0)
NULL: Final = "\\N"
# A field with one of these is enclosed. So is the word NULL, which LOAD DATA reads as NULL when it stands bare.
_NEEDS_QUOTES = re.compile('[,"\\\\\n\r\t\0\x1a]')
_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\x1a": "\\Z"}
)
_UNESCAPES: Final = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a"}
# Only what the writer writes: MySQL itself reads more, and differently from release to release.
_FIELD = re.compile(r'"(?P<quoted>(?:[^"\\\n\r\t\0\x1a]|\\[\\"nrt0Z])*)"|(?P<bare>\\N|[^,"\\\n\r\t\0\x1a]*)')
_ESCAPED = re.compile(r"\\(.)")


class MalformedLineError(Ddb2AuroraError):
    """A line is not in the row dialect."""


class Row(NamedTuple):
    """One row on its way to the target; *fields* are in the order of the pipeline's columns."""

    shape: str
    operation: Operation
    version: int
    changed_at_ms: int | None
    fields: tuple[Field, ...]


def encode_field(field: Field) -> str:
    """Return *field* as it stands in a line."""
    if field is None:
        return NULL
    if _NEEDS_QUOTES.search(field) or field == "NULL":
        return f'"{field.translate(_ESCAPES)}"'
    return field


def encode_row(row: Row) -> bytes:
    """
    Return *row* as one line that ends in a newline.

    Raises:
        UnicodeEncodeError: A field holds half of a surrogate pair, which UTF-8 cannot carry.
    """
    changed_at = None if row.changed_at_ms is None else str(row.changed_at_ms)
    header = (row.shape, row.operation, str(row.version), changed_at)
    return (",".join(map(encode_field, header + row.fields)) + "\n").encode()


def decode_line(line: bytes) -> tuple[Field, ...]:
    """
    Return the fields of one line, with or without its newline; the inverse of the writer.

    Raises:
        MalformedLineError: The line is not in the row dialect.
    """
    try:
        text = line.removesuffix(b"\n").decode()
    except UnicodeDecodeError as error:
        raise MalformedLineError("not UTF-8") from error
    fields: list[Field] = []
    position = 0
    while True:
        match = _FIELD.match(text, position)
        if match is None or (match.end() < len(text) and text[match.end()] != ","):
            raise MalformedLineError(f"field {len(fields) + 1} is not in the row dialect")
        if match["quoted"] is not None:
            fields.append(_ESCAPED.sub(lambda found: _UNESCAPES[found[1]], match["quoted"]))
        else:
            fields.append(None if match["bare"] in (NULL, "NULL") else match["bare"])
        if match.end() == len(text):
            return tuple(fields)
        position = match.end() + 1


def decode_row(line: bytes) -> Row:
    """
    Return the row in one line.

    Raises:
        MalformedLineError: The line is not in the row dialect, or its first four fields are not those of a row.
    """
    fields = decode_line(line)
    if len(fields) < len(HEADER_COLUMNS):
        raise MalformedLineError(f"{len(fields)} fields, fewer than those every row has")
    shape, operation, version, changed_at = fields[: len(HEADER_COLUMNS)]
    if shape is None or operation is None or version is None or not _is_digits(version):
        raise MalformedLineError("the first fields are not those of a row")
    if operation not in _OPERATIONS or not (changed_at is None or _is_digits(changed_at)):
        raise MalformedLineError("the first fields are not those of a row")
    changed_at_ms = None if changed_at is None else int(changed_at)
    return Row(shape, _OPERATIONS[operation], int(version), changed_at_ms, fields[len(HEADER_COLUMNS) :])


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def load_columns(columns: Sequence[tuple[str, ColumnType] | None]) -> str:
    """
    Return the column list of a LOAD statement for *columns* (name and type, in order), and the SET that decodes binary.

    A field in the place of None is read and left out.

    Raises:
        ValueError: A name is none that MySQL accepts.
    """
    names = [quote_name(name) for name in HEADER_COLUMNS]
    settings = []
    for position, column in enumerate(columns):
        if column is None:
            names.append("@unread")
            continue
        name, column_type = column
        if column_type.is_binary:
            names.append(f"@b{position}")
            settings.append(f"{quote_name(name)} = UNHEX(@b{position})")
        else:
            names.append(quote_name(name))
    return f"({', '.join(names)})" + (f" SET {', '.join(settings)}" if settings else "")
