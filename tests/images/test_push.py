"""Images are pushed under the git commit, as single manifests, and their digests are written down."""

import json
import os
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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

    done, written = push(checkout, name)

    assert done.returncode == 0, done.stderr
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)
    commit = head.stdout.strip()
    assert (written["commit"], written["architecture"]) == (commit, "x86_64")
    assert written["images"] == {
        stage.name: f"{name}/{stage.name}@{digest_in(name, stage.name, commit)}" for stage in STAGES
    }
    docker("image", "rm", *(f"{name}/{stage.name}:{commit}" for stage in STAGES))


@pytest.mark.timeout(600)
def test_a_push_that_was_cut_short_goes_on_with_what_the_registry_lacks(registry: str, checkout: Path):
    name = f"{registry}/{uuid.uuid4().hex[:8]}"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)
    commit = head.stdout.strip()
    first, *others = (stage.name for stage in STAGES)
    # Whatever it holds: its tag says of which commit it is, and cannot come to mean another image.
    docker("tag", f"ddb2aurora/{others[0]}:latest", f"{name}/{first}:{commit}")
    docker("push", "--quiet", f"{name}/{first}:{commit}")
    before = digest_in(name, first, commit)

    done, written = push(checkout, name)

    assert done.returncode == 0, done.stderr
    assert f"push-images: {name}/{first}@{before} was there" in done.stdout.splitlines()
    assert written["images"] == {
        stage.name: f"{name}/{stage.name}@{digest_in(name, stage.name, commit)}" for stage in STAGES
    }
    assert digest_in(name, first, commit) == before
    docker("image", "rm", *(f"{name}/{stage.name}:{commit}" for stage in STAGES))


def push(checkout: Path, registry: str) -> "tuple[subprocess.CompletedProcess[str], Any]":
    """Push the images of *checkout* to *registry*; return how that went, and what was written down."""
    settings = {"ENV": "try", "REGISTRY": registry, "RDS_CA_URL": ""}
    done = subprocess.run(
        ["make", "--silent", "push-images", *(f"{key}={value}" for key, value in settings.items())],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    file = checkout / ".local" / "try" / "images.json"
    return done, json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def digest_in(registry: str, stage: str, tag: str) -> str:
    """Return the digest that the registry gives for a tag, which must be of one image and not of a list."""
    host, prefix = registry.split("/")
    request = urllib.request.Request(f"http://{host}/v2/{prefix}/{stage}/manifests/{tag}", headers={"Accept": MANIFEST})
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
        assert json.load(response)["mediaType"] == MANIFEST
        return response.headers["Docker-Content-Digest"]
