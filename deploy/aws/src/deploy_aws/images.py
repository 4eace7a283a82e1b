"""The images that a deployment runs, by digest: what `make push-images` wrote down, compared with the registry."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from deploy_aws.aws import code_of
from deploy_aws.errors import DeploymentSettingsError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

_IMAGE: Final = re.compile(r"(?P<host>[^/@]+)/(?P<repository>[^@:]+)@(?P<digest>sha256:[0-9a-f]{64})")
_ECR: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?(:\d+)?")
# Stands for an image that is yet to be pushed, in a plan.
PLACEHOLDER: Final = "000000000000.dkr.ecr.region.amazonaws.com/not-pushed-yet@sha256:" + "0" * 64


class ImagesError(DeploymentSettingsError):
    """The images cannot be deployed."""


@dataclass(frozen=True, slots=True)
class Images:
    """The images of one commit: stage by stage, for one architecture."""

    commit: str
    architecture: str
    by_stage: Mapping[str, str]

    def in_registry(self, prefix: str) -> bool:
        """Return whether all of them lie under *prefix*, such as host/ddb2aurora-dev."""
        return all(image.startswith(f"{prefix}/") for image in self.by_stage.values())


def image_values(images: Images) -> Mapping[str, str]:
    """Return *images* as the parameters of a template, with the architecture that they were built for."""
    return {
        **{parameter_of(stage): image for stage, image in images.by_stage.items()},
        "Architecture": images.architecture,
    }


def parameter_of(stage: str) -> str:
    """Return the name of the parameter that takes a stage's image: aurora-loader, AuroraLoaderImage."""
    return "".join(part.capitalize() for part in stage.split("-")) + "Image"


def read_images(file: Path) -> Images | None:
    """
    Return the images in *file*, None if it is not there.

    Raises:
        ImagesError: It was not written by push-images, or it names an image without a digest.
    """
    if not file.is_file():
        return None
    again = f"{file}: {{}}; remove it and run make push-images again"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        found = Images(
            commit=document["commit"], architecture=document["architecture"], by_stage=dict(document["images"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ImagesError(again.format(f"it is not what push-images writes ({error!r})")) from error
    loose = sorted(stage for stage, image in found.by_stage.items() if not _IMAGE.fullmatch(str(image)))
    if loose or not found.by_stage:
        raise ImagesError(again.format(f"no digest for {', '.join(loose) or 'any stage'}"))
    return found


def unverifiable(images: Images) -> tuple[str, ...]:
    """Return the stages whose images lie in a registry that is not ECR, which Lambda on AWS does not take."""
    return tuple(stage for stage, image in images.by_stage.items() if not _ECR.fullmatch(image.partition("/")[0]))


def verify_images(ecr: "ECRClient", images: Images) -> None:
    """
    See that the registry has every image of *images* that lies in ECR.

    Raises:
        ImagesError: It lacks some of them; all are named.
        ClientError: It refuses to tell.
    """
    missing = [image for image in images.by_stage.values() if _in_ecr(image) and not _is_there(ecr, image)]
    if missing:
        raise ImagesError("\n  ".join(["the registry lacks images; run make push-images again:", *missing]))


def find_images(
    ecr: "ECRClient", *, registry: str, stages: Iterable[str], commit: str, architecture: str
) -> Images | None:
    """
    Return the images that *registry* has of a *commit* for an *architecture*; None if one of the *stages* has none.

    Raises:
        ClientError: It refuses to tell.
    """
    host, _, prefix = registry.partition("/")
    account = _ECR.fullmatch(host)
    if account is None:
        return None
    found: dict[str, str] = {}
    for stage in stages:
        # As push-images tags them.
        wanted = {"imageTag": commit if architecture == "x86_64" else f"{commit}-{architecture}"}
        digest = _digest(ecr, account=account["account"], repository=f"{prefix}/{stage}", wanted=wanted)
        if digest is None:
            return None
        found[stage] = f"{registry}/{stage}@{digest}"
    return Images(commit=commit, architecture=architecture, by_stage=found) if found else None


def write_images(images: Images, file: Path) -> None:
    """Write *images* as push-images does."""
    document = {"commit": images.commit, "architecture": images.architecture, "images": dict(images.by_stage)}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".json.partial")
    partial.write_text(json.dumps(document, indent=4) + "\n", encoding="utf-8")
    partial.replace(file)


def _in_ecr(image: str) -> bool:
    return _ECR.fullmatch(image.partition("/")[0]) is not None


def _is_there(ecr: "ECRClient", image: str) -> bool:
    place = _IMAGE.fullmatch(image)
    host = _ECR.fullmatch(image.partition("/")[0])
    if place is None or host is None:
        return False
    wanted = {"imageDigest": place["digest"]}
    return _digest(ecr, account=host["account"], repository=place["repository"], wanted=wanted) is not None


def _digest(ecr: "ECRClient", *, account: str, repository: str, wanted: Mapping[str, str]) -> str | None:
    image = cast("ImageIdentifierTypeDef", wanted)
    try:
        found = ecr.describe_images(registryId=account, repositoryName=repository, imageIds=[image])["imageDetails"]
    except ecr.exceptions.ClientError as error:
        if code_of(error) in {"ImageNotFoundException", "RepositoryNotFoundException"}:
            return None
        raise
    return found[0].get("imageDigest") if found else None
