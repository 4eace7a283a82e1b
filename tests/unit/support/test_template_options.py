"""Rules, patterns and conditions of a template come to what CloudFormation makes of them."""

import pytest
from template_options import Chosen
from templates import parsed

CONTENT = parsed("""
Parameters:
  Name: {Type: String, AllowedPattern: "[a-z]+", ConstraintDescription: small letters}
  Days: {Type: Number, Default: 0, AllowedValues: [0, 7]}
  Hosts: {Type: String, Default: ""}
Rules:
  HostsHaveDays:
    RuleCondition: !Not [!Equals [!Ref Hosts, ""]]
    Assertions:
      - {Assert: !Not [!Equals [!Ref Days, "0"]], AssertDescription: hosts need days}
      - {Assert: !Contains [[a, b], !Ref Name], AssertDescription: hosts are for a or b}
Conditions:
  Kept: !Equals [!Ref Days, 7]
  Both: !And [!Condition Kept, !Or [!Equals [!Ref Hosts, x], !Equals [!Ref Hosts, y]]]
Resources:
  Always: {Type: T}
  WhenKept: {Type: T, Condition: Kept}
  WhenBoth: {Type: T, Condition: Both}
""")


def test_what_fits_is_not_refused():
    assert Chosen(CONTENT, Name="a").refusals() == []
    assert Chosen(CONTENT, Name="a", Days="7", Hosts="x").refusals() == []


def test_everything_that_is_wrong_is_told_at_once():
    assert Chosen(CONTENT, Name="C", Hosts="x").refusals() == [
        "hosts need days",
        "hosts are for a or b",
        "Name: small letters",
    ]


def test_a_parameter_without_a_value_is_missing():
    assert Chosen(CONTENT).refusals() == ["Name is missing"]


def test_a_value_that_is_not_allowed_is_refused():
    assert Chosen(CONTENT, Name="a", Days=8).refusals() == ["Days: not allowed"]


def test_a_parameter_that_is_not_there_is_a_mistake_of_the_test():
    with pytest.raises(KeyError, match="Nmae"):
        Chosen(CONTENT, Nmae="a")


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({}, {"Always"}),
        ({"Days": "7"}, {"Always", "WhenKept"}),
        ({"Days": 7, "Hosts": "y"}, {"Always", "WhenKept", "WhenBoth"}),
        ({"Hosts": "y"}, {"Always"}),
    ],
)
def test_a_resource_is_made_when_its_condition_holds(given: dict, made: set[str]):
    assert set(Chosen(CONTENT, Name="a", **given).made()) == made


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('!Select [0, !Split [".x.", "8.0.x.3.10"]]', "8.0"),
        ('!Sub ["a${Line}-${Name}-${AWS::Partition}", {Line: !Ref Days}]', "a0-n-aws"),
        ('!If [Kept, 1, !Join ["-", [a, !Ref Name]]]', "a-n"),
        ("{a: 1, b: 2}", {"a": 1, "b": 2}),
    ],
)
def test_an_expression_comes_to_its_value(text: str, value: object):
    assert Chosen(CONTENT, Name="n").value(parsed(text)) == value


def test_what_only_a_deployment_knows_has_no_value():
    with pytest.raises(KeyError):
        Chosen(CONTENT, Name="n").value(parsed("!GetAtt Always.Arn"))
