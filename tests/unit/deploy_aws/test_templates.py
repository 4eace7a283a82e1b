"""Templates are read as far as deploying needs them."""

import pytest

from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.templates import Parameter, Resource, content_hash, parse_template, read_templates

TEMPLATE = b"""
Parameters:
  Days:
    Type: Number
    Default: 7
    MinValue: 1
    MaxValue: 30
    Description: Days that logs
      are kept.
  Flow: {Type: String, Default: "on", AllowedValues: ["on", "off"]}
  Name: {Type: String, AllowedPattern: "[a-z]+", MinLength: 2, MaxLength: 5, ConstraintDescription: small letters}
Conditions:
  Flows: !Equals [!Ref Flow, "on"]
  Both: !And [!Condition Flows, !Not [!Equals [!Ref Name, ""]]]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties: {BucketName: !Sub ["${Name}-${Part}", {Part: !GetAtt Queue.Arn}]}
  Queue:
    Type: AWS::SQS::Queue
    Condition: Flows
    Properties: !If
      Flows: x
"""


def test_parameters_and_resources_are_read():
    found = parse_template("a.yaml", TEMPLATE)

    assert found.parameters == {
        "Days": Parameter("Days", "Number", "7", "Days that logs are kept.", least=1, most=30),
        "Flow": Parameter("Flow", "String", "on", allowed=("on", "off")),
        "Name": Parameter("Name", "String", None, constraint="small letters", pattern="[a-z]+", shortest=2, longest=5),
    }
    assert found.resources == {
        "Bucket": Resource("AWS::S3::Bucket", "Retain"),
        "Queue": Resource("AWS::SQS::Queue", "Delete", "Flows"),
    }


@pytest.mark.parametrize(
    "body", [b"[1]", b"Resources: 1", b"a: b: c", b"{}", b"\xff", b"Resources: {A: !!python/name:os.system {}}"]
)
def test_what_is_no_template_is_refused_by_name(body):
    with pytest.raises(DeploymentSettingsError, match=r"broken.yaml is not a template"):
        parse_template("broken.yaml", body)


def test_a_folder_without_the_two_that_a_deployment_begins_with_is_refused(tmp_path):
    (tmp_path / "root.yaml").write_bytes(TEMPLATE)

    with pytest.raises(DeploymentSettingsError, match=r"lacks bootstrap.yaml; get the whole of the repository"):
        read_templates(tmp_path)


def test_the_real_templates_can_be_read():
    assert {"root.yaml", "bootstrap.yaml", "network.yaml", "database.yaml"} <= set(read_templates())


def test_the_name_of_the_same_content_is_the_same_whatever_its_order():
    one, two = parse_template("a.yaml", TEMPLATE), parse_template("b.yaml", TEMPLATE)

    assert content_hash([one, two]) == content_hash([two, one])


def test_the_name_of_other_content_is_another():
    one = parse_template("a.yaml", TEMPLATE)
    others = [parse_template("b.yaml", TEMPLATE), parse_template("a.yaml", TEMPLATE + b"#")]

    assert len({content_hash([found]) for found in (one, *others)}) == 3
