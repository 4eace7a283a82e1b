"""
The quick way from the line of a change to the line of its row, for the changes that most changes are.

`quick_rows` decodes a line straight into structs made of the pipeline's columns and schemas. It gives the very bytes
that decoding, mapping and encoding one after the other give, or None: then that slower way decides, and finds the
words for what is wrong. So the quick way never rejects and never guesses. A property test holds the two side by side.
"""

import contextlib
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from ddb2aurora.codec import decode, number_from_text
from ddb2aurora.dialect import NULL, encode_field, needs_no_quotes
from ddb2aurora.documents import Check, decode_document, schema_check
from ddb2aurora.envelope import Milliseconds
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.fields import MisfitError, encoder_for
from ddb2aurora.mapping import value_of
from ddb2aurora.paths import CHANGED_AT_MS, MISSING, look_up
from ddb2aurora.pipeline import Column, Misfit, Pipeline
from ddb2aurora.quick_source import FieldOf, Opener, Reader, reader_of_all
from ddb2aurora.schema_types import TypedDocument, UntypableError
from ddb2aurora.version import SEQUENCE_DIGITS

_Get: TypeAlias = Callable[[Any], Any]
# From a change as its struct to the fields of its row; None is NULL.
_Way: TypeAlias = Callable[[Any], list[str | None]]

# Python reads whole numbers of at most 4,300 digits, and what is skipped is not read.
_LONGEST_NUMBER: Final = 4_300
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * _LONGEST_NUMBER
_LEAVING: Final = (msgspec.MsgspecError, UnicodeError, RejectError, AttributeError, RecursionError)
_MOST_INTEGER_DIGITS: Final = 18


