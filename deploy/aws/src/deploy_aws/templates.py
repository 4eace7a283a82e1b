"""CloudFormation templates as far as deploying needs them: parameters, kinds of resources, what outlives its stack."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from deploy_aws.errors import DeploymentSettingsError

FOLDER: Final = Path(__file__).parents[2]  # deploy/aws
ROOT: Final = "root.yaml"
BOOTSTRAP: Final = "bootstrap.yaml"
# Resources that outlive the stack which made them.
KEEPING: Final = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a template; *default* is None where a value has to be given."""

    name: str
    type: str = "String"
    default: str | None = None
    description: str = ""
    constraint: str = ""
    pattern: str | None = None
    allowed: tuple[str, ...] = ()
    shortest: int | None = None
    longest: int | None = None
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template: its type, what a delete does with it, and the condition on which it is made."""

    type: str
    on_delete: str = "Delete"
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One template: the bytes that CloudFormation gets, and what they say."""

    name: str
    body: bytes
    parameters: Mapping[str, Parameter]
    resources: Mapping[str, Resource]


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms, such as !Ref and !Sub."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    raise yaml.constructor.ConstructorError(None, None, f"!{suffix} stands on nothing", node.start_mark)


_Loader.add_multi_constructor("!", _short_form)


def parse_template(name: str, body: bytes) -> Template:
    """
    Return the template that *body* holds, YAML or JSON.

    Raises:
        DeploymentSettingsError: It holds none.
    """
    try:
        document = yaml.load(body, Loader=_Loader)  # noqa: S506 - a SafeLoader with CloudFormation's tags
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeploymentSettingsError(f"{name} is not a template: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise DeploymentSettingsError(f"{name} is not a template: it has no Resources")
    return Template(
        name=name,
        body=body,
        parameters={key: _parameter(key, found) for key, found in (document.get("Parameters") or {}).items()},
        resources={
            key: Resource(found["Type"], found.get("DeletionPolicy", "Delete"), found.get("Condition"))
            for key, found in document["Resources"].items()
        },
    )


def read_templates(folder: Path = FOLDER) -> Mapping[str, Template]:
    """
    Return every template of *folder* by its file's name.

    Raises:
        DeploymentSettingsError: One of them is no template, or the two that a deployment begins with are missing.
    """
    found = {file.name: parse_template(file.name, file.read_bytes()) for file in sorted(folder.glob("*.yaml"))}
    missing = sorted({ROOT, BOOTSTRAP} - set(found))
    if missing:
        raise DeploymentSettingsError(f"{folder} lacks {' and '.join(missing)}; get the whole of the repository")
    return found


def content_hash(templates: Iterable[Template]) -> str:
    """Return a short name for exactly these templates: the same content has the same name."""
    digest = hashlib.sha256()
    for template in sorted(templates, key=lambda found: found.name):
        digest.update(f"{template.name}\0{len(template.body)}\0".encode())
        digest.update(template.body)
    return digest.hexdigest()[:16]


def _parameter(name: str, found: Mapping[str, Any]) -> Parameter:
    default = found.get("Default")
    return Parameter(
        name=name,
        type=found.get("Type", "String"),
        default=None if default is None else as_text(default),
        description=" ".join(str(found.get("Description", "")).split()),
        constraint=" ".join(str(found.get("ConstraintDescription", "")).split()),
        pattern=found.get("AllowedPattern"),
        allowed=tuple(as_text(value) for value in found.get("AllowedValues", ())),
        shortest=_whole(found.get("MinLength")),
        longest=_whole(found.get("MaxLength")),
        least=_number(found.get("MinValue")),
        most=_number(found.get("MaxValue")),
    )


def as_text(value: object) -> str:
    """Return *value* as CloudFormation takes parameters: text, `true` and `false`, lists with commas between."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(as_text(entry) for entry in value)
    return str(value)


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
