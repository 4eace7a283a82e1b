"""
Pipeline files: what a user writes (YAML), checked as a whole and compiled.

Every mistake is reported at once, each with its file and line: those that the file's own JSON Schema finds, and those
that only make sense together (a key attribute without a column, a name that MySQL folds into another, a row too wide).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from ddb2aurora.column_types import ColumnType, parse_column_type
from ddb2aurora.documents import SchemaFileError, schema_check
from ddb2aurora.fields import MisfitError, encoder_for
from ddb2aurora.paths import FACTS, ITEM, parse_path
from ddb2aurora.pipeline import Column, Document, KeyPart, Misfit, Pipeline
from ddb2aurora.pipeline_source import PipelineFileError, PipelineSource, Problem
from ddb2aurora.sql import CHANGED_AT_COLUMN, DELETED_AT_COLUMN, VERSION_COLUMN

__all__ = ["PipelineFileError", "Problem", "pipeline_file_schema", "read_pipeline_file"]

_RESERVED_COLUMNS: Final = {"_shape", "_op", "_line", VERSION_COLUMN, CHANGED_AT_COLUMN, DELETED_AT_COLUMN}
_MAX_KEY_BYTES: Final = 3072  # InnoDB: the longest index key with the DYNAMIC row format
_VERSION_BYTES: Final = 30  # DECIMAL(65,0); part of the key of an event log
_MAX_ROW_BYTES: Final = 65_535  # MySQL: the longest row, not counting text, blob and json
_OWN_BYTES: Final = 64  # _version takes 30 bytes, the times 8 each
_DEFAULT_MAX_REJECT_SHARE: Final = 0.1


def pipeline_file_schema() -> dict[str, Any]:
    """Return the JSON Schema of pipeline files."""
    text = resources.files("ddb2aurora").joinpath("pipeline_file.schema.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Any])


def read_pipeline_file(path: Path) -> Pipeline:
    """
    Return the pipeline that the file at *path* describes.

    Raises:
        PipelineFileError: The file, or a JSON Schema that it names, has mistakes.
    """
    source = PipelineSource(path)
    for error in Draft202012Validator(pipeline_file_schema()).iter_errors(source.value):
        _report(source, error)
    if source.problems:
        raise PipelineFileError(source.problems)
    pipeline = _build(source)
    if source.problems or pipeline is None:
        raise PipelineFileError(source.problems)
    return pipeline


def _report(source: PipelineSource, error: ValidationError) -> None:
    place, schema, instance = tuple(error.absolute_path), cast("Any", error.schema), cast("Any", error.instance)
    where = f"{'.'.join(map(str, place))}: " if place else ""
    if error.validator == "additionalProperties":
        known = schema["properties"]
        for name in instance.keys() - known.keys():
            source.report((*place, name), f"{where}{name!r} has no meaning here; there are: {', '.join(known)}")
        return
    if "propertyNames" in error.absolute_schema_path:
        place = (*place, instance)
    text = f"{instance!r} does not fit" if error.validator == "pattern" else error.message
    meaning = schema.get("description")
    source.report(place, f"{where}{text}" + (f": {meaning}" if meaning else ""))


def _build(source: PipelineSource) -> Pipeline | None:
    value = source.value
    target = value["target"]
    key = tuple(value["source"]["key"])
    if value["name"] != source.path.stem:
        source.report(("name",), f"the name {value['name']!r} must be that of the file, {source.path.stem!r}")
    columns = tuple(_columns(source, target["columns"]))
    documents = tuple(_documents(source, value["source"].get("documents", {})))
    _check_key(source, key, columns)
    _check_names(source, columns)
    _check_nulls(source, columns)
    if source.problems:
        return None
    mode = target.get("mode", "mirror")
    pipeline = Pipeline(
        name=value["name"],
        source_table=value["source"]["table"],
        source_key=key,
        documents=documents,
        target_database=target["database"],
        target_table=target["table"],
        mode=mode,
        on_ttl_delete=target.get("on_ttl_delete", "soft_delete" if mode == "soft_delete" else "delete"),
        max_reject_share=target.get("max_reject_share", _DEFAULT_MAX_REJECT_SHARE),
        heartbeat=_heartbeat(source, value["source"].get("heartbeat", {}), columns),
        # YAML 1.1 reads a bare on as true; where it is quoted, it is the word.
        packing=value.get("packing", False) in (True, "on"),
        columns=columns,
    )
    _check_mode(source, pipeline)
    _check_sizes(source, pipeline)
    return pipeline


def _columns(source: PipelineSource, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Column]:
    for name, described in columns.items():
        place = ("target", "columns", name)
        column_type: ColumnType | None = None
        try:
            column_type = parse_column_type(described["type"])
        except ValueError as error:
            source.report((*place, "type"), f"column {name}: {error}")
        path: tuple[str | int, ...] = ()
        try:
            if described["from"] not in FACTS:
                path = parse_path(described["from"])
        except ValueError as error:
            source.report((*place, "from"), f"column {name}: {error}; facts are {', '.join(FACTS)}")
        if column_type is not None:
            yield Column(
                name=name,
                type=column_type,
                source=described["from"],
                path=path,
                nullable=described.get("null", True),
                on_misfit=Misfit(described.get("on_misfit", "reject") or "null"),
            )


def _documents(source: PipelineSource, documents: Mapping[str, str]) -> Iterator[Document]:
    for attribute, file in documents.items():
        place = ("source", "documents", attribute)
        try:
            text = (source.path.parent / file).read_text(encoding="utf-8-sig")
            schema_check(text)
        except OSError as error:
            source.report(place, f"the JSON Schema {file!r} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            source.report(place, f"the JSON Schema {file!r} cannot be read: not UTF-8")
        except SchemaFileError as error:
            source.report(place, f"the JSON Schema {file!r} cannot be used: {error}")
        else:
            yield Document(attribute=attribute, schema=text)


def _heartbeat(
    source: PipelineSource, given: Mapping[str, str | int], columns: tuple[Column, ...]
) -> tuple[KeyPart, ...]:
    key = source.value["source"]["key"]
    place = ("source", "heartbeat")
    if given and set(given) != set(key):
        source.report(place, f"heartbeat: give it each attribute of the key, and no other: {', '.join(key)}")
        return ()
    by_path = {column.path: column for column in columns}
    for attribute, value in given.items():
        column = by_path[(attribute,)]
        try:
            encoder_for(column.type)(Decimal(value) if isinstance(value, int) else value)
        except MisfitError as error:
            source.report((*place, attribute), f"heartbeat: {attribute} {column.type.sql}: {error.detail}")
    return tuple(
        KeyPart(attribute=attribute, kind="N" if isinstance(value, int) else "S", value=str(value))
        for attribute, value in given.items()
    )


def _check_key(source: PipelineSource, key: tuple[str, ...], columns: tuple[Column, ...]) -> None:
    for attribute in key:
        matching = [column for column in columns if column.path == (attribute,)]
        if len(matching) != 1:
            source.report(
                ("source", "key"),
                f"the key attribute {attribute!r} needs one column with from: {attribute}; it has {len(matching)}",
            )
        for column in matching:
            place = ("target", "columns", column.name)
            if not column.type.may_be_key:
                source.report(
                    place,
                    f"column {column.name}: a key is an integer, decimal, varchar or varbinary, not {column.type.sql}",
                )
            if column.on_misfit is not Misfit.REJECT:
                source.report(place, f"column {column.name}: a key that does not fit can only be rejected")


def _check_names(source: PipelineSource, columns: tuple[Column, ...]) -> None:
    seen: dict[str, str] = {}
    for column in columns:
        folded = column.name.lower()
        place = ("target", "columns", column.name)
        if folded in _RESERVED_COLUMNS:
            source.report(place, f"column {column.name}: the name is kept for ddb2aurora's own column")
        if folded in seen:
            source.report(place, f"column {column.name}: MySQL does not tell it from {seen[folded]}; rename one")
        seen.setdefault(folded, column.name)


def _check_nulls(source: PipelineSource, columns: tuple[Column, ...]) -> None:
    for column in columns:
        if column.on_misfit is Misfit.NULL and not column.nullable:
            place = ("target", "columns", column.name, "on_misfit")
            source.report(place, f"column {column.name}: on_misfit: null needs a column that may be null")


def _check_mode(source: PipelineSource, pipeline: Pipeline) -> None:
    if pipeline.mode != "append":
        return
    if pipeline.on_ttl_delete == "soft_delete":
        source.report(
            ("target", "on_ttl_delete"), "on_ttl_delete: an event log has no row to stamp; use delete or keep"
        )
    for column in pipeline.value_columns:
        if not column.nullable and (not column.is_fact or column.source == ITEM):
            place = ("target", "columns", column.name, "null")
            source.report(place, f"column {column.name}: the log of a delete has no value for it; it must allow NULL")


def _check_sizes(source: PipelineSource, pipeline: Pipeline) -> None:
    key_bytes = sum(column.type.key_bytes for column in pipeline.key_columns)
    if pipeline.mode == "append":
        key_bytes += _VERSION_BYTES
    if key_bytes > _MAX_KEY_BYTES:
        source.report(
            ("target", "columns", pipeline.key_columns[0].name),
            f"the key columns may take {key_bytes} bytes, an InnoDB key at most {_MAX_KEY_BYTES}; make them narrower, "
            "or use varbinary(n), which takes one byte a byte",
        )
    # One bit a column says whether it is NULL.
    row_bytes = sum(column.type.row_bytes for column in pipeline.columns) + len(pipeline.columns) // 8 + _OWN_BYTES
    if row_bytes > _MAX_ROW_BYTES:
        source.report(
            ("target", "columns"),
            f"a row may take {row_bytes} bytes, in MySQL at most {_MAX_ROW_BYTES}; use text types for long strings",
        )