class _Text(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An attribute value that is a string, and nothing else."""

    value: str = msgspec.field(name="S")


class _Number(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An attribute value that is a number, in DynamoDB's text."""

    value: str = msgspec.field(name="N")


class _Put(msgspec.Struct, gc=False, kw_only=True):
    """What `envelope.Change` holds, with structs of the pipeline for keys and image."""

    format_version: Literal[1] = msgspec.field(name="v", default=1)
    event: Literal["INSERT", "MODIFY"]
    event_id: str = msgspec.field(name="id")
    table: str
    changed_at_ms: Milliseconds | None = msgspec.field(name="at_ms")
    sequence_number: str = msgspec.field(name="sequence")
    stream_epoch_ms: Milliseconds = msgspec.field(name="epoch_ms")
    by_ttl: bool = msgspec.field(name="ttl", default=False)
    trimmed: bool = False


def quick_rows(pipeline: Pipeline) -> Callable[[bytes], bytes | None] | None:
    """
    Return the quick way of *pipeline*, from the line of a change to that of its row or None; None if it has none.

    It has none where a column takes the item whole, or a document as something else than a string, or where the name
    of an attribute has to be escaped.

    Raises:
        SchemaFileError: A JSON Schema of the pipeline cannot be used.
    """
    if pipeline.reads_whole_item or not _reads_documents_as_text(pipeline):
        return None
    try:
        attributes = _Attributes(pipeline)
    except ValueError:
        # msgspec has no fields whose names have to be escaped in JSON.
        return None
    has_heartbeats = bool(pipeline.heartbeat)
    decode_put: Callable[[bytes], Any] = attributes.decoder.decode
    general = typed = _general_way(pipeline, attributes)
    if pipeline.documents:
        # There are no types for some schemas, and for columns that take more than a scalar out of a document.
        with contextlib.suppress(UntypableError):
            typed = _typed_way(pipeline, attributes)
    write = _writer(pipeline)

    def line(change: bytes) -> bytes | None:
        try:
            # What is skipped is not read: neither whether it is UTF-8, nor how long a number in it is.
            if not change.isascii():
                change.decode()
            if len(change) > _LONGEST_NUMBER and _LONG_NUMBER in change.translate(_DIGITS_ALIKE):
                return None
            put = decode_put(change)
            if has_heartbeats and attributes.is_heartbeat(put):
                return None
            try:
                fields = typed(put)
            except msgspec.MsgspecError:
                # A property that the schema does not name, or a document that is not valid.
                fields = general(put)
        except _LEAVING:
            return None
        return write(put, fields)

    return line


def _writer(pipeline: Pipeline) -> Callable[[Any, list[str | None]], bytes | None]:
    """Return what writes a put and its fields as a line, None where its sequence number is none."""
    beginning, commas = f"{pipeline.shape},U,", len(pipeline.columns) - 1

    def write(put: Any, fields: list[str | None]) -> bytes | None:  # noqa: ANN401 - a struct made at run time
        sequence, at_ms, epoch_ms = put.sequence_number, put.changed_at_ms, put.stream_epoch_ms
        if not (sequence.isdigit() and sequence.isascii() and len(sequence) <= SEQUENCE_DIGITS):
            return None
        try:
            row = ",".join(fields)  # type: ignore[arg-type] # a None is a TypeError
        except TypeError:
            row = None
        if row is None or not needs_no_quotes(row, commas):
            row = ",".join(map(encode_field, fields))
        version = f"{epoch_ms}{sequence:0>40}" if epoch_ms else int(sequence)
        return f"{beginning}{version},{NULL if at_ms is None else at_ms},{row}\n".encode()

    return write


def _reads_documents_as_text(pipeline: Pipeline) -> bool:
    documents = {document.attribute for document in pipeline.documents}
    return all(
        _attribute_type(column) is _Text
        for column in pipeline.columns
        if len(column.path) == 1 and column.path[0] in documents and column.type.kind != "json"
    )


class _Attributes:
    """The attributes that a pipeline reads, each with its place in a struct and the type that its readers share."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._heartbeat = pipeline.heartbeat
        documents = {document.attribute for document in pipeline.documents}
        types: dict[str, Any] = dict.fromkeys(documents, _Text)
        for column in pipeline.columns:
            if column.path and not (
                column.path[0] in documents and (len(column.path) > 1 or column.type.kind == "json")
            ):
                attribute = str(column.path[0])
                wanted = _attribute_type(column)
                types[attribute] = wanted if types.get(attribute, wanted) is wanted else Any
        self._types = types
        # The slower way rejects a change without its documents, so that no column has to look whether they are there.
        self._required = documents | set(pipeline.source_key)
        key = pipeline.source_key
        self._places = {name: ("keys" if name in key else "image", f"a{number}") for number, name in enumerate(types)}
        keys = self._struct([name for name in types if name in key], forbid_unknown_fields=True)
        # The key is taken from the keys; in the image it is skipped, as all that nobody reads.
        image = self._struct([name for name in types if name not in key], forbid_unknown_fields=False)
        put = msgspec.defstruct("Put", [("keys", keys), ("image", image)], bases=(_Put,), gc=False, kw_only=True)
        self.decoder = msgspec.json.Decoder(put)

    def _struct(self, names: Sequence[str], *, forbid_unknown_fields: bool) -> type:
        fields: list[Any] = []
        for name in names:
            field, found = self._places[name][1], self._types[name]
            fields.append((field, found) if name in self._required else (field, found | UnsetType, UNSET))
        fields.sort(key=len)  # those that are required come first
        rename = {self._places[name][1]: name for name in names}
        return msgspec.defstruct(
            "Attributes", fields, rename=rename, forbid_unknown_fields=forbid_unknown_fields, gc=False
        )

    def getter(self, attribute: str) -> _Get:
        """Return what reads an attribute's value from a put: the text of a string or a number, or DynamoDB JSON."""
        place, field = self._places[attribute]
        get = attrgetter(f"{place}.{field}")
        if self.kind(attribute) is Any:
            return get
        if attribute in self._required:
            return attrgetter(f"{place}.{field}.value")

        def text_of(put: Any) -> Any:  # noqa: ANN401 - a struct made at run time
            value = get(put)
            return UNSET if value is UNSET else value.value

        return text_of

    def value_of_required(self, attribute: str) -> str | None:
        """Return the expression for the text of an attribute that every put has, None for one that it may lack."""
        return f"put.{'.'.join(self._places[attribute])}.value" if attribute in self._required else None

    def openers(self, names: Sequence[str], functions: Sequence[Callable[[Any], Any]]) -> list[Opener]:
        """Return what opens the documents in the attributes *names* by *functions* of their text."""
        texts = (f"put.{'.'.join(self._places[name])}.value" for name in names)
        return [Opener(function, text) for function, text in zip(functions, texts, strict=True)]

    def kind(self, attribute: str) -> Any:  # noqa: ANN401 - a type, or Any itself
        """Return the struct of an attribute, Any when it may hold anything."""
        return self._types[attribute]

    def is_heartbeat(self, put: Any) -> bool:  # noqa: ANN401 - a struct made at run time
        """Return whether the key of *put* may be that of the heartbeats."""
        return all(part.value in str(self.getter(part.attribute)(put)) for part in self._heartbeat)


def _attribute_type(column: Column) -> Any:  # noqa: ANN401 - a type, or Any itself
    if len(column.path) > 1:
        return Any
    match column.type.kind:
        case "varchar" | "text" | "datetime" | "date":
            return _Text
        case "integer" | "decimal" | "double":
            return _Number
    return Any


def _general_way(pipeline: Pipeline, attributes: _Attributes) -> _Way:
    names = [document.attribute for document in pipeline.documents]

    def inner(column: Column) -> Reader:
        number, path = names.index(str(column.path[0])), column.path[1:]
        return Reader(_field_of(column, pipeline, lambda _put, documents: look_up(documents[number], path)))

    readers = [_reader(column, pipeline, attributes, inner) for column in pipeline.columns]
    checks = [_checked(schema_check(document.schema)) for document in pipeline.documents]
    return reader_of_all(readers, attributes.openers(names, checks))


def _checked(check: Check) -> Callable[[str], Any]:
    def open_document(text: str) -> Any:  # noqa: ANN401 - a document is any JSON value
        document = decode_document(text)
        check(document)
        return document

    return open_document


def _typed_way(pipeline: Pipeline, attributes: _Attributes) -> _Way:
    types = [TypedDocument(decode_document(document.schema)) for document in pipeline.documents]
    names = [document.attribute for document in pipeline.documents]

    def inner(column: Column) -> Reader:
        number = names.index(str(column.path[0]))
        inside, is_there = types[number].attribute_path(column.path[1:])
        get = attrgetter(inside)

        def value_in(_put: Any, documents: Sequence[Any]) -> Any:  # noqa: ANN401 - structs made at run time
            try:
                return get(documents[number])
            except AttributeError:  # an object on the way is not there
                return UNSET

        value = f"documents[{number}].{inside}" if is_there else None
        return Reader(_field_of(column, pipeline, value_in), value, column.type)

    readers = [_reader(column, pipeline, attributes, inner) for column in pipeline.columns]
    return reader_of_all(readers, attributes.openers(names, [msgspec.json.Decoder(made.type).decode for made in types]))


def _reader(column: Column, pipeline: Pipeline, attributes: _Attributes, inner: Callable[[Column], Reader]) -> Reader:
    """Return what reads *column*; *inner* makes it for a column that reads inside a document."""
    if column.is_fact:
        fact = value_of(column)
        value = "put.changed_at_ms" if column.source == CHANGED_AT_MS else None
        return Reader(_field_of(column, pipeline, lambda put, _documents: fact(put, {}, {})), value, column.type)
    attribute, rest = str(column.path[0]), column.path[1:]
    if (rest or column.type.kind == "json") and attribute in {document.attribute for document in pipeline.documents}:
        return inner(column)
    get, kind = attributes.getter(attribute), attributes.kind(attribute)
    if kind is _Number:
        return Reader(_number_field(column, pipeline, get))
    if kind is _Text:
        general = _field_of(column, pipeline, lambda put, _documents: get(put))
        return Reader(general, attributes.value_of_required(attribute), column.type)

    def value_in(put: Any, _documents: Sequence[Any]) -> Any:  # noqa: ANN401 - DynamoDB JSON to any value
        value = get(put)
        if value is UNSET:
            return MISSING
        decoded = decode(value)
        return look_up({attribute: decoded}, column.path) if rest else decoded

    return Reader(_field_of(column, pipeline, value_in))


def _field_of(column: Column, pipeline: Pipeline, value_in: Callable[[Any, Sequence[Any]], Any]) -> FieldOf:
    encode = encoder_for(column.type)
    nullable = column.nullable and column not in pipeline.key_columns
    misfit_is_null = nullable and column.on_misfit is Misfit.NULL

    def field_of(put: Any, documents: Sequence[Any]) -> str | None:  # noqa: ANN401 - a struct made at run time
        value = value_in(put, documents)
        if value is None or value is UNSET or value is MISSING:
            if nullable:
                return None
            raise RejectError(Reason.NULL_NOT_ALLOWED)
        try:
            return encode(value)
        except MisfitError:
            if misfit_is_null:
                return None
            raise

    return field_of


def _number_field(column: Column, pipeline: Pipeline, get: _Get) -> FieldOf:
    def value_in(put: Any, _documents: Sequence[Any]) -> Any:  # noqa: ANN401 - a struct made at run time, a number
        text = get(put)
        return UNSET if text is UNSET else number_from_text(text)

    slower = _field_of(column, pipeline, value_in)
    if column.type.kind != "integer":
        return slower
    most = 2**column.type.size - 1 if column.type.unsigned else 2 ** (column.type.size - 1) - 1

    def field_of(put: Any, documents: Sequence[Any]) -> str | None:  # noqa: ANN401 - a struct made at run time
        text = get(put)
        if text is UNSET:
            return slower(put, documents)
        # Written as MySQL's own would be: no sign, no zero in front.
        if text.isdigit() and text.isascii() and len(text) <= _MOST_INTEGER_DIGITS and text[0] != "0":
            return text if int(text) <= most else slower(put, documents)
        return slower(put, documents)

    return field_of
