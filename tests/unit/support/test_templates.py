"""Templates are read as CloudFormation reads them."""

import pytest
import templates
import yaml


def test_short_tags_are_written_out():
    text = """
    a: !Ref Bucket
    b: !GetAtt Queue.Arn
    c: !If [Made, !Sub "${A}/*", !Ref AWS::NoValue]
    d: !Condition Made
    e: !Select [0, !GetAZs {Ref: AWS::Region}]
    f: !GetAtt [Nested, Outputs.VpcId]
    """

    assert templates.parsed(text) == {
        "a": {"Ref": "Bucket"},
        "b": {"Fn::GetAtt": ["Queue", "Arn"]},
        "c": {"Fn::If": ["Made", {"Fn::Sub": "${A}/*"}, {"Ref": "AWS::NoValue"}]},
        "d": {"Condition": "Made"},
        "e": {"Fn::Select": [0, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]},
        "f": {"Fn::GetAtt": ["Nested", "Outputs.VpcId"]},
    }


def test_a_nested_output_keeps_its_dots():
    assert templates.parsed("a: !GetAtt Network.Outputs.VpcId") == {"a": {"Fn::GetAtt": ["Network", "Outputs.VpcId"]}}


def test_a_date_is_text():
    assert templates.parsed("Version: 2012-10-17") == {"Version": "2012-10-17"}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: !If {b: 1, b: 2}\n"])
def test_a_name_that_occurs_twice_is_refused(text: str):
    with pytest.raises(yaml.YAMLError, match="occurs twice"):
        templates.parsed(text)


def test_statements_are_found_wherever_they_stand():
    allowed = {"Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn"}
    others = {"Sid": "B", "Effect": "Deny", "NotAction": ["s3:*"], "Resource": "*"}
    content = {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"Policies": [{"PolicyDocument": {"Statement": [allowed]}}]},
            },
            "Policy": {"Properties": {"PolicyDocument": {"Statement": {"Fn::If": ["Made", others, {"Ref": "x"}]}}}},
        }
    }

    assert templates.statements(content) == {
        "Role.Properties.Policies.0.PolicyDocument.Statement.0": allowed,
        "Policy.Properties.PolicyDocument.Statement.Fn::If.1": others,
    }
