"""Servers and clients that are closed after the test."""

import base64
from contextlib import ExitStack
from threading import Condition
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config

from local_aws.firehose import FirehoseServer
from local_aws.functions import Invocation

LAMBDA_ARN = "arn:aws:lambda:us-east-1:000000000000:function:transform:live"
ROLE_ARN = "arn:aws:iam::000000000000:role/firehose"


class MemoryS3:
    """Keeps objects, and lets a test wait for them; refuses every put while it is *away*."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False
        self._changed = Condition()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: ARG002, N803 - the names of the SDK
        if self.away:
            raise ConnectionError("S3 is away")
        with self._changed:
            self.objects[Key] = Body
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[bytes]:
        """Return the bodies of the objects once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.objects) >= count, timeout=20), self.objects
            return list(self.objects.values())


class UpperCase:
    """A function that answers with its data in upper case, after calling *on_invoke*."""

    name = "transform"
    arn = LAMBDA_ARN

    def __init__(self, on_invoke=lambda: None) -> None:
        self._on_invoke = on_invoke

    def invoke(self, event):
        self._on_invoke()
        records = [
            {
                "recordId": record["recordId"],
                "result": "Ok",
                "data": base64.b64encode(base64.b64decode(record["data"]).upper()).decode(),
            }
            for record in event["records"]
        ]
        return Invocation("request-1", {"records": records})


def destination(*, bucket="lake", seconds=60, transform=False, transform_seconds=0, **changes):
    """Return an ExtendedS3DestinationConfiguration."""
    settings = {
        "RoleARN": ROLE_ARN,
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "Prefix": "data/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": seconds},
    }
    if transform:
        values = {
            "LambdaArn": LAMBDA_ARN,
            "BufferSizeInMBs": "0.2",
            "BufferIntervalInSeconds": str(transform_seconds),
        }
        parameters = [{"ParameterName": name, "ParameterValue": value} for name, value in values.items()]
        settings["ProcessingConfiguration"] = {
            "Enabled": True,
            "Processors": [{"Type": "Lambda", "Parameters": parameters}],
        }
    return settings | changes


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def make(stack):
    def server(*, s3, function=None, **options):
        return stack.enter_context(
            FirehoseServer(s3=s3, resolve_function=lambda _arn: function or UpperCase(), **options)
        )

    def client(url, *, attempts=1):
        made = boto3.client(
            "firehose",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )
        stack.callback(made.close)
        return made

    return SimpleNamespace(
        server=server, client=client, destination=destination, s3=MemoryS3, function=UpperCase, lambda_arn=LAMBDA_ARN
    )
