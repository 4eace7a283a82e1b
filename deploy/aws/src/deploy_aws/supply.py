"""Which images a deployment runs: those that were pushed, those that the registry has of this commit, or new ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from deploy_aws.images import Images, ImagesError, find_images, read_images, unverifiable, verify_images, write_images
from deploy_aws.revision import clean_commit, push_images, sources_changed
from deploy_aws.screen import Screen
from deploy_aws.site import Site

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

Push: TypeAlias = Literal["auto", "never", "always"]


@dataclass(frozen=True, slots=True)
class Sources:
    """
    What images are built from.

    *commit* returns the last commit, None if there are changes since, *changed* whether another commit has other
    sources, and *push* builds and pushes them.
    """

    commit: Callable[[], str | None]
    changed: Callable[[str], bool]
    push: Callable[..., None]


REAL_SOURCES: Final = Sources(commit=clean_commit, changed=sources_changed, push=push_images)


class Supply:
    """Find the images of one environment, or have them made."""

    def __init__(self, site: Site, ecr: "ECRClient", *, screen: Screen, sources: Sources) -> None:
        """Ask the registry with *ecr*."""
        self._site = site
        self._ecr = ecr
        self._screen = screen
        self._sources = sources

    def images(self, registry: str, *, push: Push) -> Images:
        """
        Return the images to deploy, which lie in *registry*; what lacks is pushed if *push* lets it.

        Raises:
            ImagesError: There are none, they are not all there, or they are for another architecture.
            PushError: They could not be pushed.
            ClientError: The registry refuses to tell.
        """
        file = self._site.images_file
        found = read_images(file)
        architecture = self._site.architecture(found)
        reason = "images are pushed anew" if push == "always" else self._why(found, registry, architecture)
        if reason is not None:
            found = self._others(found, reason, registry=registry, architecture=architecture, push=push)
        if found is None:
            raise ImagesError(f"{file} has not been written; run {self._command(registry, architecture)}")
        self._check(found, architecture)
        return found

    def _why(self, found: Images | None, registry: str, architecture: str) -> str | None:
        """Return why other images are needed than those that were *found*, None if they are not."""
        if found is None:
            return "no images have been pushed yet"
        if not found.in_registry(registry):
            return f"the images that were pushed are not in {registry}"
        if found.architecture != architecture:
            return f"the images that were pushed are for {found.architecture}"
        if self._sources.changed(found.commit):
            return f"images/ or pipelines/ differ from commit {found.commit[:12]}, whose images were pushed"
        return None

    def _others(
        self, found: Images | None, reason: str, *, registry: str, architecture: str, push: Push
    ) -> Images | None:
        file, command = self._site.images_file, self._command(registry, architecture)
        commit = self._sources.commit() if push == "auto" else None
        if commit is not None:
            # Pushed from another machine, or before the working tree went back to an older commit.
            there = find_images(
                self._ecr, registry=registry, stages=self._site.stages, commit=commit, architecture=architecture
            )
            if there is not None:
                self._screen.say(f"{reason}; the registry has those of commit {commit[:12]} already")
                write_images(there, file)
                return there
        if push == "never":
            if found is None:
                raise ImagesError(f"{file}: {reason}; run {command}")
            self._screen.say(f"{reason}: deploying the images of {file} as they are", kind="warning")
            return found
        with self._screen.doing(f"{reason}: {command}"):
            self._sources.push(environment=self._site.environment.name, registry=registry, architecture=architecture)
        return read_images(file)

    def _command(self, registry: str, architecture: str) -> str:
        return f"make push-images ENV={self._site.environment.name} REGISTRY={registry} ARCHITECTURE={architecture}"

    def _check(self, images: Images, architecture: str) -> None:
        missing = sorted(set(self._site.stages) - set(images.by_stage))
        if missing:
            raise ImagesError(f"no image of {', '.join(missing)} was pushed; run the same command with PUSH=always")
        if images.architecture != architecture:
            raise ImagesError(f"the images are for {images.architecture}, and parameter Architecture is {architecture}")
        foreign = unverifiable(images)
        if foreign:
            self._screen.say(
                f"not in ECR, so not verified, and not taken by Lambda on AWS: {', '.join(foreign)}", kind="warning"
            )
        verify_images(self._ecr, images)
