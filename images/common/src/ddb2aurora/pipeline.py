"""
A pipeline: which DynamoDB table goes to which MySQL table, and how.

`pipeline_file` reads what a user wrote (YAML, JSON Schemas) and compiles it to one JSON file that the images carry;
this module holds the compiled form and reads it, so that a function needs neither a YAML parser nor a schema checker.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any, Literal, TypeAlias

import msgspec

from ddb2aurora.column_types import ColumnType
from ddb2aurora.errors import HaltError
from ddb2aurora.paths import FACTS, Path

Mode: TypeAlias = Literal["mirror", "soft_delete", "append"]
TtlPolicy: TypeAlias = Literal["delete", "keep", "soft_delete"]
COMPILED_FORMAT = 1


class Misfit(StrEnum):
    """What to do with a value that does not fit its column."""

    REJECT = "reject"
    NULL = "null"


class UnknownPipelineError(HaltError):
    """There is no pipeline of that name."""


class CompiledPipelineError(HaltError):
    """A compiled pipeline cannot be read."""


class Document(msgspec.Struct, frozen=True):
    """An attribute whose string value is a JSON document, and the text of the JSON Schema that it must satisfy."""

    attribute: str
    schema: str


class KeyPart(msgspec.Struct, frozen=True):
    """One key attribute of an item, in DynamoDB's terms: its *kind* (text or number) and *value*."""

    attribute: str
    kind: Literal["S", "N"]
    value: str


class Column(msgspec.Struct, frozen=True):
    """
    One column of the target.

    *source* is the text of `from`: a path into the item, with its steps in *path*, or one of `paths.FACTS`, with none.
    """

    name: str
    type: ColumnType
    source: str
    path: Path
    nullable: bool = True
    on_misfit: Misfit = Misfit.REJECT

    @property
    def is_fact(self) -> bool:
        """Whether the column holds a fact about the change, not a value of the item."""
        return self.source in FACTS


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """One table kept true to another; see the pipeline file for the meaning of each part."""

    format: int = COMPILED_FORMAT
    name: str
    source_table: str
    source_key: tuple[str, ...]
    documents: tuple[Document, ...]
    target_database: str
    target_table: str
    mode: Mode
    on_ttl_delete: TtlPolicy
    max_reject_share: float
    packing: bool = False
    heartbeat: tuple[KeyPart, ...] = ()
    columns: tuple[Column, ...]

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns that hold the source's key, in the order of that key."""
        by_source = {column.path: column for column in self.columns}
        return tuple(by_source[(attribute,)] for attribute in self.source_key)

    @property
    def value_columns(self) -> tuple[Column, ...]:
        """The columns that are not part of the key, in the order of the pipeline file."""
        keys = self.key_columns
        return tuple(column for column in self.columns if column not in keys)

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes of an item that this pipeline reads."""
        mapped = {str(column.path[0]) for column in self.columns if column.path}
        return frozenset(mapped | set(self.source_key) | {document.attribute for document in self.documents})

    def is_heartbeat(self, attributes: Mapping[str, Any]) -> bool:
        """
        Return whether *attributes*, an item or its key in DynamoDB JSON, are those of the item kept for heartbeats.

        Such an item is no part of the data: it never becomes a row.
        """
        parts = self.heartbeat
        return bool(parts) and all(attributes.get(part.attribute) == {part.kind: part.value} for part in parts)

    @property
    def keeps_deleted(self) -> bool:
        """Whether rows of deleted items may stay, stamped with the time of the delete."""
        return self.mode == "soft_delete" or self.on_ttl_delete == "soft_delete"

    @property
    def reads_whole_item(self) -> bool:
        """Whether a column holds the item as a whole, so that no attribute may be left out."""
        return any(column.source == "$item" for column in self.columns)

    @property
    def shape(self) -> str:
        """Return a short hash of the ordered column names and types; rows carry it as `_shape`."""
        text = "\n".join(f"{column.name}\0{column.type.sql}" for column in self.columns)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def dump_pipeline(pipeline: Pipeline) -> bytes:
    """Return the compiled form of *pipeline*: one JSON document, equal for equal pipelines."""
    return msgspec.json.format(msgspec.json.encode(pipeline, order="deterministic"), indent=1) + b"\n"


def parse_pipeline(compiled: bytes, *, where: str) -> Pipeline:
    """
    Return the pipeline in its compiled form; *where* is named in errors.

    Raises:
        CompiledPipelineError: It is not a compiled pipeline of a format that this code knows.
    """
    try:
        pipeline = msgspec.json.decode(compiled, type=Pipeline)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CompiledPipelineError(
            f"{where}: not a compiled pipeline ({error}); compile the pipeline file again"
        ) from error
    if pipeline.format != COMPILED_FORMAT:
        raise CompiledPipelineError(f"{where}: compiled in format {pipeline.format}; compile the pipeline file again")
    return pipeline


def load_pipeline(name: str, *, folder: FilePath) -> Pipeline:
    """
    Return the compiled pipeline *name* out of *folder*.

    Raises:
        UnknownPipelineError: There is none of that name; the error lists those that there are.
        CompiledPipelineError: The file cannot be read.
    """
    path = folder / f"{name}.json"
    known = sorted(found.stem for found in folder.glob("*.json"))
    if name not in known:
        raise UnknownPipelineError(
            f"no pipeline {name!r} in {folder}; there are: {', '.join(known) or 'none'}. Set PIPELINE to one of them, "
            f"or add pipelines/{name}.yaml and build again"
        )
    try:
        compiled = path.read_bytes()
    except OSError as error:
        raise CompiledPipelineError(f"{path}: cannot be read ({error.strerror})") from error
    return parse_pipeline(compiled, where=str(path))
