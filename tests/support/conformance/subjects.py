"""The implementations: our stand-in, and the ones that MiniStack and LocalStack have of their own."""

import http.client
import importlib.metadata
import io
import json
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from conformance import transform
from conformance.rule import LOOK_EVERY_SECONDS, PATIENCE_SECONDS, awaited
from conformance.subject import Subject, client
from local_aws.firehose import FirehoseServer
from local_aws.runtime.in_process import CallableFunction
from local_aws.services.ministack import MiniStack

_FUNCTION = "conformance"
_EXECUTOR = Path(__file__).with_name("localstack_executor.py")
# The first start of the emulator on a machine that is busy with other tests.
_LOCALSTACK_SECONDS = 90


@contextmanager
def local_aws_on(url: str) -> Iterator[Subject]:
    """Start our stand-in, with the S3 at *url* and the function inside this process."""
    function = CallableFunction(name=_FUNCTION, handler=transform.handler)
    with FirehoseServer(s3=client("s3", url), resolve_function={function.arn: function}.__getitem__) as server:
        yield Subject(
            title="`local_aws`",
            version=importlib.metadata.version("local-aws"),
            firehose=client("firehose", server.url),
            s3=client("s3", url),
            sqs=client("sqs", url),
            function_arn=function.arn,
        )


def ministack_at(emulator: MiniStack) -> Subject:
    """Return MiniStack's own Firehose, with the function in a process of MiniStack."""
    return _emulator("MiniStack", importlib.metadata.version("ministack"), emulator.url)


@contextmanager
def localstack(image: str) -> Iterator[Subject]:
    """
    Start LocalStack's own Firehose in a container that is removed at the end.

    Its functions would run in containers that it makes through the engine's socket, out of images and a program that
    it downloads. Here they run inside its process, by the plug-in that is its own way to run them elsewhere; what its
    Firehose makes of their answers is all its own.

    Raises:
        RuntimeError: The engine does not start it, or it does not answer; the text says why.
    """
    with tempfile.TemporaryDirectory(prefix="ddb2aurora-conformance-") as folder:
        _write_plug_in(Path(folder))
        options = [
            *("--publish", "127.0.0.1::4566"),
            *("--volume", f"{folder}:/opt/conformance:ro"),
            *("--env", "PYTHONPATH=/opt/conformance"),
            *("--env", "LAMBDA_RUNTIME_EXECUTOR=in-process"),
            *("--env", "SERVICES=firehose,lambda,s3,sqs,sts,iam,logs"),
            *("--env", "DISABLE_EVENTS=1"),
            *("--env", "SKIP_SSL_CERT_DOWNLOAD=1"),
        ]
        container = _docker("run", "--detach", "--rm", *options, image)
        try:
            address = _docker("port", container, "4566/tcp").splitlines()[0]
            version = _awaited_version(address, container)
            yield _emulator("LocalStack", version, f"http://{address}")
        finally:
            # It is gone already if it ended by itself.
            subprocess.run(["docker", "rm", "--force", "--volumes", container], capture_output=True, check=False)


def _emulator(title: str, version: str, url: str) -> Subject:
    function_arn, why = _create_function(client("lambda", url))
    return Subject(
        title=title,
        version=version,
        firehose=client("firehose", url),
        s3=client("s3", url),
        sqs=client("sqs", url),
        function_arn=function_arn,
        no_function=why,
    )


def _create_function(lambdas: Any) -> tuple[str | None, str]:
    """Return the ARN of the function of the rules, or None and why it does not run here."""
    try:
        made = lambdas.create_function(
            FunctionName=_FUNCTION,
            Runtime="python3.13",
            Handler="transform.handler",
            Role="arn:aws:iam::000000000000:role/function",
            Timeout=10,
            Code={"ZipFile": _zipped(Path(transform.__file__))},
        )
        found = awaited(
            lambda: lambdas.get_function_configuration(FunctionName=_FUNCTION),
            lambda seen: seen["State"] != "Pending",
            seconds=30,
        )
        if found["State"] != "Active":
            return None, f"functions do not run here: {found.get('StateReason', found['State'])}"
        # The first answer takes longest: it starts the function.
        answer = lambdas.invoke(FunctionName=_FUNCTION, Payload=b'{"records": []}')
    except ClientError as error:
        return None, f"functions do not run here: {error.operation_name}: {error.response['Error']['Code']}"
    with answer["Payload"] as payload:
        body = payload.read()
    if body != b'{"records": []}':
        return None, f"functions do not run here: {body[:200].decode(errors='replace')}"
    return made["FunctionArn"], ""


def _zipped(source: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.write(source, source.name)
    return content.getvalue()


def _write_plug_in(folder: Path) -> None:
    """Write a distribution whose entry point names our executor, as LocalStack finds its plug-ins."""
    (folder / _EXECUTOR.name).write_bytes(_EXECUTOR.read_bytes())
    about = folder / "localstack_executor-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: localstack-executor\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[localstack.lambda.runtime_executor]\nin-process = localstack_executor:InProcessPlugin\n"
    )
    folder.chmod(0o755)


def _awaited_version(address: str, container: str) -> str:
    """
    Wait until LocalStack answers, and return the version that it tells.

    Raises:
        RuntimeError: It does not in time; the text holds the end of its log.
    """
    deadline = time.monotonic() + _LOCALSTACK_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/_localstack/health")
            version: str = json.load(connection.getresponse())["version"]
        except (OSError, http.client.HTTPException):
            time.sleep(LOOK_EVERY_SECONDS)
        else:
            return version
        finally:
            connection.close()
    log = subprocess.run(["docker", "logs", "--tail", "20", container], capture_output=True, text=True, check=False)
    raise RuntimeError(f"LocalStack does not answer after {_LOCALSTACK_SECONDS} s\n{log.stdout}{log.stderr}")


def _docker(*arguments: str) -> str:
    """
    Run the Docker client and return what it printed.

    Raises:
        RuntimeError: It failed; the text is what it said.
    """
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        hint = " (where no image registry is reached: make offline-images)" if arguments[0] == "run" else ""
        raise RuntimeError(f"docker {arguments[0]}: {done.stderr.strip()}{hint}")
    return done.stdout.strip()
