"""The repositories and the bucket that are there before anything is deployed."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from templates import resources, template

REPOSITORY = Path(__file__).parents[2]
STAGES = sorted(path.parent.name for path in REPOSITORY.glob("images/*/Dockerfile"))
CONTENT = template("bootstrap")
REPOSITORIES = resources(CONTENT, "AWS::ECR::Repository")


def test_every_image_has_a_repository_named_as_its_folder():
    named = {
        name.removesuffix("Repository"): each["Properties"]["RepositoryName"]["Fn::Sub"]
        for name, each in REPOSITORIES.items()
    }

    assert named == {
        "".join(word.capitalize() for word in stage.split("-")): f"${{Project}}-${{Environment}}/{stage}"
        for stage in STAGES
    }


def test_the_prefix_that_is_handed_out_is_that_of_every_repository():
    prefix = CONTENT["Outputs"]["RepositoryPrefix"]["Value"]["Fn::Sub"]

    assert prefix.split("/", 1)[1] == "${Project}-${Environment}"


@pytest.mark.parametrize("name", sorted(REPOSITORIES))
def test_images_are_scanned_encrypted_and_never_replaced(name: str):
    properties = REPOSITORIES[name]["Properties"]

    assert properties["ImageTagMutability"] == "IMMUTABLE"
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert properties["EncryptionConfiguration"]["EncryptionType"] == "KMS"


def test_what_expires_was_marked_by_hand_and_is_never_a_commit_or_a_digest_without_a_tag():
    rules = json.loads(CONTENT["Mappings"]["Images"]["Lifecycle"]["Text"])["rules"]
    patterns = [pattern for rule in rules for pattern in rule["selection"]["tagPatternList"]]

    assert [rule["selection"]["tagStatus"] for rule in rules] == ["tagged"]
    assert [pattern for pattern in patterns if not pattern.startswith("retired-")] == []
    # A tag that push-images gives is a commit: of its sixteen digits none begins the word.
    commits = [digit * 40 for digit in "0123456789abcdef"]
    assert [commit for commit in commits for pattern in patterns if fnmatchcase(commit, pattern)] == []


def test_every_repository_has_the_one_lifecycle():
    lifecycles = [each["Properties"]["LifecyclePolicy"] for each in REPOSITORIES.values()]

    assert lifecycles == [{"LifecyclePolicyText": {"Fn::FindInMap": ["Images", "Lifecycle", "Text"]}}] * len(STAGES)


def test_the_lifecycle_fits_the_length_that_ecr_takes():
    assert 100 <= len(CONTENT["Mappings"]["Images"]["Lifecycle"]["Text"]) <= 30720


def test_only_functions_of_this_environment_pull():
    statements = [each["Properties"]["RepositoryPolicyText"]["Statement"] for each in REPOSITORIES.values()]

    names = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Project}-${Environment}-*"
    assert statements == [
        [
            {
                "Sid": "FunctionsOfThisEnvironmentPull",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub": names}}},
            }
        ]
    ] * len(STAGES)


def test_the_name_of_an_environment_fits_every_name_made_of_it():
    project, environment = (CONTENT["Parameters"][name]["AllowedPattern"] for name in ("Project", "Environment"))

    assert [bool(re.fullmatch(project, text)) for text in ("ddb2aurora", "a", "1a", "A" * 3, "a" * 21)] == [
        True,
        False,
        False,
        False,
        False,
    ]
    assert [bool(re.fullmatch(environment, text)) for text in ("dev", "d", "pro_d", "a" * 13)] == [
        True,
        True,
        False,
        False,
    ]
