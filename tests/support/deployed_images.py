"""The built images as the emulated account runs them: with the runtime emulator in front, in a registry, by digest."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from containers import REPOSITORY, RIE, STAGES, docker

LABEL = "ddb2aurora-deployed"
RECIPE = REPOSITORY / "tests" / "system" / "deployed" / "emulator"


@contextlib.contextmanager
def pushed_images(folder: Path, *, trusted: Path) -> Iterator[Mapping[str, str]]:
    """Yield the images by stage, repository@sha256:digest; each trusts the authority *trusted*."""
    context = folder / "emulator"
    shutil.copytree(RECIPE, context)
    shutil.copy(RIE, context)
    shutil.copy(trusted, context / "ca.pem")
    image = os.environ.get("REGISTRY_IMAGE", "registry:2")  # noqa: TID251 - a setting of the tests
    options = ("--label", LABEL, "--publish", "127.0.0.1::5000")
    registry = docker("run", "--detach", *options, image, hint="make offline-images").strip()
    names: dict[str, str] = {}
    try:
        place = docker("port", registry, "5000").strip()
        for stage in STAGES:
            name = f"{place}/ddb2aurora-deployed/{stage.name}"
            docker("build", "--quiet", "--build-arg", f"FUNCTION={stage.image}", "--tag", name, str(context))
            names[stage.name] = name
            docker("push", "--quiet", name)
        yield {stage: digest_of(name) for stage, name in names.items()}
    finally:
        docker("rm", "--force", "--volumes", registry)
        if names:
            docker("image", "rm", "--force", *map(digest_of, names.values()), *names.values())


def digest_of(name: str) -> str:
    """Return *name* with the digest that the registry gave it."""
    return docker("image", "inspect", name, "--format", "{{index .RepoDigests 0}}").strip()
