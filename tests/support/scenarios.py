"""
Scenarios: cases written as data, read strictly, and what they say in the terms of the project.

A case is YAML without surprises: keys are text, a key stands once, and a number is a whole one. What YAML has no word
for has a tag: `!n "1.50"` (a number with a fraction, as text), `!ss [a]`, `!ns ["1"]`, `!bs [!!binary AA==]`,
`!repeat ["text", times]`, and `!dynamodb {N: "1E400"}` for an attribute exactly as a stream would carry it.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import yaml
from builders import a_stream_record, dynamodb_json
from jsonschema import Draft202012Validator

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.pipeline_file import read_pipeline_file

FOLDER = Path(__file__).parents[1] / "scenarios"
_FIRST_MS = 1_767_700_000_000
_NAME = re.compile(r"[a-z][a-z0-9-]{2,47}")
_BORING_COLUMNS = {
    "id": {"type": "varchar(100)", "from": "id"},
    "n": {"type": "int", "from": "n"},
    "note": {"type": "text", "from": "note"},
}


@dataclass(frozen=True)
class AttributeValue:
    """An attribute in DynamoDB JSON, which no item that was written could hold."""

    json: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What happened to one item; *number* is its place in the case."""

    number: int
    at: int
    epoch: int
    ms: int | None
    kind: Literal["put", "delete", "ttl_delete"]
    item: Mapping[str, Any]

    @property
    def order(self) -> tuple[int, int]:
        return self.epoch, self.at

    def image(self) -> dict[str, Any]:
        """Return the item in DynamoDB JSON."""
        plain = {name: value for name, value in self.item.items() if not isinstance(value, AttributeValue)}
        return {name: value.json for name, value in self.item.items() if name not in plain} | dynamodb_json(plain)


@dataclass(frozen=True)
class ObjectPlan:
    """An object that arrives: which changes and which lines, and under which name."""

    number: int
    name: str
    changes: tuple[int, ...] = ()
    lines: tuple[str | bytes, ...] = ()
    last_newline: bool = True
    again: int | None = None


@dataclass(frozen=True, eq=False)
class Scenario:
    """One case, equal to itself alone."""

    name: str
    about: str
    parts: Mapping[str, Any]
    set_up: tuple[str, ...]
    changes: tuple[Change, ...]
    objects: tuple[ObjectPlan, ...]
    stack: str
    """`items`, `objects` or `no`."""
    rows: tuple[Mapping[str, Any], ...]
    deleted: tuple[Mapping[str, Any], ...]
    rejects: tuple[Mapping[str, Any], ...]
    halts: tuple[Mapping[str, Any], ...]
    counts: Mapping[str, int] | None = None
    why_no_stack: str = ""
    refused: tuple[str, ...] = ()
    """The mistakes of its pipeline file; such a case has no way to run."""

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(self.parts.get("key", ("id",)))

    def pipeline(self, folder: Path, *, database: str) -> Pipeline:
        """Return the case's pipeline, read from a pipeline file that is written to *folder*."""
        name = self.name.replace("-", "_")
        documents = self.parts.get("documents", {})
        for attribute, schema in documents.items():
            (folder / f"{name}-{attribute}.json").write_text(json.dumps(schema, default=_json_number))
        described = {
            "name": name,
            "source": {
                "table": f"scenario-{self.name}",
                "key": list(self.key),
                "documents": {attribute: f"{name}-{attribute}.json" for attribute in documents},
                **({"heartbeat": self.parts["heartbeat"]} if "heartbeat" in self.parts else {}),
            },
            "target": {
                "database": database,
                "table": self.parts.get("table", name),
                "columns": self.parts.get("columns", _BORING_COLUMNS),
                **{part: self.parts[part] for part in _OF_TARGET if part in self.parts},
            },
        }
        file = folder / f"{name}.yaml"
        # JSON is YAML, as long as no character stands as a pair of surrogates.
        file.write_text(json.dumps(described, ensure_ascii=False, default=_json_number))
        return read_pipeline_file(file)

    def stream_records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each change and its record in an event of a DynamoDB stream."""
        for change in self.changes:
            image = change.image()
            record = a_stream_record(
                kind=self._event_name(change),
                item={},
                key=(),
                table=f"scenario-{self.name}",
                event_id=f"{self.name}-{change.number}",
                changed_at_ms=change.ms,
                sequence_number=change.at,
                stream_label=f"2026-01-05T{9 + change.epoch:02}:00:00.000",
                by_ttl=change.kind == "ttl_delete",
            )
            record["dynamodb"]["Keys"] = {name: image[name] for name in self.key if name in image}
            if change.kind == "put":
                record["dynamodb"]["NewImage"] = image
            yield change.number, record

    def _event_name(self, change: Change) -> Literal["INSERT", "MODIFY", "REMOVE"]:
        if change.kind != "put":
            return "REMOVE"
        older = [found for found in self.changes if found.order < change.order and _same_key(found, change, self.key)]
        newest = max(older, key=lambda found: found.order, default=None)
        return "INSERT" if newest is None or newest.kind != "put" else "MODIFY"


_OF_TARGET = ("mode", "on_ttl_delete", "max_reject_share")


def _same_key(one: Change, other: Change, key: Sequence[str]) -> bool:
    return all(one.item.get(name) == other.item.get(name) for name in key)


def _json_number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


class ScenarioError(Exception):
    """A case says something that has no meaning."""


class _Loader(yaml.SafeLoader):
    """YAML with the tags of a case, text as keys, and no floats. The parser in C takes no half of a surrogate pair."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = True) -> dict[str, Any]:
        keys = [str(key.value) for key, _ in node.value]
        if doubled := {key for key in keys if keys.count(key) > 1}:
            raise ScenarioError(f"line {node.start_mark.line + 1}: stands twice: {', '.join(sorted(doubled))}")
        return {str(key.value): self.construct_object(value, deep=deep) for key, value in node.value}


