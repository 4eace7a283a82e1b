"""How much of MySQL's and InnoDB's limits the rows of a pipeline may take."""

from typing import Final, NamedTuple

from ddb2aurora.column_types import ColumnType
from ddb2aurora.pipeline import Pipeline

_ROW_LIMIT: Final = 65_535  # MySQL: the longest row, not counting what text, blob and json keep elsewhere
_PAGE_LIMIT: Final = 8_126  # InnoDB: half a page of 16 KB, less its header
# InnoDB, DYNAMIC: a column of variable length of more than 255 bytes may leave the page; 40 bytes of it, and one that
# says how many, may have to stay.
_OFF_PAGE_FROM: Final = 256
_STAYS: Final = 41
_OWN_BYTES: Final = 64  # the loader's columns
_HEADER_BYTES: Final = 18  # InnoDB: of a record, its transaction and its rollback pointer


class Width(NamedTuple):
    """What a row may take, and the limits."""

    row_bytes: int
    page_bytes: int
    key_bytes: int
    row_limit: int = _ROW_LIMIT
    page_limit: int = _PAGE_LIMIT


def width_of(pipeline: Pipeline) -> Width:
    """Return what a row of *pipeline* may take at most."""
    types = [column.type for column in pipeline.columns]
    nulls = len(types) // 8
    return Width(
        row_bytes=sum(found.row_bytes for found in types) + nulls + _OWN_BYTES,
        page_bytes=sum(map(_page_bytes, types)) + nulls + _OWN_BYTES + _HEADER_BYTES,
        key_bytes=sum(column.type.key_bytes for column in pipeline.key_columns),
    )


def _page_bytes(column_type: ColumnType) -> int:
    may_leave = column_type.kind in ("text", "blob", "json") or column_type.row_bytes >= _OFF_PAGE_FROM
    return _STAYS if may_leave else column_type.row_bytes
