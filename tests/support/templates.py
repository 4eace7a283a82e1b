"""
CloudFormation templates as plain dictionaries: the short tags are written out, so `!Ref X` is `{"Ref": "X"}`.

Nothing is evaluated: a test that needs a value states the parameters it assumes. A name that a mapping
holds twice is an error here, because YAML would silently keep the last.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "aws"
# These two keep their short name when written out; every other one is `Fn::<name>`.
PLAIN = ("Ref", "Condition")


class TemplateLoader(yaml.CSafeLoader):
    """YAML as CloudFormation reads it: with its tags, and a date is text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """
        Return the mapping, once sure that no name occurs twice.

        Raises:
            ConstructorError: A name occurs twice.
        """
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the name {key_node.value!r} occurs twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _written_out(loader: TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in PLAIN else f"Fn::{suffix}": value}


TemplateLoader.add_multi_constructor("!", _written_out)
# `Version: 2012-10-17` is text to CloudFormation and a date to YAML.
TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def template_paths() -> list[Path]:
    """Return every template of `deploy/aws`, by name."""
    return sorted(FOLDER.glob("*.yaml"))


def parsed(text: str) -> dict[str, Any]:
    """
    Return what a template's text says.

    Raises:
        YAMLError: The text is no YAML, or a mapping holds a name twice.
    """
    return yaml.load(text, TemplateLoader)  # noqa: S506 - a SafeLoader


def template(name: str) -> dict[str, Any]:
    """
    Return a template of `deploy/aws`, such as `template("network")`.

    Raises:
        OSError: There is no such template.
        YAMLError: It is no YAML, or a mapping holds a name twice.
    """
    return parsed((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def resources(content: dict[str, Any], *types: str) -> dict[str, dict[str, Any]]:
    """Return the resources of these types by logical name; all of them when no type is named."""
    return {name: each for name, each in content["Resources"].items() if not types or each["Type"] in types}


def walk(value: Any, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield everything inside *value* with the names and positions that lead to it, from the outside in."""
    yield where, value
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for name, each in inner:
        yield from walk(each, (*where, str(name)))


def statements(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every policy statement (identity, trust, resource and endpoint policies) by where it stands."""
    return {
        ".".join(where): each
        for where, each in walk(content.get("Resources", {}))
        if isinstance(each, dict) and "Effect" in each and ("Action" in each or "NotAction" in each)
    }


def as_list(value: Any) -> list[Any]:
    """Return *value* as a list, as policies write one thing without brackets."""
    return value if isinstance(value, list) else [value]
