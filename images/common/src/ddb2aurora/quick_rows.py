"""
The quick way from the line of a change to the line of its row, for the changes that most changes are.

`quick_rows` decodes a line straight into structs made of the pipeline's columns and schemas. It gives the very bytes
that decoding, mapping and encoding one after the other give, or the very words with which they reject a document that
is not valid, or None: then that slower way decides. It never guesses: a property test holds the two side by side.
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
from ddb2aurora.quick_fields import Way, delete_way, general_way, typed_way
from ddb2aurora.quick_source import documents_function, row_function
from ddb2aurora.quick_structs import Attributes, reads_documents_as_text
from ddb2aurora.schema_types import UntypableError
from ddb2aurora.version import SEQUENCE_DIGITS

QuickRow: TypeAlias = Callable[[bytes], bytes | RejectError | None]
_Row: TypeAlias = Callable[[Any], bytes | None]

# Python reads whole numbers of at most 4,300 digits, and what is skipped is not read.
_LONGEST_NUMBER: Final = 4_300
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * _LONGEST_NUMBER
# A number as long as that is met by as many of the looks that are taken at one in so many bytes.
_STRIDE: Final = 430
_LOOKS: Final = b"0" * (_LONGEST_NUMBER // _STRIDE)
_LEAVING: Final = (msgspec.MsgspecError, UnicodeError, RejectError, AttributeError, RecursionError)


def quick_rows(pipeline: Pipeline) -> QuickRow | None:
    """
    Return the quick way of *pipeline*, None if it has none.

    From the line of a change it leads to the line of its row, or to what the slower way would reject the change with,
    or to None: ask the slower way. There is none where a column takes the item whole, or a document as something else
    than a string, or where the name of an attribute has to be escaped.

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
    general = general_way(pipeline, attributes)
    way = _typed_or(general, pipeline, attributes)
    put_row = row_function(way.readers, way.openers, beginning=f"{pipeline.shape},U,", write=_write)
    other_row = _other_rows(pipeline, attributes, general)
    delete_row = _deletes(pipeline, attributes)

    decode = attributes.decoder.decode
    is_heartbeat = attributes.is_heartbeat if pipeline.heartbeat else None

    def quick_row(line: bytes) -> bytes | RejectError | None:
        try:
            if not (len(line) <= _LONGEST_NUMBER and line.isascii()) and not _is_sound(line):
                return None
            change: Any = decode(line)
            if is_heartbeat is not None and is_heartbeat(change):
                return None
            if change.event == "REMOVE":
                return delete_row(change)
            try:
                return put_row(change)
            except (msgspec.MsgspecError, RejectError):
                # A property that the schema does not name, or a document that is not valid, or a misfit.
                return other_row(change)
        except _LEAVING:
            return None

    return quick_row


def _is_sound(line: bytes) -> bool:
    """Return whether what is skipped is sound, as it is not read: neither as UTF-8, nor how long a number in it is."""
    if not line.isascii():
        line.decode()
    return len(line) <= _LONGEST_NUMBER or not (
        _LOOKS in line[::_STRIDE].translate(_DIGITS_ALIKE) and _LONG_NUMBER in line.translate(_DIGITS_ALIKE)
    )


def _typed_or(general: Way, pipeline: Pipeline, attributes: Attributes) -> Way:
    if pipeline.documents:
        # There are no types for some schemas, and for columns that take more than a scalar out of a document.
        with contextlib.suppress(UntypableError):
            return typed_way(pipeline, attributes)
    return general


def _other_rows(pipeline: Pipeline, attributes: Attributes, way: Way) -> Callable[[Any], bytes | RejectError | None]:
    documents_of = documents_function(way.openers)
    readers = [reader.general for reader in way.readers if reader is not None]
    beginning = f"{pipeline.shape},U,"
    is_sure = attributes.are_all_text

    def row(put: Any) -> bytes | RejectError | None:  # noqa: ANN401 - a struct made at run time
        if not _is_sequence_number(put.sequence_number) or put.image is None:
            return None
        try:
            documents = documents_of(put)
        except RejectError as error:
            # Of all that can be wrong with a change of nothing but strings, its documents come first.
            return error if is_sure else None
        return _write(put, [field_of(put, documents) for field_of in readers], beginning)

    return row


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
    if not _is_sequence_number(sequence):
        return None
    version = f"{epoch_ms}{sequence:0>{SEQUENCE_DIGITS}}" if epoch_ms else int(sequence)
    row = ",".join(map(encode_field, fields))
    return f"{beginning}{version},{NULL if at_ms is None else at_ms},{row}\n".encode()


def _is_sequence_number(text: str) -> bool:
    return len(text) <= SEQUENCE_DIGITS and text.encode().isdigit()
