"""Images are pushed under the git commit, as single manifests, and their digests are written down."""

import json
import os
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from containers import REPOSITORY, STAGES, docker

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def registry() -> Iterator[str]:
    image = os.environ.get("REGISTRY_IMAGE", "registry:2")  # noqa: TID251 - a setting of the tests
    container = docker("run", "--detach", "--publish", "127.0.0.1::5000", image, hint="make offline-images").strip()
    yield docker("port", container, "5000").strip()
    docker("rm", "--force", "--volumes", container)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of what is committed: only that is pushed."""
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{REPOSITORY}", tmp_path / "clone"], check=True)
    return tmp_path / "clone"


@pytest.mark.timeout(600)
def test_every_image_is_pushed_by_commit_and_its_digest_is_what_the_registry_has(registry: str, checkout: Path):
    name = f"{registry}/{uuid.uuid4().hex[:8]}"
    settings = {"ENV": "try", "REGISTRY": name, "RDS_CA_URL": ""}

    done = subprocess.run(
        ["make", "--silent", "push-images", *(f"{key}={value}" for key, value in settings.items())],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    written = json.loads((checkout / ".local" / "try" / "images.json").read_text(encoding="utf-8"))
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)
    commit = head.stdout.strip()
    assert (written["commit"], written["architecture"]) == (commit, "x86_64")
    assert written["images"] == {
        stage.name: f"{name}/{stage.name}@{digest_in(name, stage.name, commit)}" for stage in STAGES
    }
    docker("image", "rm", *(f"{name}/{stage.name}:{commit}" for stage in STAGES))


def digest_in(registry: str, stage: str, tag: str) -> str:
    """Return the digest that the registry gives for a tag, which must be of one image and not of a list."""
    host, prefix = registry.split("/")
    request = urllib.request.Request(f"http://{host}/v2/{prefix}/{stage}/manifests/{tag}", headers={"Accept": MANIFEST})
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
        assert json.load(response)["mediaType"] == MANIFEST
        return response.headers["Docker-Content-Digest"]
