"""The structs that the quick way decodes a change into, made of what the columns of a pipeline read."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from ddb2aurora.envelope import Milliseconds
from ddb2aurora.pipeline import Column, Pipeline

Get: TypeAlias = Callable[[Any], Any]


class Text(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An attribute value that is a string, and nothing else."""

    value: str = msgspec.field(name="S")


class Number(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An attribute value that is a number, in DynamoDB's text."""

    value: str = msgspec.field(name="N")


class _Change(msgspec.Struct, gc=False, kw_only=True):
    """What `envelope.Change` holds, with structs of the pipeline for keys and image."""

    format_version: Literal[1] = msgspec.field(name="v", default=1)
    event: Literal["INSERT", "MODIFY", "REMOVE"]
    event_id: str = msgspec.field(name="id")
    table: str
    changed_at_ms: Milliseconds | None = msgspec.field(name="at_ms")
    sequence_number: str = msgspec.field(name="sequence")
    stream_epoch_ms: Milliseconds = msgspec.field(name="epoch_ms")
    by_ttl: bool = msgspec.field(name="ttl", default=False)
    trimmed: bool = False


def reads_documents_as_text(pipeline: Pipeline) -> bool:
    """Return whether every column that takes a document as it is takes a string."""
    documents = {document.attribute for document in pipeline.documents}
    return all(
        attribute_type(column) is Text
        for column in pipeline.columns
        if len(column.path) == 1 and column.path[0] in documents and column.type.kind != "json"
    )


class Attributes:
    """The attributes that a pipeline reads, each with its place in a struct and the type that its readers share."""

    def __init__(self, pipeline: Pipeline) -> None:
        """
        Find the attributes that the columns of *pipeline* read.

        Raises:
            ValueError: There is no struct for them.
        """
        self._heartbeat = pipeline.heartbeat
        documents = {document.attribute for document in pipeline.documents}
        types: dict[str, Any] = dict.fromkeys(documents, Text)
        for column in pipeline.columns:
            if column.path and not (
                column.path[0] in documents and (len(column.path) > 1 or column.type.kind == "json")
            ):
                attribute = str(column.path[0])
                wanted = attribute_type(column)
                types[attribute] = wanted if types.get(attribute, wanted) is wanted else Any
        if not set(pipeline.source_key) <= types.keys():
            raise ValueError("a part of the key is in no column")
        self._types = types
        # The slower way rejects a change without its documents, so that no column has to look whether they are there.
        self._required = documents | set(pipeline.source_key)
        key = pipeline.source_key
        self._places = {name: ("keys" if name in key else "image", f"a{number}") for number, name in enumerate(types)}
        keys = self._struct([name for name in types if name in key], forbid_unknown_fields=True)
        # The key is taken from the keys; in the image it is skipped, as all that nobody reads.
        image = self._struct([name for name in types if name not in key], forbid_unknown_fields=False)
        fields = [("keys", keys), ("image", image | None)]
        self.decoder = msgspec.json.Decoder(
            msgspec.defstruct("Change", fields, bases=(_Change,), gc=False, kw_only=True)
        )

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

    def getter(self, attribute: str) -> Get:
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

    def expression(self, attribute: str) -> str:
        """Return the expression for the text of a string or a number, None where the attribute is not there."""
        found = f"put.{'.'.join(self._places[attribute])}"
        return f"{found}.value" if attribute in self._required else f"None if (x := {found}) is UNSET else x.value"

    def is_required(self, attribute: str) -> bool:
        """Return whether every put has the attribute."""
        return attribute in self._required

    def kind(self, attribute: str) -> Any:  # noqa: ANN401 - a type, or Any itself
        """Return the struct of an attribute, Any when it may hold anything."""
        return self._types[attribute]

    @property
    def are_all_text(self) -> bool:
        """Whether every attribute is a string, so that none that was decoded can be wrong in itself."""
        return all(kind is Text for kind in self._types.values())

    def is_heartbeat(self, put: Any) -> bool:  # noqa: ANN401 - a struct made at run time
        """Return whether the key of *put* may be that of the heartbeats."""
        return all(part.value in str(self.getter(part.attribute)(put)) for part in self._heartbeat)


def attribute_type(column: Column) -> Any:  # noqa: ANN401 - a type, or Any itself
    """Return the struct of what *column* takes from its attribute, Any when that may be anything."""
    if len(column.path) > 1:
        return Any
    match column.type.kind:
        case "varchar" | "text" | "datetime" | "date":
            return Text
        case "integer" | "decimal" | "double":
            return Number
    return Any
