"""The compose stack as testcontainers runs it: a project of its own, on free ports, reached from outside alone."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from outside import REPOSITORY, Stack
from testcontainers.compose import DockerCompose

PROJECT = "ddb2aurora-test"


@dataclass(frozen=True)
class ComposeStack:
    """A running project."""

    compose: DockerCompose

    def connect(self) -> Stack:
        """Return a view of the stack through the AWS API and SQL."""
        aws, database = (self.compose.get_service_port(*place) for place in (("localstack", 4566), ("aurora", 3306)))
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws}",
            "AWS_ACCESS_KEY_ID": "not-a-key",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "BUCKET_NAME": "ddb2aurora-local",
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": str(database),
            "MYSQL_USER": "root",
            "MYSQL_PASSWORD": "not-a-password",
            "MYSQL_DATABASE": "Demo",
        }
        return Stack(environment, pipelines=REPOSITORY / "pipelines")

    def kill(self, container: str) -> None:
        """Kill a container, named by its service and number, as a crash would."""
        docker("kill", f"{PROJECT}-{container}")

    def start(self, container: str) -> None:
        docker("start", f"{PROJECT}-{container}")


def docker(*arguments: str) -> None:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def running_compose(folder: Path, **settings: str) -> Iterator[ComposeStack]:
    """Bring the project up, with *settings* of the compose file, and take it down with all that it wrote."""
    own = {
        "COMPOSE_PROJECT_NAME": PROJECT,
        # 0: any free port.
        "LOCALSTACK_PORT": "0",
        "MYSQL_PORT": "0",
        "FIREHOSE_PORT": "0",
        **settings,
    }
    environment = folder / "compose.env"
    environment.write_text("".join(f"{name}={value}\n" for name, value in own.items()), encoding="utf-8")
    compose = DockerCompose(
        REPOSITORY, env_file=[str(REPOSITORY / "images" / "bases.env"), str(environment)], pull=False, build=False
    )
    try:
        with compose:
            yield ComposeStack(compose)
    finally:
        compose.stop(down=True)
