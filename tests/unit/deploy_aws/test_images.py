"""What push-images wrote down, and whether the registry has it."""

import json

import pytest
from botocore.exceptions import ClientError
from fake_cloudformation import refused

from deploy_aws.images import Images, ImagesError, image_values, parameter_of, read_images, unverifiable, verify_images

REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop-dev"
DIGEST = "sha256:" + "a" * 64
IMAGES = Images("c0ffee", "arm64", {"aurora-loader": f"{REGISTRY}/aurora-loader@{DIGEST}"})


class FakeEcr:
    class exceptions:  # noqa: N801 - as the SDK names it
        ClientError = ClientError

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def describe_images(self, **arguments):
        self.asked.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"imageDetails": self.answer}


def test_what_was_written_is_read(tmp_path):
    file = tmp_path / "images.json"
    document = {"commit": "c0ffee", "architecture": "arm64", "images": dict(IMAGES.by_stage)}
    file.write_text(json.dumps(document))

    assert read_images(file) == IMAGES


def test_without_a_file_there_are_none(tmp_path):
    assert read_images(tmp_path / "images.json") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "it is not what push-images writes"),
        ("[]", "it is not what push-images writes"),
        ('{"commit": "a", "architecture": "b"}', "it is not what push-images writes"),
        ('{"commit": "a", "architecture": "b", "images": {}}', "no digest for any stage"),
        (
            '{"commit": "a", "architecture": "b", "images": {"operator": "host/operator:latest"}}',
            "no digest for operator",
        ),
        ('{"commit": "a", "architecture": "b", "images": {"operator": 1}}', "no digest for operator"),
    ],
)
def test_a_file_of_another_form_is_refused_with_what_makes_it_anew(tmp_path, text, problem):
    file = tmp_path / "images.json"
    file.write_text(text)

    with pytest.raises(ImagesError) as refused_:
        read_images(file)

    assert problem in str(refused_.value)
    assert str(refused_.value).endswith("remove it and run make push-images again")


def test_a_stage_has_a_parameter():
    assert parameter_of("firehose-transformer") == "FirehoseTransformerImage"
    assert image_values(IMAGES) == {
        "AuroraLoaderImage": IMAGES.by_stage["aurora-loader"],
        "Architecture": "arm64",
    }


def test_every_image_is_asked_for_by_account_repository_and_digest():
    ecr = FakeEcr([{"imageDigest": DIGEST}])

    verify_images(ecr, IMAGES)

    assert ecr.asked == [
        {
            "registryId": "111122223333",
            "repositoryName": "shop-dev/aurora-loader",
            "imageIds": [{"imageDigest": DIGEST}],
        }
    ]


@pytest.mark.parametrize("answer", [[], refused("ImageNotFoundException"), refused("RepositoryNotFoundException")])
def test_images_that_the_registry_lacks_are_named(answer):
    with pytest.raises(ImagesError) as refused_:
        verify_images(FakeEcr(answer), IMAGES)

    assert str(refused_.value).splitlines()[1:] == [f"  {IMAGES.by_stage['aurora-loader']}"]


def test_a_registry_that_refuses_to_tell_is_not_taken_for_one_that_lacks_it():
    with pytest.raises(ClientError, match="AccessDenied"):
        verify_images(FakeEcr(refused()), IMAGES)


def test_a_registry_that_is_not_ecr_cannot_be_asked():
    foreign = Images("c0ffee", "arm64", {"operator": f"localhost:5000/operator@{DIGEST}"})
    ecr = FakeEcr([])

    verify_images(ecr, foreign)

    assert (unverifiable(foreign), unverifiable(IMAGES), ecr.asked) == (("operator",), (), [])


def test_a_prefix_of_a_registry_ends_at_a_slash():
    assert IMAGES.in_registry(REGISTRY)
    assert not IMAGES.in_registry(REGISTRY[:-1])
