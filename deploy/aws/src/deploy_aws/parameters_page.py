"""docs/parameters.md, made from the templates: what may stand in parameters/<env>.json."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from deploy_aws.site import found_out
from deploy_aws.templates import BOOTSTRAP, ROOT, Parameter, Template


def parameters_page(templates: Mapping[str, Template], *, stages: Iterable[str]) -> str:
    """Return the page for *templates*, given the *stages* whose images are found out by deploying."""
    return "\n".join([*_lines(templates, frozenset(found_out(stages)))]) + "\n"


def _lines(templates: Mapping[str, Template], found: frozenset[str]) -> Iterator[str]:
    yield "# Parameters of an environment"
    yield ""
    yield "Made by `make docs` from the templates. Any of these may stand under `parameters` in"
    yield "`deploy/aws/parameters/<ENV>.json`; text, numbers, booleans and lists are taken as JSON has them."
    yield "[deploy.md](deploy.md) says how an environment is deployed."
    yield ""
    yield from _table(_declared(templates, found))
    yield ""
    yield "What deploying finds out itself, and what therefore must not stand there:"
    yield ", ".join(f"`{name}`" for name in sorted(found & _names(templates))) + "."


def _declared(templates: Mapping[str, Template], found: frozenset[str]) -> Iterator[Parameter]:
    names: set[str] = set(found)
    for template in (templates[ROOT], templates[BOOTSTRAP]):
        for parameter in template.parameters.values():
            if parameter.name not in names:
                names.add(parameter.name)
                yield replace(parameter, description=_fullest(parameter.name, templates))


def _fullest(name: str, templates: Mapping[str, Template]) -> str:
    # The stack that uses a parameter says more about it than the one that hands it on.
    return max(
        (found.parameters[name].description for found in templates.values() if name in found.parameters), key=len
    )


def _names(templates: Mapping[str, Template]) -> frozenset[str]:
    return frozenset({*templates[ROOT].parameters, *templates[BOOTSTRAP].parameters})


def _table(parameters: Iterable[Parameter]) -> Iterator[str]:
    yield "| parameter | default | meaning |"
    yield "|---|---|---|"
    for parameter in parameters:
        default = (
            "**needed**" if parameter.default is None else f"`{parameter.default}`" if parameter.default else "empty"
        )
        meaning = parameter.description
        if parameter.allowed:
            meaning += f" One of {', '.join(f'`{value}`' for value in parameter.allowed)}."
        yield f"| `{parameter.name}` | {default} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").strip()
