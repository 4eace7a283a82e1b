"""The file of an environment, and its values compared with what templates declare."""

import json

import pytest

from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.parameters import Environment, check_values, read_environment
from deploy_aws.templates import Parameter

DAYS = Parameter("Days", "Number", "7", least=1, most=30)
FLOW = Parameter("Flow", default="on", allowed=("on", "off"))
NAME = Parameter("Name", description="Name of it.", pattern="[a-z]+", constraint="small letters")


def read(folder, document):
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "dev.json").write_text(text)
    return read_environment("dev", folder=folder)


def problems(given, *, computed=None, declared=(DAYS, FLOW, NAME), later=()):
    environment = Environment("dev", "shop", "orders", None, given)
    try:
        check_values(
            environment,
            computed=computed or {},
            declared={parameter.name: parameter for parameter in declared},
            settled_later=later,
        )
    except DeploymentSettingsError as error:
        return str(error).splitlines()[1:]
    return []


def test_values_of_json_become_what_cloudformation_takes(tmp_path):
    found = read(
        tmp_path,
        {
            "region": "eu-west-1",
            "project": "shop",
            "pipeline": "orders",
            "parameters": {"A": True, "B": 0.5, "C": ["x", 1, False], "D": "", "E": 3},
        },
    )

    assert found == Environment(
        "dev", "shop", "orders", "eu-west-1", {"A": "true", "B": "0.5", "C": "x,1,false", "D": "", "E": "3"}
    )


def test_only_the_pipeline_has_to_be_there(tmp_path):
    found = read(tmp_path, {"pipeline": "orders"})

    assert found == Environment("dev", "ddb2aurora", "orders", None, {})
    assert (found.stack, found.bootstrap_stack) == ("ddb2aurora-dev", "ddb2aurora-dev-bootstrap")


def test_every_mistake_of_the_file_is_named(tmp_path):
    with pytest.raises(DeploymentSettingsError) as refused:
        read(tmp_path, {"regoin": 1, "region": "Frankfurt", "project": "", "parameters": {"A": None, "B": [[], {}]}})

    assert str(refused.value).splitlines() == [
        f"{tmp_path / 'dev.json'} has mistakes:",
        "  'regoin' is unknown; did you mean region?; there are: region, project, pipeline, parameters",
        "  'pipeline' is missing: the name of a file in pipelines/, without .yaml",
        "  'project' has to be a text",
        "  'region' is 'Frankfurt': it has to be an AWS region, such as eu-west-1",
        "  'parameters' has A: it has to be a text, a number, true, false, or a list of these",
        "  'parameters' has B: it has to be a text, a number, true, false, or a list of these",
    ]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("[]", "it has to be an object"),
        ({"pipeline": "orders", "parameters": []}, "'parameters' has to be an object"),
        ('{"pipeline": ', "Expecting value"),
        ('{"pipeline": "a", "pipeline": "b"}', "pipeline stands there twice"),
        ('{"pipeline": "a", "parameters": {"A": 1, "A": 2}}', "A stands there twice"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_name(tmp_path, document, problem):
    with pytest.raises(DeploymentSettingsError) as refused:
        read(tmp_path, document)

    assert str(tmp_path / "dev.json") in str(refused.value)
    assert problem in str(refused.value)


@pytest.mark.parametrize("name", ["", "Dev", "../dev", "1dev", "a" * 13, "dev prod"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(DeploymentSettingsError, match="ENV is"):
        read_environment(name, folder=tmp_path)


def test_an_environment_without_a_file_is_refused_with_those_that_there_are(tmp_path):
    (tmp_path / "prod.json").touch()

    with pytest.raises(DeploymentSettingsError, match=r"dev.json is not there; write it, or name one of: prod$"):
        read_environment("dev", folder=tmp_path)


def test_values_that_fit_have_no_problems():
    assert problems({"Days": "30", "Flow": "off", "Name": "ab"}) == []


def test_every_problem_of_the_values_is_named():
    found = problems({"Days": "31", "Flow": "maybe", "Nmae": "x"})

    assert found == [
        "  Nmae is a parameter of no template; did you mean Name?",
        "  Days is '31': it may be at most 30",
        "  Flow is 'maybe': it has to be one of 'on', 'off'",
        "  Name is missing: Name of it.",
    ]


def test_what_deploying_finds_out_is_neither_missing_nor_may_it_be_given():
    assert problems({}, computed={"Name": "ab"}) == []
    assert problems({}, later=("Name",)) == []
    assert problems({"Name": "ab"}, later=("Name",)) == ["  Name is found out by deploying; leave it out"]
    assert problems({"Name": "ab"}, computed={"Name": "ab"}) == ["  Name is found out by deploying; leave it out"]


def test_what_deploying_finds_out_is_compared_too():
    assert problems({}, computed={"Name": "AB"}) == ["  Name is 'AB': it does not match [a-z]+ (small letters)"]


@pytest.mark.parametrize(
    ("parameter", "value", "problem"),
    [
        (DAYS, "x", "Days is 'x': it has to be a number"),
        (DAYS, "0", "Days is '0': it has to be at least 1"),
        (Parameter("P", pattern="a+", default=""), "aab", "P is 'aab': it does not match a+"),
        (Parameter("P", shortest=2, default=""), "a", "P is 'a': it has to have at least 2 characters"),
        (Parameter("P", longest=2, default=""), "abc", "P is 'abc': it may have at most 2 characters"),
        (Parameter("P", "Number", default=""), "1.5", None),
        # A pattern that Python cannot read is CloudFormation's to judge.
        (Parameter("P", pattern="(?<name>a)++(", default=""), "b", None),
    ],
)
def test_each_rule_of_a_parameter_is_kept(parameter, value, problem):
    found = problems({parameter.name: value}, declared=(parameter,))

    assert found == ([] if problem is None else [f"  {problem}"])
