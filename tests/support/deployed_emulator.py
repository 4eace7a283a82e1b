"""
MiniStack as an account of AWS that takes nothing on trust: over TLS, with IAM enforced and every call recorded.

It runs functions as containers, so it listens where containers reach it: on the bridge of the Docker engine.
"""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config
from certificates import Authority
from containers import docker

MINISTACK = Path(__file__).with_name("mended_ministack.py")
INSTANCE = "ddb2aurora-deployed"
REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY_ID = "administrator"
SECRET_ACCESS_KEY = "not-a-secret"
PATIENCE_SECONDS = 60
LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Decision:
    """Whether somebody, named by an ARN, may do something."""

    who: str
    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True)
class Account:
    """An emulated account, as its administrator sees it."""

    url: str
    authority: Authority
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "ministack.log"

    @property
    def decisions_file(self) -> Path:
        return self.folder / "decisions.jsonl"

    @property
    def decisions(self) -> list[Decision]:
        """What IAM was asked until now."""
        lines = self.decisions_file.read_text(encoding="utf-8").splitlines()
        return [Decision(**json.loads(line)) for line in lines]

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with which any SDK or script works in this account."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.authority.file),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, *, url: str | None = None) -> Any:
        return boto3.client(
            service,
            endpoint_url=url or self.url,
            verify=str(self.authority.file),
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(read_timeout=330, retries={"total_max_attempts": 1}),
        )


@contextlib.contextmanager
def running_account(folder: Path, *, network: str, function_variables: Mapping[str, str]) -> Iterator[Account]:
    """Run an account whose functions are on the Docker *network* and get *function_variables* besides their own."""
    host = address_of_the_bridge()
    authority = Authority(folder)
    certificate, key = authority.certify("aws", [host, "localhost"])
    port = free_port(host)
    account = Account(f"https://{host}:{port}", authority, folder)
    variables = " ".join(f"-e {name}={value}" for name, value in function_variables.items())
    settings = {
        "PATH": os.environ["PATH"],  # noqa: TID251 - where openssl and git are
        "GATEWAY_PORT": str(port),
        "BIND_HOST": host,
        "MINISTACK_HOST": host,
        "MINISTACK_HOSTNAME": INSTANCE,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        # As functions are to call it: an address, so that the SDK puts a bucket's name into the path.
        "AWS_ENDPOINT_URL": account.url,
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(key),
        "AUTH": "true",
        "LAMBDA_DOCKER_NETWORK": network,
        # As Lambda confines a function.
        "LAMBDA_DOCKER_FLAGS": f"--tmpfs /tmp --security-opt no-new-privileges {variables}",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "LOG_LEVEL": "INFO",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    with account.log.open("wb") as log:
        command = [sys.executable, MINISTACK, account.decisions_file]
        process = subprocess.Popen(command, env=settings, stdout=log, stderr=log)
    try:
        await_account(account, process)
        yield account
    finally:
        # Asked politely, it would wait for its containers, which nobody needs any more.
        process.kill()
        process.wait()
        # Those that it could not start, and those that outlived it.
        remove_containers(f"{INSTANCE}:{port}")


def remove_containers(instance: str) -> None:
    """Remove the containers that an emulator labelled as its own."""
    found = docker("ps", "--all", "--quiet", "--filter", f"label=ministack.instance={instance}").split()
    if found:
        docker("rm", "--force", "--volumes", *found)


def await_account(account: Account, process: subprocess.Popen[bytes]) -> None:
    """Wait until the account answers."""
    trust = ssl.create_default_context(cafile=account.authority.file)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{account.url}/_ministack/ready", timeout=5, context=trust),  # noqa: S310 - ours
        ):
            return
        waits = process.poll() is None and time.monotonic() < deadline
        assert waits, account.log.read_text(errors="replace")[-4000:]
        time.sleep(LOOK_EVERY_SECONDS)


def address_of_the_bridge() -> str:
    """Return where containers reach this machine; an engine that was never started before names no gateway yet."""
    name = '{{index .Options "com.docker.network.bridge.name"}}'
    interface = docker("network", "inspect", "bridge", "--format", name).strip()
    return next(found.address for found in psutil.net_if_addrs()[interface] if found.family is socket.AF_INET)


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
