"""
Pipeline files: what a user writes (YAML), checked as a whole and compiled.

Every mistake is reported at once, each with its file and line: those that the file's own JSON Schema finds, and those
that only make sense together (a key attribute without a column, a name that MySQL folds into another, a row too wide).
"""

from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import yaml
from jsonschema import Draft202012Validator

from ddb2aurora.column_types import ColumnType, parse_column_type
from ddb2aurora.documents import SchemaFileError, schema_check
from ddb2aurora.errors import HaltError
from ddb2aurora.paths import FACTS, parse_path
from ddb2aurora.pipeline import Column, Document, Misfit, Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, DELETED_AT_COLUMN, VERSION_COLUMN

_RESERVED_COLUMNS: Final = {"_shape", "_op", "_line", VERSION_COLUMN, CHANGED_AT_COLUMN, DELETED_AT_COLUMN}
_MAX_KEY_BYTES: Final = 3072  # InnoDB: the longest index key with the DYNAMIC row format
_MAX_ROW_BYTES: Final = 65_535  # MySQL: the longest row, not counting text, blob and json
_DEFAULT_MAX_REJECT_SHARE: Final = 0.1

_Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """One mistake in a pipeline file; *line* counts from 1."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class PipelineFileError(HaltError):
    """A pipeline file has mistakes; the text lists them all, one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        """Report *problems* in the order of their lines."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class _Source:
    """The parsed YAML with the line of every place in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._lines: dict[_Place, int] = {(): 1}
        try:
            node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            raise PipelineFileError(
                [Problem(path, mark.line + 1 if mark else 1, f"not YAML: {error.problem}")]
            ) from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise PipelineFileError([Problem(path, 1, f"cannot be read: {error}")]) from error
        self.value: Any = None if node is None else self._value(node, ())

    def _value(self, node: yaml.Node, place: _Place) -> Any:  # noqa: ANN401 - whatever the file holds
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            found: dict[str, Any] = {}
            for key_node, value_node in node.value:
                name = str(key_node.value)
                self._lines[*place, name] = key_node.start_mark.line + 1
                if name in found:
                    self.report((*place, name), f"{name!r} stands here twice")
                found[name] = self._value(value_node, (*place, name))
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self._value(inner, (*place, index)) for index, inner in enumerate(node.value)]
        return yaml.SafeLoader("").construct_object(node)

    def report(self, place: _Place, text: str) -> None:
        while place not in self._lines:
            place = place[:-1]
        self.problems.append(Problem(self.path, self._lines[place], text))


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
    source = _Source(path)
    for error in Draft202012Validator(pipeline_file_schema()).iter_errors(source.value):
        source.report(tuple(error.absolute_path), _plain(error.message, tuple(error.absolute_path)))
    if source.problems:
        raise PipelineFileError(source.problems)
    pipeline = _build(source)
    if source.problems or pipeline is None:
        raise PipelineFileError(source.problems)
    return pipeline


def _plain(message: str, place: _Place) -> str:
    where = ".".join(map(str, place))
    return f"{where}: {message}" if where else message


def _build(source: _Source) -> Pipeline | None:
    value = source.value
    target = value["target"]
    key = tuple(value["source"]["key"])
    if value["name"] != source.path.stem:
        source.report(("name",), f"the name {value['name']!r} must be that of the file, {source.path.stem!r}")
    columns = tuple(_columns(source, target["columns"]))
    documents = tuple(_documents(source, value["source"].get("documents", {})))
    _check_key(source, key, columns)
    _check_names(source, columns)
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
        columns=columns,
    )
    _check_sizes(source, pipeline)
    return pipeline


def _columns(source: _Source, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Column]:
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


def _documents(source: _Source, documents: Mapping[str, str]) -> Iterator[Document]:
    for attribute, file in documents.items():
        place = ("source", "documents", attribute)
        try:
            text = (source.path.parent / file).read_text(encoding="utf-8")
            schema_check(text)
        except (OSError, UnicodeDecodeError) as error:
            source.report(place, f"the JSON Schema {file!r} cannot be read: {error}")
        except SchemaFileError as error:
            source.report(place, f"the JSON Schema {file!r} cannot be used: {error}")
        else:
            yield Document(attribute=attribute, schema=text)


def _check_key(source: _Source, key: tuple[str, ...], columns: tuple[Column, ...]) -> None:
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


def _check_names(source: _Source, columns: tuple[Column, ...]) -> None:
    seen: dict[str, str] = {}
    for column in columns:
        folded = column.name.lower()
        place = ("target", "columns", column.name)
        if folded in _RESERVED_COLUMNS:
            source.report(place, f"column {column.name}: the name is kept for ddb2aurora's own column")
        if folded in seen:
            source.report(place, f"column {column.name}: MySQL does not tell it from {seen[folded]}; rename one")
        seen.setdefault(folded, column.name)


def _check_sizes(source: _Source, pipeline: Pipeline) -> None:
    key_bytes = sum(column.type.key_bytes for column in pipeline.key_columns)
    if key_bytes > _MAX_KEY_BYTES:
        source.report(
            ("target", "columns", pipeline.key_columns[0].name),
            f"the key columns may take {key_bytes} bytes, an InnoDB key at most {_MAX_KEY_BYTES}; make them narrower, "
            "or use varbinary(n), which takes one byte a byte",
        )
    row_bytes = sum(column.type.row_bytes for column in pipeline.columns)
    if row_bytes > _MAX_ROW_BYTES:
        source.report(
            ("target", "columns"),
            f"a row may take {row_bytes} bytes, in MySQL at most {_MAX_ROW_BYTES}; use text types for long strings",
        )