def _construct_map(loader: _Loader, node: yaml.Node) -> Any:
    return loader.construct_mapping(node, deep=True)


def _construct_members(loader: _Loader, node: yaml.Node) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


def _construct_repeat(loader: _Loader, node: yaml.Node) -> str:
    text, times = loader.construct_sequence(node, deep=True)
    return text * times


def _construct_scalar(_: _Loader, node: yaml.Node) -> Any:
    if node.value in ("true", "false"):
        return node.value == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", node.value):
        return int(node.value)
    # yes, 0x10, 010, 1_000 and 10:00 are words to people, and something else to YAML.
    raise ScenarioError(f"line {node.start_mark.line + 1}: quote {node.value}, so that it is clear what it is")


def _no_float(_: _Loader, node: yaml.Node) -> Any:
    raise ScenarioError(f'line {node.start_mark.line + 1}: write {node.value} as !n "{node.value}", to be exact')


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor("tag:yaml.org,2002:bool", _construct_scalar)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_scalar)
_Loader.add_constructor("tag:yaml.org,2002:float", _no_float)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)
_Loader.add_constructor("!n", lambda _, node: Decimal(node.value))
_Loader.add_constructor("!ss", lambda loader, node: frozenset(_construct_members(loader, node)))
_Loader.add_constructor("!bs", lambda loader, node: frozenset(_construct_members(loader, node)))
_Loader.add_constructor("!ns", lambda loader, node: frozenset(map(Decimal, _construct_members(loader, node))))
_Loader.add_constructor("!repeat", _construct_repeat)
_Loader.add_constructor("!dynamodb", lambda loader, node: AttributeValue(_construct_map(loader, node)))


def read_scenarios(folder: Path = FOLDER) -> tuple[Scenario, ...]:
    """
    Return the cases in *folder*, by name.

    Raises:
        ScenarioError: A case says something that has no meaning.
    """
    return tuple(read_scenario(path) for path in sorted(folder.glob("*.yaml")))


