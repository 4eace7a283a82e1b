"""Fakes for the world around a stream, and builders with boring defaults."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.faults import NO_FAULTS, Faults
from local_aws.firehose.configuration import configuration_of
from local_aws.firehose.ids import Ids
from local_aws.firehose.kinds import Kind
from local_aws.firehose.services import Services
from local_aws.firehose.stream import DeliveryStream
from local_aws.functions import FunctionError, Invocation

LAMBDA_ARN = "arn:aws:lambda:us-east-1:000000000000:function:transform:live"
ROLE_ARN = "arn:aws:iam::000000000000:role/firehose"
NOON = datetime(2026, 3, 4, 12, 30, 45, tzinfo=UTC).timestamp()


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class FakeS3:
    """Keeps objects; the next *refusals* puts raise."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.buckets: list[str] = []
        self.refusals = 0

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - the names of the SDK
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("S3 is away")
        self.buckets.append(Bucket)
        self.objects[Key] = Body


def echo(event: Mapping[str, Any]) -> Invocation:
    """Answer Ok with the same data for each record."""
    return answer([{"recordId": r["recordId"], "result": "Ok", "data": r["data"]} for r in event["records"]])


def answer(records: object) -> Invocation:
    """Answer with these records."""
    return Invocation("request-1", {"records": records})


def failing(kind: str) -> Callable[[Any], Invocation]:
    """Answer with an error of this kind."""
    return lambda _event: Invocation("request-1", error=FunctionError(kind, "ValueError", "no"))


class FakeFunction:
    """Remembers its events, and answers as the script says, then as *behaviour* says."""

    name = "transform"
    arn = LAMBDA_ARN

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.script: list[Callable[[Any], Invocation]] = []
        self.behaviour: Callable[[Any], Invocation] = echo

    def invoke(self, event: Any) -> Invocation:
        self.events.append(event)
        return (self.script.pop(0) if self.script else self.behaviour)(event)


def settings_of(**changes: Any) -> dict[str, Any]:
    """Return the settings of a stream without processing."""
    settings = {
        "RoleARN": ROLE_ARN,
        "BucketARN": "arn:aws:s3:::lake",
        "Prefix": "data/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
    }
    return settings | changes


def lambda_processing(**parameters: str) -> dict[str, Any]:
    """Return a ProcessingConfiguration with one function."""
    entries = {"LambdaArn": LAMBDA_ARN} | parameters
    named = [{"ParameterName": name, "ParameterValue": value} for name, value in entries.items()]
    return {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": named}]}


def backup(**changes: Any) -> dict[str, Any]:
    """Return the settings that switch the backup on."""
    place = {"RoleARN": ROLE_ARN, "BucketARN": "arn:aws:s3:::lake", "Prefix": "backup/"} | changes
    return {"S3BackupMode": "Enabled", "S3BackupConfiguration": place}


class World:
    """What a stream is given, at hand for a test."""

    def __init__(self, faults: Faults = NO_FAULTS) -> None:
        self.clock = Clock()
        self.s3 = FakeS3()
        self.function = FakeFunction()
        self.pauses: list[float] = []
        numbers = count(1)
        self.services = Services(
            s3=self.s3,
            resolve_function=lambda _arn: self.function,
            faults=faults,
            clock=self.clock,
            ids=Ids(uuid=lambda: f"uuid-{next(numbers)}", random_string=lambda: "abcdefghijk"),
            wait=self._wait,
        )

    def _wait(self, event: Any, seconds: float) -> bool:
        self.pauses.append(seconds)
        return event.is_set()

    def stream(self, *, journal: Any = None, most_waiting_bytes: int = 1_000_000, **settings: Any) -> DeliveryStream:
        return DeliveryStream(
            "changes",
            arn="arn:aws:firehose:us-east-1:000000000000:deliverystream/changes",
            configuration=configuration_of(settings_of(**settings)),
            version=1,
            services=self.services,
            journal=journal,
            most_waiting_bytes=most_waiting_bytes,
        )

    def settle(self, stream: DeliveryStream, *, after: float = 1000) -> None:
        """Let so much time pass that every buffer is due, and take all steps."""
        self.clock.advance(after)
        while stream.transform_due():
            pass
        self.clock.advance(after)
        for kind in Kind:
            while stream.deliver_due(kind):
                pass


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make() -> SimpleNamespace:
    """The builders of this folder, by name."""
    return SimpleNamespace(
        world=World,
        echo=echo,
        answer=answer,
        failing=failing,
        settings=settings_of,
        processing=lambda_processing,
        backup=backup,
        lambda_arn=LAMBDA_ARN,
        noon_ms=int(NOON * 1000),
        encoded=_encoded,
    )


def _encoded(*datas: bytes) -> Sequence[str]:
    return [base64.b64encode(data).decode() for data in datas]
