"""Containers of the built images, under the Lambda Runtime Interface Emulator and without any network."""

import json
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REPOSITORY = Path(__file__).parents[2]
RIE = REPOSITORY / ".local" / "rie" / "aws-lambda-rie"
PATIENCE_SECONDS = 60
LOOK_EVERY_SECONDS = 0.05
INVOKE = """
import sys, urllib.request
url = "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"
print(urllib.request.urlopen(url, sys.stdin.buffer.read(), timeout=50).read().decode())
"""


def _bases() -> Mapping[str, str]:
    lines = (REPOSITORY / "images" / "bases.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


BASE = _bases()["PYTHON_IMAGE"]


@dataclass(frozen=True)
class Stage:
    name: str

    @property
    def image(self) -> str:
        return f"ddb2aurora/{self.name}"

    @property
    def handler(self) -> str:
        return f"{self.name.replace('-', '_')}.handler.handler"


STREAM_PROCESSOR = Stage("stream-processor")
FIREHOSE_TRANSFORMER = Stage("firehose-transformer")
AURORA_LOADER = Stage("aurora-loader")
OPERATOR = Stage("operator")
FUNCTIONS = (STREAM_PROCESSOR, FIREHOSE_TRANSFORMER, AURORA_LOADER)
STAGES = (*FUNCTIONS, OPERATOR)

# What each function needs to be told; nothing of it is reached.
SETTINGS: Mapping[Stage, Mapping[str, str]] = {
    STREAM_PROCESSOR: {
        "DELIVERY_STREAM_NAME": "web_analytics",
        "BUCKET_NAME": "a-bucket",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4573",
    },
    FIREHOSE_TRANSFORMER: {},
    AURORA_LOADER: {
        "DB_HOST": "127.0.0.1",
        "DB_USER": "someone",
        "DB_PASSWORD": "not-a-password",
        "DB_TLS": "off",
        "LOAD_MODE": "s3",
    },
}
COMMON_SETTINGS = {
    "PIPELINE": "web_analytics",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "not-a-key",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
}


def docker(*arguments: str, hint: str = "", given: str | None = None) -> str:
    """Run the Docker client and return what it printed; fail with what it said."""
    done = subprocess.run(["docker", *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"docker {' '.join(arguments[:4])}: {done.stderr.strip() or done.stdout.strip()} {hint}"
    )
    return done.stdout


def in_image(stage: Stage, *command: str) -> str:
    """Run *command* in a new container of the image, with nothing but the image, and return what it printed."""
    options = ("--rm", "--network", "none", "--read-only", "--entrypoint", command[0])
    return docker("run", *options, stage.image, *command[1:])


class Function:
    """A running container of a function."""

    def __init__(self, container: str) -> None:
        self.container = container

    def invoke(self, event: Any) -> Any:
        """Return the answer to *event*, asked from inside, as there is no network."""
        body = json.dumps(event)
        answer = docker("exec", "-i", self.container, "python3", "-c", INVOKE, given=body)
        return json.loads(answer)

    @property
    def log(self) -> str:
        done = subprocess.run(["docker", "logs", self.container], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr


class Sandbox:
    """Starts containers, and removes every one of them at its end."""

    def __enter__(self) -> Self:
        self._containers: list[str] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for container in reversed(self._containers):
            subprocess.run(["docker", "rm", "--force", "--volumes", container], capture_output=True, check=True)

    def run(self, image: str, *command: str, options: Sequence[str] = ()) -> str:
        """Start a container that sees no network, in the background; return its name."""
        name = f"ddb2aurora-test-{uuid.uuid4().hex[:12]}"
        network = () if "--network" in options else ("--network", "none")
        docker("run", "--detach", "--name", name, *network, *options, image, *command)
        self._containers.append(name)
        return name

    def function(
        self, stage: Stage, *, settings: Mapping[str, str | None] | None = None, options: Sequence[str] = ()
    ) -> Function:
        """Start a function as Lambda confines it: read-only but /tmp. A setting of None is left out."""
        merged = {**COMMON_SETTINGS, **SETTINGS[stage], **(settings or {})}
        variables = [f"--env={name}={value}" for name, value in merged.items() if value is not None]
        confined = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")  # noqa: S108 - in the container
        emulator = ("--volume", f"{RIE}:/rie:ro", "--entrypoint", "/rie")
        container = self.run(
            stage.image,
            "python3",
            "-m",
            "awslambdaric",
            stage.handler,
            options=[*variables, *confined, *emulator, *options],
        )
        self.await_port(container, 8080)
        return Function(container)

    def await_port(self, container: str, port: int) -> None:
        """Wait until something in *container* listens on *port*."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        look = ["docker", "exec", container, "bash", "-c", f": < /dev/tcp/127.0.0.1/{port}"]
        while subprocess.run(look, capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < deadline, f"nothing listens on {port}: {docker('logs', container)}"
            time.sleep(LOOK_EVERY_SECONDS)
