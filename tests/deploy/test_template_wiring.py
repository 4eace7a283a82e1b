"""The templates that wire others give each what it asks for, and read only what the others hand out."""

from pathlib import Path

import pytest
from templates import resources, template, template_paths, walk

WIRING = {name: template(name) for name in ("root", "watch")}
NESTED = {
    f"{wiring}.{name}": each
    for wiring, content in WIRING.items()
    for name, each in resources(content, "AWS::CloudFormation::Stack").items()
}


def child(name: str) -> dict:
    """Return the template of a nested stack; its URL ends in the name of its file."""
    url = NESTED[name]["Properties"]["TemplateURL"]["Fn::Sub"]
    return template(Path(url).stem)


def declared(name: str) -> dict:
    return child(name).get("Parameters", {})


def given(name: str) -> dict:
    return NESTED[name]["Properties"].get("Parameters", {})


@pytest.mark.parametrize("wiring", sorted(WIRING))
def test_what_wires_makes_nothing_itself(wiring: str):
    assert {each["Type"] for each in WIRING[wiring]["Resources"].values()} == {"AWS::CloudFormation::Stack"}


def test_every_template_is_the_root_or_one_of_its_stacks_or_the_bootstrap():
    nested = {Path(each["Properties"]["TemplateURL"]["Fn::Sub"]).stem for each in NESTED.values()}

    assert {path.stem for path in template_paths()} == nested | {"root", "bootstrap"}


@pytest.mark.parametrize("name", sorted(NESTED))
def test_a_stack_is_given_no_parameter_that_its_template_lacks(name: str):
    assert sorted(given(name).keys() - declared(name).keys()) == []


@pytest.mark.parametrize("name", sorted(NESTED))
def test_a_stack_is_given_every_parameter_that_has_no_default(name: str):
    needed = {parameter for parameter, each in declared(name).items() if "Default" not in each}

    assert sorted(needed - given(name).keys()) == []


@pytest.mark.parametrize("wiring", sorted(WIRING))
def test_every_output_that_is_read_is_handed_out(wiring: str):
    read = {
        (stack, output.removeprefix("Outputs."))
        for _, each in walk(WIRING[wiring])
        if isinstance(each, dict) and "Fn::GetAtt" in each
        for stack, output in [each["Fn::GetAtt"]]
        if output.startswith("Outputs.")
    }

    assert sorted(pair for pair in read if pair[1] not in child(f"{wiring}.{pair[0]}").get("Outputs", {})) == []


@pytest.mark.parametrize("name", sorted(NESTED))
def test_a_parameter_that_keeps_its_name_keeps_its_default(name: str):
    above = WIRING[name.partition(".")[0]]["Parameters"]
    differing = {
        parameter: (str(above[parameter]["Default"]), str(declared(name)[parameter]["Default"]))
        for parameter, value in given(name).items()
        if isinstance(value, dict)
        and value.get("Ref") == parameter
        and "Default" in above[parameter]
        and "Default" in declared(name).get(parameter, {})
    }

    assert {parameter: pair for parameter, pair in differing.items() if pair[0] != pair[1]} == {}
