"""What happens in a stack and in the stacks inside it, as CloudFormation tells it, and why something failed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

STACK_TYPE: Final = "AWS::CloudFormation::Stack"
# Said of what was given up because something else had failed, and of a stack because of a resource in it.
_ECHOES: Final = (
    "cancelled",
    "The following resource(s) failed",
    "Embedded stack",
    "was not successfully",
    "Rollback requested by user",
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a stack's history."""

    stack: str
    resource: str
    type: str
    status: str
    reason: str
    physical_id: str
    at: datetime

    @property
    def failed(self) -> bool:
        """Whether it tells of a failure."""
        return self.status.endswith("_FAILED")

    @property
    def is_summary(self) -> bool:
        """Whether it tells of a stack as a whole, in that stack's own history."""
        return self.type == STACK_TYPE and self.resource == self.stack

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason and self.reason != "User Initiated" else ""
        return f"  {self.at:%H:%M:%S} {self.status:<28} {self.stack}/{self.resource} ({self.type}){reason}"


class History:
    """Read what is new in a stack since a moment; stacks inside it are found on the way."""

    def __init__(
        self, client: "CloudFormationClient", stack_id: str, *, since: datetime, told: set[str] | None = None
    ) -> None:
        """Read the history of *stack_id* from *since*, a time of AWS's clock, but for the ids of events in *told*."""
        self._client = client
        self._stacks = [stack_id]
        # The event that begins an operation may be stamped a moment before the stack's own time.
        self._since = since - timedelta(seconds=1)
        self._seen = set() if told is None else told
        self.events: list[Event] = []

    def fresh(self) -> list[Event]:
        """
        Return what is new since the last call, oldest first.

        Raises:
            ClientError: CloudFormation refuses to tell.
        """
        found: list[Event] = []
        place = 0
        while place < len(self._stacks):  # grows while it is read
            # Newest first, as they come; those of one second keep their order only if it is turned round here.
            found += reversed(list(self._fresh_of(self._stacks[place])))
            place += 1
        found.sort(key=lambda event: event.at)
        self.events += found
        return found

    def _fresh_of(self, stack: str) -> Iterator[Event]:
        for raw in self._new(stack):
            self._seen.add(raw["EventId"])
            event = _event(raw)
            inner = event.physical_id
            if event.type == STACK_TYPE and inner and inner not in {raw["StackId"], raw["StackName"], *self._stacks}:
                self._stacks.append(inner)
            yield event

    def _new(self, stack: str) -> Iterator["StackEventTypeDef"]:
        # Newest first: what was seen, or is too old, ends it.
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack):
            for raw in page["StackEvents"]:
                if raw["EventId"] in self._seen or raw["Timestamp"] < self._since:
                    return
                yield raw


def causes(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the failures that others followed from, oldest first; all failures if none of them says more."""
    failed = [event for event in events if event.failed]
    telling = [event for event in failed if event.reason and not event.is_summary and not _is_echo(event.reason)]
    return tuple(telling or failed)


def validation_failures(client: "CloudFormationClient", **where: str) -> tuple[Event, ...]:
    """
    Return what CloudFormation found before it began, of a StackName or a ChangeSetName: it has a history of its own.

    Raises:
        ClientError: CloudFormation refuses to tell.
    """
    pages = client.get_paginator("describe_events").paginate(**where, Filters={"FailedEvents": True})  # type: ignore[arg-type]  # names of the API
    return tuple(
        Event(
            stack=where.get("StackName", ""),
            resource=found.get("LogicalResourceId", ""),
            type=found.get("ResourceType", ""),
            status="VALIDATION_FAILED",
            reason=found.get("ValidationStatusReason", ""),
            physical_id=found.get("PhysicalResourceId", ""),
            at=found["Timestamp"],
        )
        for page in pages
        for found in page["OperationEvents"]
        if found.get("EventType") == "VALIDATION_ERROR" and "Timestamp" in found
    )


def points_elsewhere(reason: str) -> bool:
    """Return whether a reason only says that `validation_failures` knows it."""
    return "DescribeEvents" in reason


def _is_echo(reason: str) -> bool:
    return any(echo in reason for echo in _ECHOES)


def _event(raw: "StackEventTypeDef") -> Event:
    return Event(
        stack=raw["StackName"],
        resource=raw.get("LogicalResourceId", ""),
        type=raw.get("ResourceType", ""),
        status=raw.get("ResourceStatus", ""),
        reason=raw.get("ResourceStatusReason", ""),
        physical_id=raw.get("PhysicalResourceId", ""),
        at=raw["Timestamp"],
    )
