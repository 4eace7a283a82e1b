"""
The quick way from the line of a change to the line of its row, for the changes that most changes are.

`quick_rows` decodes a line straight into structs made of the pipeline's columns and schemas. It gives the very bytes
that decoding, mapping and encoding one after the other give, or None: then that slower way decides, and finds the
words for what is wrong. So the quick way never rejects and never guesses. A property test holds the two side by side.
docs/decisions/performance.md says why there are two.
"""

import contextlib
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from ddb2aurora.dialect import NULL, encode_field
from ddb2aurora.errors import RejectError
from ddb2aurora.mapping import delete_operations
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.quick_fields import delete_way, general_way, typed_way
from ddb2aurora.quick_source import fields_function, row_function
from ddb2aurora.quick_structs import Attributes, reads_documents_as_text
from ddb2aurora.schema_types import UntypableError
from ddb2aurora.version import SEQUENCE_DIGITS

_Row: TypeAlias = Callable[[Any], bytes | None]

# Python reads whole numbers of at most 4,300 digits, and what is skipped is not read.
_LONGEST_NUMBER: Final = 4_300
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * _LONGEST_NUMBER
# A number as long as that is met by as many of the looks that are taken at one in so many bytes.
_STRIDE: Final = 430
_LOOKS: Final = b"0" * (_LONGEST_NUMBER // _STRIDE)
_LEAVING: Final = (msgspec.MsgspecError, UnicodeError, RejectError, AttributeError, RecursionError)


def quick_rows(pipeline: Pipeline) -> Callable[[bytes], bytes | None] | None:
    """
    Return the quick way of *pipeline*, from the line of a change to that of its row or None; None if it has none.

    It has none where a column takes the item whole, or a document as something else than a string, or where the name
    of an attribute has to be escaped.

    Raises:
        SchemaFileError: A JSON Schema of the pipeline cannot be used.
    """
    if pipeline.reads_whole_item or not reads_documents_as_text(pipeline):
        return None
    try:
        attributes = Attributes(pipeline)
    except ValueError:
        # msgspec has no fields whose names have to be escaped in JSON.
        return None
    decode = attributes.decoder.decode
    is_heartbeat = attributes.is_heartbeat if pipeline.heartbeat else None
    put_row, delete_row = _puts(pipeline, attributes), _deletes(pipeline, attributes)

    def line(change: bytes) -> bytes | None:
        try:
            # What is skipped is not read: neither whether it is UTF-8, nor how long a number in it is.
            if not change.isascii():
                change.decode()
            if len(change) > _LONGEST_NUMBER and _has_long_number(change):
                return None
            found: Any = decode(change)
            if is_heartbeat is not None and is_heartbeat(found):
                return None
            return put_row(found) if found.event != "REMOVE" else delete_row(found)
        except _LEAVING:
            return None

    return line


def _has_long_number(change: bytes) -> bool:
    return _LOOKS in change[::_STRIDE].translate(_DIGITS_ALIKE) and _LONG_NUMBER in change.translate(_DIGITS_ALIKE)


def _puts(pipeline: Pipeline, attributes: Attributes) -> _Row:
    beginning = f"{pipeline.shape},U,"
    general = general_way(pipeline, attributes)
    if pipeline.documents:
        # There are no types for some schemas, and for columns that take more than a scalar out of a document.
        with contextlib.suppress(UntypableError):
            typed = typed_way(pipeline, attributes)
            row_of = row_function(typed.readers, typed.openers, beginning=beginning, write=_write)
            fields_of = fields_function(general.readers, general.openers)

            def row(put: Any) -> bytes | None:  # noqa: ANN401 - a struct made at run time
                try:
                    return row_of(put)
                except msgspec.MsgspecError:
                    # A property that the schema does not name, or a document that is not valid.
                    return _write(put, fields_of(put), beginning)

            return row
    return row_function(general.readers, general.openers, beginning=beginning, write=_write)


def _deletes(pipeline: Pipeline, attributes: Attributes) -> _Row:
    way = delete_way(pipeline, attributes)
    ours, by_ttl = (
        None
        if operation is None
        else row_function(way.readers, (), beginning=f"{pipeline.shape},{operation},", write=_write)
        for operation in delete_operations(pipeline)
    )

    def row(found: Any) -> bytes | None:  # noqa: ANN401 - a struct made at run time
        row_of = by_ttl if found.by_ttl else ours
        return None if row_of is None else row_of(found)

    return row


def _write(put: Any, fields: list[str | None], beginning: str) -> bytes | None:  # noqa: ANN401 - a struct made at run time
    sequence, at_ms, epoch_ms = put.sequence_number, put.changed_at_ms, put.stream_epoch_ms
    if not (sequence.isdigit() and sequence.isascii() and len(sequence) <= SEQUENCE_DIGITS):
        return None
    version = f"{epoch_ms}{sequence:0>{SEQUENCE_DIGITS}}" if epoch_ms else int(sequence)
    row = ",".join(map(encode_field, fields))
    return f"{beginning}{version},{NULL if at_ms is None else at_ms},{row}\n".encode()
