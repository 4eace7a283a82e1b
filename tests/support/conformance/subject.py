"""An implementation of Data Firehose, and delivery streams made there for one rule each."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from conformance.rule import awaited

REGION = "us-east-1"
ROLE_ARN = "arn:aws:iam::000000000000:role/firehose"
ERROR_PREFIX = "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"


def client(service: str, url: str) -> Any:
    """Return a client that asks once: an answer is what is looked at here."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            s3={"addressing_style": "path"},
            read_timeout=30,
            max_pool_connections=20,
        ),
    )


@dataclass
class Subject:
    """
    An implementation and how it is reached.

    *function_arn* is the function of `conformance.transform` there; without one, *no_function* says why.
    """

    title: str
    version: str
    firehose: Any
    s3: Any
    sqs: Any
    function_arn: str | None
    no_function: str = ""

    def bucket(self) -> str:
        """Make a bucket and return its name."""
        name = f"conformance-{secrets.token_hex(6)}"
        self.s3.create_bucket(Bucket=name)
        return name

    def stream(
        self,
        *,
        seconds: int = 1,
        megabytes: int = 5,
        bucket: str | None = None,
        transform: dict[str, str] | None = None,
        **settings: Any,
    ) -> "Stream":
        """
        Make a delivery stream into *bucket*, whose name it bears, or into a new one.

        *transform* are parameters of the Lambda processor, if there shall be one; *settings* are further members of
        an ExtendedS3DestinationConfiguration, of which None leaves one out.
        """
        name = bucket or self.bucket()
        destination = {
            **place(name, "data/", seconds=seconds, megabytes=megabytes),
            "ErrorOutputPrefix": ERROR_PREFIX,
            **({} if transform is None else {"ProcessingConfiguration": self._processing(transform)}),
            **settings,
        }
        given = {member: value for member, value in destination.items() if value is not None}
        self.firehose.create_delivery_stream(
            DeliveryStreamName=name, DeliveryStreamType="DirectPut", ExtendedS3DestinationConfiguration=given
        )
        made = Stream(self, name)
        awaited(lambda: made.describe()["DeliveryStreamStatus"], lambda status: status == "ACTIVE")
        return made

    def _processing(self, transform: dict[str, str]) -> dict[str, Any]:
        values = {"LambdaArn": self.function_arn, "BufferIntervalInSeconds": "0", **transform}
        parameters = [{"ParameterName": name, "ParameterValue": value} for name, value in values.items()]
        return {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": parameters}]}


@dataclass
class Stream:
    """A delivery stream, and what it wrote into the bucket of the same name."""

    subject: Subject
    name: str
    _read: dict[str, bytes] = field(default_factory=dict)

    def put(self, *datas: bytes) -> dict[str, Any]:
        """Put a batch."""
        records = [{"Data": data} for data in datas]
        answer: dict[str, Any] = self.subject.firehose.put_record_batch(DeliveryStreamName=self.name, Records=records)
        return answer

    def describe(self) -> dict[str, Any]:
        answer = self.subject.firehose.describe_delivery_stream(DeliveryStreamName=self.name)
        found: dict[str, Any] = answer["DeliveryStreamDescription"]
        return found

    def objects(self, prefix: str = "data/") -> dict[str, bytes]:
        """Return the objects under *prefix* that are there now, by their keys."""
        found = self.subject.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        for key in {entry["Key"] for entry in found} - set(self._read):
            self._read[key] = self.subject.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return {key: body for key, body in self._read.items() if key.startswith(prefix)}

    def first(self, prefix: str = "data/") -> dict[str, bytes]:
        """Return the objects under *prefix* once there is one, or none if none comes."""
        return awaited(lambda: self.objects(prefix), bool)

    def data(self, *, length: int, prefix: str = "data/") -> bytes:
        """Return what was delivered under *prefix*, once it is *length* bytes or more."""
        return awaited(lambda: b"".join(self.objects(prefix).values()), lambda seen: len(seen) >= length)

    def errors(self, count: int) -> list[dict[str, Any]]:
        """Return the lines of the error objects, once there are *count*."""
        lines = awaited(
            lambda: b"".join(self.objects("errors/").values()).splitlines(), lambda seen: len(seen) >= count
        )
        return [json.loads(line) for line in lines if line]


def place(bucket: str, prefix: str, *, seconds: int = 1, megabytes: int = 5, **settings: Any) -> dict[str, Any]:
    """Return the members that say where objects go and when."""
    return {
        "RoleARN": ROLE_ARN,
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "Prefix": prefix,
        "BufferingHints": {"SizeInMBs": megabytes, "IntervalInSeconds": seconds},
        **settings,
    }


def utc_hour() -> str:
    """Return the hour as it stands in the default prefix."""
    return f"{datetime.now(UTC):%Y/%m/%d/%H/}"
