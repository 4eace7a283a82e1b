"""What reads the fields of a row from a change and its documents, each as the slower way does."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.json import Decoder

from ddb2aurora.codec import decode, escape_pointer, number_from_text
from ddb2aurora.documents import ViolationIn, decode_document, violations_of
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.fields import MisfitError, encoder_for
from ddb2aurora.mapping import open_document, value_of
from ddb2aurora.paths import CHANGED_AT_MS, ITEM, MISSING, look_up
from ddb2aurora.pipeline import Column, Misfit, Pipeline
from ddb2aurora.quick_source import CHANGED_AT, FieldOf, Opener, Reader
from ddb2aurora.quick_structs import Attributes, Get, Number, Text
from ddb2aurora.schema_types import TypedDocument


class Way(NamedTuple):
    """What opens the documents of a change, and what reads its fields; a column without a reader is NULL."""

    openers: Sequence[Opener]
    readers: Sequence[Reader | None]


def general_way(pipeline: Pipeline, attributes: Attributes) -> Way:
    """
    Return the way that checks documents by their schemas as the slower way does.

    Raises:
        SchemaFileError: A JSON Schema of the pipeline cannot be used.
    """
    names = [document.attribute for document in pipeline.documents]

    def inner(column: Column) -> Reader:
        number, path = names.index(str(column.path[0])), column.path[1:]
        return Reader(_field_of(column, pipeline, lambda _put, documents: look_up(documents[number], path)))

    checks = [_opened(violations_of(document.schema), document.attribute) for document in pipeline.documents]
    return _way(pipeline, attributes, checks, inner)


def typed_way(pipeline: Pipeline, attributes: Attributes) -> Way:
    """
    Return the way that decodes documents into types: what decodes is valid.

    Raises:
        UntypableError: There are no types for a schema, or for what a column takes out of its documents.
    """
    types = [TypedDocument(decode_document(document.schema)) for document in pipeline.documents]
    names = [document.attribute for document in pipeline.documents]

    def inner(column: Column) -> Reader:
        number = names.index(str(column.path[0]))
        inside = types[number].place_of(column.path[1:])
        get = attrgetter(inside.attributes)

        def value_in(_put: Any, documents: Sequence[Any]) -> Any:  # noqa: ANN401 - structs made at run time
            try:
                return get(documents[number])
            except AttributeError:  # an object on the way is not there
                return UNSET

        value = f"d{number}.{inside.attributes}" if inside.is_there else None
        return Reader(_field_of(column, pipeline, value_in), value, column.type, kind=inside.kind)

    return _way(pipeline, attributes, [Decoder(made.type).decode for made in types], inner)


def delete_way(pipeline: Pipeline, attributes: Attributes) -> Way:
    """Return the way of a delete: it carries the item's key and the time, and in an event log the facts about it."""

    def stays(column: Column) -> bool:
        is_fact = pipeline.mode == "append" and column.is_fact and column.source != ITEM
        return is_fact or column in pipeline.key_columns

    def nothing(column: Column) -> Reader:
        raise LookupError(f"a delete carries no document for column {column.name}")  # neither keys nor facts lie in one

    return Way(
        (), [_reader(column, pipeline, attributes, nothing) if stays(column) else None for column in pipeline.columns]
    )


def _way(
    pipeline: Pipeline,
    attributes: Attributes,
    functions: Sequence[Callable[[Any], Any]],
    inner: Callable[[Column], Reader],
) -> Way:
    texts = (attributes.expression(document.attribute) for document in pipeline.documents)
    openers = [Opener(function, text) for function, text in zip(functions, texts, strict=True)]
    return Way(openers, [_reader(column, pipeline, attributes, inner) for column in pipeline.columns])


def _opened(violation_in: ViolationIn, attribute: str) -> Callable[[str], Any]:
    pointer = escape_pointer(attribute)
    return lambda text: open_document(text, violation_in, pointer=pointer)


def _reader(column: Column, pipeline: Pipeline, attributes: Attributes, inner: Callable[[Column], Reader]) -> Reader:
    """Return what reads *column*; *inner* makes it for a column that reads inside a document."""
    if column.is_fact:
        fact = value_of(column)
        general = _field_of(column, pipeline, lambda put, _documents: fact(put, {}, {}))
        if column.source == CHANGED_AT_MS and column.type.kind == "integer":
            return Reader(general, CHANGED_AT, column.type, kind=int)
        return Reader(general)
    attribute, rest = str(column.path[0]), column.path[1:]
    if (rest or column.type.kind == "json") and attribute in {document.attribute for document in pipeline.documents}:
        return inner(column)
    get, kind = attributes.getter(attribute), attributes.kind(attribute)
    if kind in (Number, Text):
        is_required = attributes.is_required(attribute)
        general = (_number_field if kind is Number else _text_field)(column, pipeline, get)
        if not (is_required or _is_nullable(column, pipeline)):
            return Reader(general)
        value = attributes.expression(attribute)
        return Reader(general, value, column.type, kind=Number if kind is Number else str, is_optional=not is_required)

    def value_in(put: Any, _documents: Sequence[Any]) -> Any:  # noqa: ANN401 - DynamoDB JSON to any value
        value = get(put)
        if value is UNSET:
            return MISSING
        decoded = decode(value)
        return look_up({attribute: decoded}, column.path) if rest else decoded

    return Reader(_field_of(column, pipeline, value_in))


def _is_nullable(column: Column, pipeline: Pipeline) -> bool:
    return column.nullable and column not in pipeline.key_columns


def _field_of(column: Column, pipeline: Pipeline, value_in: Callable[[Any, Sequence[Any]], Any]) -> FieldOf:
    encode = encoder_for(column.type)
    nullable = _is_nullable(column, pipeline)
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


def _text_field(column: Column, pipeline: Pipeline, get: Get) -> FieldOf:
    return _field_of(column, pipeline, lambda put, _documents: get(put))


def _number_field(column: Column, pipeline: Pipeline, get: Get) -> FieldOf:
    def value_in(put: Any, _documents: Sequence[Any]) -> Any:  # noqa: ANN401 - a struct made at run time, a number
        text = get(put)
        return UNSET if text is UNSET else number_from_text(text)

    return _field_of(column, pipeline, value_in)
