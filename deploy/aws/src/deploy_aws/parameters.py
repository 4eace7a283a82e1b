"""
What one environment is made of: `deploy/aws/parameters/<env>.json`.

    {"region": "eu-west-1", "project": "ddb2aurora", "pipeline": "web_analytics", "parameters": {"DatabaseMinAcu": 0.5}}

Only `pipeline` has to be there. `parameters` are those of the templates, with JSON's numbers, booleans and lists as
CloudFormation wants them. Everything that is wrong is reported together, before AWS is asked anything.
"""

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.parameter_rules import problem_with
from deploy_aws.templates import FOLDER, Parameter, as_text

DEFAULT_PROJECT: Final = "ddb2aurora"
PARAMETERS_FOLDER: Final = FOLDER / "parameters"
_KEYS: Final = ("region", "project", "pipeline", "parameters")
_ENVIRONMENT: Final = re.compile(r"[a-z][a-z0-9-]{0,11}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment as its file describes it; *given* are the values of the templates' parameters."""

    name: str
    project: str
    pipeline: str
    region: str | None
    given: Mapping[str, str]

    @property
    def stack(self) -> str:
        """The name of the root stack."""
        return f"{self.project}-{self.name}"

    @property
    def bootstrap_stack(self) -> str:
        """The name of the stack that has to be there before the root stack."""
        return f"{self.stack}-bootstrap"


def read_environment(name: str, *, folder: Path = PARAMETERS_FOLDER) -> Environment:
    """
    Return the environment *name* of *folder*; its values are not yet compared with any template.

    Raises:
        DeploymentSettingsError: There is none, or its file has mistakes; all of them are named.
    """
    if not _ENVIRONMENT.fullmatch(name):
        raise DeploymentSettingsError(
            f"ENV is {name!r}: an environment is named by a small letter and up to 11 small letters, digits, hyphens"
        )
    file = folder / f"{name}.json"
    if not file.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.json"))) or "none"
        raise DeploymentSettingsError(f"{file} is not there; write it, or name one of: {known}")
    try:
        document = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except (ValueError, UnicodeDecodeError) as error:
        raise DeploymentSettingsError(f"{file}: {error}") from error
    problems = list(_shape_problems(document))
    if problems:
        raise DeploymentSettingsError("\n  ".join([f"{file} has mistakes:", *problems]))
    return Environment(
        name=name,
        project=document.get("project", DEFAULT_PROJECT),
        pipeline=document["pipeline"],
        region=document.get("region"),
        given={key: as_text(value) for key, value in document.get("parameters", {}).items()},
    )


def check_values(
    environment: Environment,
    *,
    computed: Mapping[str, str],
    declared: Mapping[str, Parameter],
    settled_later: Collection[str] = (),
) -> None:
    """
    Compare the values of *environment*, and those that deploying *computed*, with the *declared* parameters.

    *settled_later* are computed too, but only after something else has been deployed.

    Raises:
        DeploymentSettingsError: Some are unknown, missing or not allowed; all of them are named.
    """
    own = {*computed, *settled_later}
    problems = [_unknown(name, declared) for name in environment.given if name not in declared]
    problems += [f"{name} is found out by deploying; leave it out" for name in environment.given if name in own]
    values = {**environment.given, **computed}
    for name, parameter in declared.items():
        if name in values:
            problem = problem_with(parameter, values[name])
            problems += [] if problem is None else [problem]
        elif parameter.default is None and name not in settled_later:
            problems.append(f"{name} is missing: {parameter.description or parameter.type}")
    if problems:
        raise DeploymentSettingsError("\n  ".join([f"the parameters of {environment.name} have mistakes:", *problems]))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    doubled = sorted({key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1})
    if doubled:
        raise ValueError(f"{', '.join(doubled)} stands there twice")
    return dict(pairs)


def _shape_problems(document: object) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "it has to be an object"
        return
    for key in document:
        if key not in _KEYS:
            yield f"{key!r} is unknown{_near(key, _KEYS)}; there are: {', '.join(_KEYS)}"
    if "pipeline" not in document:
        yield "'pipeline' is missing: the name of a file in pipelines/, without .yaml"
    for key in ("region", "project", "pipeline"):
        if key in document and not (isinstance(document[key], str) and document[key]):
            yield f"{key!r} has to be a text"
    region = document.get("region")
    if isinstance(region, str) and region and not _REGION.fullmatch(region):
        yield f"'region' is {region!r}: it has to be an AWS region, such as eu-west-1"
    yield from _value_problems(document.get("parameters", {}))


def _value_problems(values: object) -> Iterator[str]:
    if not isinstance(values, dict):
        yield "'parameters' has to be an object"
        return
    for key, value in values.items():
        if not _plain(value):
            yield f"'parameters' has {key}: it has to be a text, a number, true, false, or a list of these"


def _plain(value: object) -> bool:
    return isinstance(value, (str, int, float)) or (isinstance(value, list) and all(map(_plain, value)))


def _unknown(name: str, declared: Collection[str]) -> str:
    return f"{name} is a parameter of no template{_near(name, declared)}"


def _near(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
