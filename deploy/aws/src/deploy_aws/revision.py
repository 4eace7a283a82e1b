"""Whether the images that were pushed are those of the working tree, and how they are pushed."""

import subprocess
from pathlib import Path
from typing import Final

from deploy_aws.errors import DeploymentFailedError

REPOSITORY: Final = Path(__file__).parents[4]
# What an image is built from; a commit that leaves these alone needs no new images.
_SOURCES: Final = ("images", "pipelines", ".dockerignore", "deploy/push-images.sh")


class PushError(DeploymentFailedError):
    """The images were not pushed."""


def sources_changed(commit: str, *, repository: Path = REPOSITORY) -> bool:
    """Return whether what images are built from differs between *commit* and the last commit; True if that is gone."""
    done = subprocess.run(  # noqa: S603 - no shell
        ["git", "diff", "--quiet", commit, "HEAD", "--", *_SOURCES],  # noqa: S607 - git as the caller's PATH has it
        cwd=repository,
        check=False,
        capture_output=True,
    )
    return done.returncode != 0


def clean_commit(*, repository: Path = REPOSITORY) -> str | None:
    """Return the last commit, by which images are tagged; None if what images are built from was changed since."""
    changes = _git("status", "--porcelain", "--", *_SOURCES, repository=repository)
    return None if changes != "" else _git("rev-parse", "HEAD", repository=repository)


def _git(*arguments: str, repository: Path) -> str | None:
    done = subprocess.run(  # noqa: S603 - no shell
        ["git", *arguments],  # noqa: S607 - as above
        cwd=repository,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() if done.returncode == 0 else None


def push_images(*, environment: str, registry: str, architecture: str, repository: Path = REPOSITORY) -> None:
    """
    Run `make push-images`, whose output goes where ours goes.

    Raises:
        PushError: It failed, for the reason that it told.
    """
    target = ["push-images", f"ENV={environment}", f"REGISTRY={registry}", f"ARCHITECTURE={architecture}"]
    # Its standard output would stand among our results. Where make itself runs us, it would tell of folders.
    done = subprocess.run(["make", "--no-print-directory", *target], cwd=repository, check=False, stdout=2)  # noqa: S603, S607 - checked names, no shell
    if done.returncode != 0:
        raise PushError(f"make {' '.join(target)} failed, see above; mend it, then run the same command again")
