"""
From a change to a row: the one place that decides what the target holds for a change, or why it cannot hold it.

Pure and deterministic: the same change gives the same row, whenever and wherever it is mapped. The transformer uses it
for every change, the operator's commands to backfill, to explain what failed and to compare.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ddb2aurora.codec import decode, escape_pointer
from ddb2aurora.dialect import Field, Operation, Row
from ddb2aurora.documents import ViolationIn, decode_document, violations_of
from ddb2aurora.envelope import Change
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.fields import MisfitError, encoder_for
from ddb2aurora.heartbeat import heartbeat_in, heartbeat_row
from ddb2aurora.paths import CHANGED_AT_MS, EVENT_NAME, ITEM, MISSING, SEQUENCE_NUMBER, look_up
from ddb2aurora.pipeline import Column, Misfit, Pipeline, TtlPolicy
from ddb2aurora.version import version_of

# A change, its item, and the same item with its documents opened.
ValueOf = Callable[[Change, Mapping[str, Any], Mapping[str, Any]], Any]
_FieldOf = Callable[[Change, Mapping[str, Any], Mapping[str, Any]], Field]

_TTL_OPERATIONS: Mapping[TtlPolicy, Operation | None] = {"delete": "D", "soft_delete": "S", "keep": None}


class Mapper:
    """The mapping of one pipeline, with all that can be prepared once prepared."""

    def __init__(self, pipeline: Pipeline) -> None:
        """
        Prepare the mapping of *pipeline*.

        Raises:
            SchemaFileError: A JSON Schema of the pipeline cannot be used.
        """
        self._pipeline = pipeline
        self._shape = pipeline.shape
        self._key = frozenset(pipeline.source_key)
        self._attributes = None if pipeline.reads_whole_item else pipeline.attributes
        self._documents = tuple((found.attribute, violations_of(found.schema)) for found in pipeline.documents)
        keys = pipeline.key_columns
        self._fields = tuple(
            (
                column in keys or (pipeline.mode == "append" and column.is_fact and column.source != ITEM),
                _field_of(column, is_key=column in keys),
            )
            for column in pipeline.columns
        )
        self._on_delete, self._on_ttl_delete = delete_operations(pipeline)

    def row(self, change: Change) -> Row | None:
        """
        Return the row that *change* puts into the target or deletes from it; None if it is to leave no trace there.

        A delete by time to live leaves none when the pipeline says `on_ttl_delete: keep`, nor does the delete of the
        item that the pipeline keeps for heartbeats.

        Raises:
            RejectError: The change can never load; the error says why and where in the item.
        """
        if change.event == "HEARTBEAT" or (self._pipeline.heartbeat and self._pipeline.is_heartbeat(change.keys)):
            return self._heartbeat(change)
        if change.event != "REMOVE":
            return self.upsert(change)
        version = self._version(change)
        operation = self._on_ttl_delete if change.by_ttl else self._on_delete
        if operation is None:
            return None
        keys = self._decode(change.keys)
        # A delete carries the item's key and the time; an event log also takes the facts about it.
        fields = tuple(field_of(change, keys, keys) if stays else None for stays, field_of in self._fields)
        return Row(self._shape, operation, version, change.changed_at_ms, fields)

    def upsert(self, change: Change) -> Row:
        """
        Return the row that *change*, which is no delete, puts into the target.

        Raises:
            RejectError: The change can never load; the error says why and where in the item.
        """
        version = self._version(change)
        if change.image is None:
            raise RejectError(Reason.UNDECODABLE, pointer="/image", detail="the stream must carry NEW_IMAGE")
        item = self._decode({**change.image, **change.keys})
        values = self._open_documents(item) if self._documents else item
        fields = tuple(field_of(change, item, values) for _, field_of in self._fields)
        return Row(self._shape, "U", version, change.changed_at_ms, fields)

    def _heartbeat(self, change: Change) -> Row | None:
        if change.event == "REMOVE":
            return None
        return heartbeat_row(heartbeat_in(change), pipeline=self._pipeline, streamed_at_ms=change.changed_at_ms)

    def _version(self, change: Change) -> int:
        if change.keys.keys() != self._key:
            detail = "not the key attributes of the pipeline file"
            raise RejectError(Reason.KEY_MISMATCH, pointer="/keys", detail=detail)
        try:
            return version_of(stream_epoch_ms=change.stream_epoch_ms, sequence_number=change.sequence_number)
        except ValueError as error:
            raise RejectError(Reason.UNDECODABLE, pointer="/sequence", detail=str(error)) from error

    def _decode(self, image: Mapping[str, Any]) -> dict[str, Any]:
        # What no column reads is not decoded: an exotic value there is nobody's business.
        # The order is the image's, so that of two bad attributes it is always the same that is blamed.
        wanted = self._attributes
        return {
            name: decode(value, pointer=escape_pointer(name))
            for name, value in image.items()
            if wanted is None or name in wanted
        }

    def _open_documents(self, item: dict[str, Any]) -> dict[str, Any]:
        values = dict(item)
        for attribute, violation_in in self._documents:
            pointer = escape_pointer(attribute)
            if attribute not in item:
                raise RejectError(Reason.DOCUMENT_MISSING, pointer=pointer, detail="the item has no such attribute")
            values[attribute] = open_document(item[attribute], violation_in, pointer=pointer)
        return values


def delete_operations(pipeline: Pipeline) -> tuple[Operation, Operation | None]:
    """Return what a delete does in *pipeline*, and what one by time to live does; None if it leaves no trace."""
    return "S" if pipeline.mode == "soft_delete" else "D", _TTL_OPERATIONS[pipeline.on_ttl_delete]


def open_document(text: object, violation_in: ViolationIn, *, pointer: str) -> Any:  # noqa: ANN401 - a document is any JSON value
    """
    Return the document in *text*, the attribute at *pointer*.

    Raises:
        RejectError: It is none, or does not satisfy its schema.
    """
    if not isinstance(text, str):
        raise RejectError(Reason.DOCUMENT_NOT_TEXT, pointer=pointer, detail="a document is a string of JSON")
    try:
        document = decode_document(text)
    except RejectError as error:
        raise RejectError(error.reason, pointer=pointer + error.pointer, detail=error.detail) from error
    violation = violation_in(document, pointer)
    if violation is not None:
        raise violation
    return document


def _field_of(column: Column, *, is_key: bool) -> _FieldOf:
    value_in = value_of(column)
    encode = encoder_for(column.type)
    pointer = "".join(map(escape_pointer, column.path))
    nullable = column.nullable and not is_key
    misfit_is_null = column.on_misfit is Misfit.NULL and nullable

    def field_of(change: Change, item: Mapping[str, Any], values: Mapping[str, Any]) -> Field:
        value = value_in(change, item, values)
        if value is MISSING or value is None:
            if nullable:
                return None
            raise RejectError(Reason.NULL_NOT_ALLOWED, pointer=pointer, detail=f"column {column.name} forbids NULL")
        try:
            return encode(value)
        except MisfitError as error:
            if misfit_is_null:
                return None
            detail = f"column {column.name} {column.type.sql}: {error.detail}"
            raise RejectError(Reason.MISFIT, pointer=pointer, detail=detail) from error

    return field_of


def value_of(column: Column) -> ValueOf:
    """Return what reads the value of *column* from a change, its item, and the item with its documents opened."""
    if column.source == CHANGED_AT_MS and column.type.kind == "datetime":
        return lambda change, _item, _values: _moment(change.changed_at_ms)
    if column.source == SEQUENCE_NUMBER and column.type.is_text:
        return lambda change, _item, _values: change.sequence_number
    if column.source in _FACTS:
        return _FACTS[column.source]
    path = column.path
    if len(path) == 1 and column.type.kind != "json":
        # The attribute itself: a document's text as it was written, not as it was parsed.
        return lambda _change, item, _values: look_up(item, path)
    return lambda _change, _item, values: look_up(values, path)


_FACTS: Mapping[str, ValueOf] = {
    CHANGED_AT_MS: lambda change, _item, _values: change.changed_at_ms,
    EVENT_NAME: lambda change, _item, _values: change.event,
    SEQUENCE_NUMBER: lambda change, _item, _values: int(change.sequence_number),
    ITEM: lambda _change, item, _values: item,
}


def _moment(changed_at_ms: int | None) -> str | None:
    if changed_at_ms is None:
        return None
    seconds, milliseconds = divmod(changed_at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"