def read_scenario(path: Path) -> Scenario:
    """
    Return the case in the file at *path*.

    Raises:
        ScenarioError: It says something that has no meaning.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - derived from the safe loader
        problems = [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(value)]
        scenario = None if problems else _scenario(path.stem, value)
    except (yaml.YAMLError, ScenarioError) as error:
        raise ScenarioError(f"{path.name}: {error}") from error
    if scenario is not None:
        problems = list(_problems(scenario))
    if scenario is None or problems:
        raise ScenarioError("\n".join(f"{path.name}: {problem}" for problem in problems))
    return scenario


@functools.cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads((FOLDER / "scenario.schema.json").read_text(encoding="utf-8")))


def _scenario(name: str, value: Mapping[str, Any]) -> Scenario:
    changes = tuple(_change(number, described) for number, described in enumerate(value["changes"], start=1))
    # Each change in an object of its own is the harshest: no file puts anything in order.
    planned = value.get("objects") or [{"changes": [change.number]} for change in changes]
    stack = value.get("stack", "items")
    return Scenario(
        name=name,
        about=value["about"],
        parts=value.get("pipeline", {}),
        set_up=tuple(value.get("set_up", ())),
        changes=changes,
        objects=tuple(_object(number, described) for number, described in enumerate(planned, start=1)),
        stack=stack if isinstance(stack, str) else "no",
        rows=tuple(value["rows"]),
        deleted=tuple(value.get("deleted", ())),
        rejects=tuple(value.get("rejects", ())),
        halts=tuple(value.get("halts", ())),
        counts=value.get("counts"),
        why_no_stack="" if isinstance(stack, str) else stack["no"],
        refused=tuple(value.get("refused", ())),
    )


def _change(number: int, described: Mapping[str, Any]) -> Change:
    [kind] = described.keys() & {"put", "delete", "ttl_delete"}
    return Change(
        number=number,
        at=described["at"],
        epoch=described.get("epoch", 1),
        ms=described.get("ms", _FIRST_MS + 1000 * number),
        kind=kind,
        item=described[kind],
    )


def _object(number: int, described: Mapping[str, Any]) -> ObjectPlan:
    return ObjectPlan(
        number=number,
        name=described.get("name", f"{number:03}.csv"),
        changes=tuple(described.get("changes", ())),
        lines=tuple(described.get("lines", ())),
        last_newline=described.get("last_newline", True),
        again=described.get("again"),
    )


def _problems(case: Scenario) -> Iterator[str]:
    if not _NAME.fullmatch(case.name):
        yield "the name of the file must be 3 to 48 small letters, digits and -"
    if case.refused and (case.changes or case.rows):
        yield "nothing happens with a pipeline file that is refused"
    carried = {number for planned in case.objects for number in planned.changes}
    if carried != {change.number for change in case.changes}:
        yield "the objects must carry every change, and no others"
    fresh = [planned.number for planned in case.objects if planned.again is None]
    if any(planned.again not in (None, *fresh) for planned in case.objects):
        yield "an object can be announced again only if it was announced before"
    if case.stack == "items":
        yield from _why_not_items(case)


def _why_not_items(case: Scenario) -> Iterator[str]:
    unusual = [change.number for change in case.changes if change.epoch != 1 or change.kind == "ttl_delete"]
    if unusual:
        yield f"stack: items cannot make the changes {unusual}; use objects"
    if [change.order for change in case.changes] != sorted({change.order for change in case.changes}):
        yield "stack: items puts changes in their order; use objects for another"
    if [planned.changes for planned in case.objects] != [(change.number,) for change in case.changes]:
        yield "stack: items leaves it to the delivery stream how objects are made; use objects"
    if any("object" in found for found in (*case.rejects, *case.halts)):
        yield "what the loader refuses has a place in an object; use objects"
    there: dict[str, Any] = {}
    for change in case.changes:
        key = repr([change.item.get(name) for name in case.key])
        if there.get(key) == (change.item if change.kind == "put" else None):
            yield f"change {change.number} changes nothing, so no stream would tell of it; use objects"
        there[key] = change.item if change.kind == "put" else None
