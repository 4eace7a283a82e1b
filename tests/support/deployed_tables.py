"""What a deployment in the emulated account has carried and used, set against what the templates say."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from templates import as_list, resources, template, template_paths, walk

# Words for how a resource fares: it works, it is kept and nobody looks, something else does its work, it is not made.
CARRIED, KEPT, REPLACED, LEFT_OUT = "carried", "kept", "replaced", "left out"
MADE = {CARRIED, KEPT, REPLACED}


@dataclass(frozen=True, order=True)
class Fate:
    """How a resource of a template fares in the emulated account, and why if it does not simply work."""

    template: str
    logical: str
    type: str
    how: str
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.template}.{self.logical}"


@dataclass(frozen=True, order=True)
class Grant:
    """An action that a role of a template is granted."""

    role: str
    action: str


@functools.cache
def declared() -> frozenset[tuple[str, str, str]]:
    """Return every resource of the templates: template, logical name, type."""
    return frozenset(
        (path.stem, logical, each["Type"])
        for path in template_paths()
        for logical, each in resources(template(path.stem)).items()
    )


def fates(said: Mapping[str, Any]) -> list[Fate]:
    """
    Return how every resource fares, as *said*: of types, and of resources whose fate is not that of their type.

    Raises:
        KeyError: Nothing is said of a resource.
    """
    return sorted(
        Fate(name, logical, kind, **_in_words(f"{name}.{logical}", kind, said)) for name, logical, kind in declared()
    )


def superfluous(said: Mapping[str, Any]) -> list[str]:
    """Return of what something is said that the templates do not have."""
    names = {f"{name}.{logical}" for name, logical, _ in declared()}
    kinds = {kind for *_, kind in declared()}
    return sorted(said["resources"].keys() - names) + sorted(said["types"].keys() - kinds)


@functools.cache
def granted() -> frozenset[Grant]:
    """Return every action that the policies of the templates allow their roles, under any option."""
    return frozenset(
        Grant(role, action)
        for path in template_paths()
        for role, statement in _statements(path.stem)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    )


def template_of(stack: Mapping[str, Any]) -> str:
    """Return the name of the template of a nested stack, given the resource that makes it."""
    url = stack["Properties"]["TemplateURL"]["Fn::Sub"]
    return str(url).rpartition("/")[2].removesuffix(".yaml")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _in_words(name: str, kind: str, said: Mapping[str, Any]) -> dict[str, str]:
    found = said["resources"].get(name, said["types"].get(kind))
    if found is None:
        raise KeyError(f"carried.yaml says nothing of {name}, nor of {kind}")
    return {"how": found} if isinstance(found, str) else dict(found)


def _statements(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the statements of identity policies, each with its role as `template.LogicalName`."""
    content = template(name)
    for logical, each in resources(content, "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy").items():
        properties = each["Properties"]
        policies = properties.get("Policies", []) if each["Type"] == "AWS::IAM::Role" else [properties]
        owner = f"{name}.{logical}" if each["Type"] == "AWS::IAM::Role" else _owner(properties)
        for _, inside in walk(policies):
            if isinstance(inside, dict) and "Effect" in inside and "Action" in inside:
                yield owner, inside


def _owner(properties: Mapping[str, Any]) -> str:
    """Return the role of a policy of its own, which a parameter names: `StreamProcessorRoleName`."""
    [role] = properties["Roles"]
    logical = role["Ref"].removesuffix("Name")
    [found] = [name for name, other, kind in declared() if other == logical and kind == "AWS::IAM::Role"]
    return f"{found}.{logical}"
