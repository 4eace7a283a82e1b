"""CloudFormation as a script: each answer is given, each call is written down."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def a_stack(status: str = "CREATE_COMPLETE", **others: Any) -> dict[str, Any]:
    """Return a stack as DescribeStacks tells it."""
    return {
        "StackId": "arn:stack/shop-dev/1",
        "StackName": "shop-dev",
        "StackStatus": status,
        "CreationTime": NOON,
        **others,
    }


def an_event(resource: str = "Bucket", status: str = "CREATE_COMPLETE", **others: Any) -> dict[str, Any]:
    """Return an event as DescribeStackEvents tells it."""
    return {
        "EventId": f"{resource}-{status}-{others.get('StackName', 'shop-dev')}",
        "StackId": "arn:stack/shop-dev/1",
        "StackName": "shop-dev",
        "LogicalResourceId": resource,
        "PhysicalResourceId": resource.lower(),
        "ResourceType": "AWS::S3::Bucket",
        "ResourceStatus": status,
        "Timestamp": NOON,
        **others,
    }


def refused(code: str = "AccessDenied", message: str = "no", operation: str = "DescribeStacks") -> ClientError:
    """Return the error that the SDK raises for an answer of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeCloudFormation:
    """
    Answer DescribeStacks with one *statuses* after the other, the last of them for ever; None: there is no such stack.

    *events* are those of each stack by its id, newest first, *change_sets* the answers to DescribeChangeSet by id: a
    change set that looks into the stacks inside is made as `root`, one that does not as `flat`.
    """

    def __init__(
        self,
        statuses: Iterable[str | None] = (None,),
        *,
        events: dict[str, list[dict[str, Any]]] | None = None,
        change_sets: dict[str, list[dict[str, Any]]] | None = None,
    ) -> None:
        self._statuses = list(statuses)
        self._events = events or {}
        self._change_sets = change_sets or {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    @property
    def called(self) -> list[str]:
        """The names of the calls that change something."""
        return [name for name, _ in self.calls]

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        if status is None:
            raise refused("ValidationError", "Stack with id shop-dev does not exist")
        return {"Stacks": [a_stack(status)]}

    def get_paginator(self, name: str) -> "FakeCloudFormation":
        assert name == "describe_stack_events"
        return self

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        return [{"StackEvents": self._events.get(arguments["StackName"], [])}]

    def describe_change_set(self, *, ChangeSetName: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803 - the SDK's
        return self._change_sets[ChangeSetName][int(NextToken)]

    def create_change_set(self, **arguments: Any) -> dict[str, Any]:
        self.calls.append(("create_change_set", arguments))
        return {"Id": "root" if arguments["IncludeNestedStacks"] else "flat"}

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        def call(**arguments: Any) -> dict[str, Any]:
            self.calls.append((name, arguments))
            return {}

        return call
