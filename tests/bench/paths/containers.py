"""
The compose stack under load: brought up with a buffer, reached by its ports, and what each of its containers takes.

It runs the images of the working tree, which it has built first; what is up to date is not built again.
"""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import docker
import pymysql
from benchmarking.machine import ROOT
from compose_stack import running_compose
from docker.errors import APIError, DockerException, ImageNotFound

from paths.offer import Carrier

_PROJECT: Final = "ddb2aurora-bench"
_OURS: Final = {"label": f"com.docker.compose.project={_PROJECT}"}
_SERVICE: Final = "com.docker.compose.service"
_AWS: Final = ("localstack", 4566)
_DATABASE: Final = ("aurora", 3306)
_STAND_IN: Final = "ddb2aurora.stand-in"  # a label; `make offline-images` sets it
_ENGINE_HELP: Final = "`make engine` starts one with compose, and installs it where it may"
_STAND_INS_HELP: Final = (
    "where no image registry is reached, `make offline-images images` builds all images from packages"
)
_NANOSECONDS: Final = 1e9
# What a service is, in the words of the embedded stack; a function's is its own.
_KINDS: Final = {"localstack": "emulator", "mysql": "database", "aurora": "stand-ins", "local-aws": "stand-ins"}
_WATCHER: Final = "watcher"


class NoContainersError(Exception):
    """There is no engine here, or no images and nothing to build them with; the text names the command that helps."""


def prepare() -> list[str]:
    """
    Pull the base images that are not here, build of ours what is not up to date, and return which bases are stand-ins.

    Raises:
        NoContainersError: There is no engine, or the images are not to be had.
    """
    with closing(_engine()) as client:
        bases = _bases()
        for tag in bases:
            _get(client, tag)
        if subprocess.run(["make", "--silent", "images"], cwd=ROOT, check=False).returncode:
            raise NoContainersError(f"`make images` failed, as it says above; {_STAND_INS_HELP}")
        return [tag for tag in bases if _STAND_IN in (client.images.get(tag).labels or {})]


@contextmanager
def running(*, buffer_seconds: int) -> Iterator[Carrier]:
    """
    Bring the stack up with this buffer, and take it down with all that it wrote.

    Raises:
        NoContainersError: There is no engine.
        RuntimeError: Something of the stack is left.
    """
    settings = {"COMPOSE_PROJECT_NAME": _PROJECT, "LAMBDA_PORT": "0", "BUFFER_SECONDS": str(buffer_seconds)}
    with closing(_engine()) as client:
        with tempfile.TemporaryDirectory() as folder, running_compose(Path(folder), **settings) as stack:
            aws, database = (stack.compose.get_service_port(*place) for place in (_AWS, _DATABASE))
            containers = client.containers.list(filters=_OURS)
            kinds = {found.id: _KINDS.get(found.labels[_SERVICE], found.labels[_SERVICE]) for found in containers}
            yield Carrier(
                {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws}", "AWS_REGION": "us-east-1"},
                lambda: pymysql.connect(
                    host="127.0.0.1", port=int(database), user="root", password="not-a-password", autocommit=True
                ),
                lambda: _cpu_seconds(client, kinds),
            )
        left = [
            *client.containers.list(all=True, filters=_OURS),
            *client.volumes.list(filters=_OURS),
            *client.networks.list(filters=_OURS),
        ]
    if left:
        raise RuntimeError(f"of the stack is left: {left}")


def _engine() -> docker.DockerClient:
    """
    Return the engine.

    Raises:
        NoContainersError: None answers, or it has no compose.
    """
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        raise NoContainersError(f"no Docker engine answers; {_ENGINE_HELP}; {_STAND_INS_HELP}") from error
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        raise NoContainersError(f"the engine's command line has no compose; {_ENGINE_HELP}")
    return client


def _get(client: docker.DockerClient, tag: str) -> None:
    try:
        client.images.get(tag)
    except ImageNotFound:
        try:
            client.images.pull(tag)
        except APIError as error:
            raise NoContainersError(f"the image {tag} is neither here nor pulled; {_STAND_INS_HELP}") from error


def _bases() -> list[str]:
    """Return the tags that the stack and our images start from."""
    text = (ROOT / "images" / "bases.env").read_text(encoding="utf-8")
    declared = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return [declared[name] for name in ("PYTHON_IMAGE", "MYSQL_IMAGE", "LOCALSTACK_IMAGE")]


def _cpu_seconds(client: docker.DockerClient, kinds: Mapping[str, str]) -> dict[str, float]:
    """Return what each kind of container has taken so far, as the engine counts it, and this process."""
    found = {_WATCHER: time.process_time()}
    for container, kind in kinds.items():
        told = client.api.stats(container, stream=False, one_shot=True)
        found[kind] = found.get(kind, 0) + told["cpu_stats"]["cpu_usage"]["total_usage"] / _NANOSECONDS
    return found
