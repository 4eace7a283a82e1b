"""
MiniStack, the emulator of the AWS services whose behaviour the pipeline may take from it.

DynamoDB and its streams, S3, SNS, SQS and Secrets Manager behave well there; what does not is played by `local_aws`.
"""

import http.client
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from local_aws.services.errors import LocalServiceError
from local_aws.services.folders import make_folder, remove_folder, unused_folder
from local_aws.services.ports import LOOPBACK, free_port
from local_aws.services.process import ChildProcess

REGION = "us-east-1"

_POLL_SECONDS = 0.05
_PROBE_TIMEOUT_SECONDS = 5
_READY_PATH = "/_ministack/ready"


class MiniStack:
    """Run MiniStack from `with` to its end on a free loopback port; what it stores is gone afterwards."""

    def __init__(self, *, timeout_seconds: float = 60) -> None:
        """Prepare an emulator that has to be ready within *timeout_seconds*."""
        self._timeout_seconds = timeout_seconds

    def __enter__(self) -> Self:
        """
        Start the emulator and wait until it serves requests.

        Raises:
            LocalServiceError: It ended, or was not ready in time; the text holds the end of its log.
        """
        self._folder = unused_folder("ddb2aurora-aws-")
        self._port = free_port()
        self._process = ChildProcess(
            [sys.executable, "-m", "ministack"],
            name="MiniStack",
            log=self._folder / "ministack.log",
            environment=self._settings(),
            remove=self._folder,
        )
        try:
            make_folder(self._folder)
            self._process.start()
            self._wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the emulator and remove everything it wrote."""
        try:
            self._process.stop()
        finally:
            remove_folder(self._folder)

    @property
    def url(self) -> str:
        """Where every service is reached."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def folder(self) -> Path:
        """A temporary folder that is removed after the emulator, even when this process is killed."""
        return self._folder

    @property
    def pid(self) -> int | None:
        """The emulator's process id, or None when it does not run."""
        return self._process.pid

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with which the AWS SDK talks to this emulator, with credentials that are good nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "fake-access-key-id",
            "AWS_SECRET_ACCESS_KEY": "fake-secret-access-key",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _settings(self) -> Mapping[str, str]:
        """Return the whole environment of the emulator's process; nothing is inherited from ours."""
        return {
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.environment["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": self.environment["AWS_SECRET_ACCESS_KEY"],
            "PERSIST_STATE": "0",
            "S3_PERSIST": "0",
            "STATE_DIR": str(self._folder / "state"),
            "S3_DATA_DIR": str(self._folder / "s3"),
            "TMPDIR": str(self._folder),
            "HOME": str(self._folder),
            "LOG_LEVEL": "WARNING",
            # Its listeners on fixed ports, for services that the pipeline does not use.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # At its start it removes containers that another instance left behind; it shall find no Docker to ask.
            "DOCKER_HOST": f"unix://{self._folder}/no-docker.sock",
        }

    def _wait_until_ready(self) -> None:
        """
        Wait until the emulator says that it is ready.

        Raises:
            LocalServiceError: It ended, or the time is over.
        """
        deadline = time.monotonic() + self._timeout_seconds
        while not self._ready():
            if not self._process.running:
                raise LocalServiceError(f"MiniStack ended while it started\n{self._process.log_tail()}")
            if time.monotonic() > deadline:
                raise LocalServiceError(
                    f"MiniStack was not ready within {self._timeout_seconds:g} s; the machine may be very busy, or its "
                    f"log says more\n{self._process.log_tail()}"
                )
            time.sleep(_POLL_SECONDS)

    def _ready(self) -> bool:
        """Ask once."""
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_PROBE_TIMEOUT_SECONDS)
        try:
            connection.request("GET", _READY_PATH)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
