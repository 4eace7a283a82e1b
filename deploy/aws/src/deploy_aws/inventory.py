"""What a stack and the stacks inside it hold, and what of it outlives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from deploy_aws.events import STACK_TYPE
from deploy_aws.templates import KEEPING, parse_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

CLUSTER: Final = "AWS::RDS::DBCluster"
_SKIPPED: Final = "DELETE_SKIPPED"
_GONE: Final = frozenset({"DELETE_COMPLETE", "CREATE_FAILED"})


@dataclass(frozen=True, slots=True)
class Holding:
    """One resource of a stack, and what becomes of it when the stack is deleted: Delete, Retain or Snapshot."""

    stack: str
    resource: str
    type: str
    id: str
    on_delete: str

    @property
    def stays(self) -> bool:
        """Whether it, or a snapshot of it, outlives its stack."""
        return self.on_delete in KEEPING

    def __str__(self) -> str:
        return f"{self.type} {self.id}" + (" (as a snapshot)" if self.on_delete == "Snapshot" else "")


def holdings(client: "CloudFormationClient", stack: str) -> tuple[Holding, ...]:
    """
    Return what *stack* and the stacks inside it hold.

    Raises:
        ClientError: CloudFormation refuses to tell.
    """
    return tuple(_holdings(client, stack))


def left_behind(client: "CloudFormationClient", name: str) -> tuple[Holding, ...]:
    """
    Return what outlived stacks that had this *name*, or were inside one; CloudFormation remembers 90 days.

    Raises:
        ClientError: CloudFormation refuses to tell.
    """
    found: dict[tuple[str, str], Holding] = {}
    for page in client.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"]):
        for summary in page["StackSummaries"]:
            stack_id = summary.get("StackId", "")
            # Another environment may have a name that begins with ours; the root tells them apart.
            if f":stack/{name}/" in summary.get("RootId", stack_id):
                for holding in _skipped(client, stack_id, summary["StackName"]):
                    found[holding.type, holding.id] = holding
    return tuple(found.values())


def _holdings(client: "CloudFormationClient", stack: str) -> Iterator[Holding]:
    policies = _policies(client, stack)
    for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
        for found in page["StackResourceSummaries"]:
            physical = found.get("PhysicalResourceId", "")
            if not physical or found["ResourceStatus"] in _GONE:
                continue
            yield Holding(
                stack=stack,
                resource=found["LogicalResourceId"],
                type=found["ResourceType"],
                id=physical,
                on_delete=policies.get(found["LogicalResourceId"], "Delete"),
            )
            if found["ResourceType"] == STACK_TYPE:
                yield from _holdings(client, physical)


def _policies(client: "CloudFormationClient", stack: str) -> Mapping[str, str]:
    body: Any = client.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    # The SDK parses templates that are JSON.
    text = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return {name: found.on_delete for name, found in parse_template(stack, text).resources.items()}


def _skipped(client: "CloudFormationClient", stack_id: str, name: str) -> Iterator[Holding]:
    # Its history tells of what the delete left, what a replacement left before, and clusters, which leave snapshots.
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for found in page["StackEvents"]:
            if found.get("PhysicalResourceId") and _outlives(found):
                yield Holding(
                    stack=name,
                    resource=found.get("LogicalResourceId", ""),
                    type=found.get("ResourceType", ""),
                    id=found.get("PhysicalResourceId", ""),
                    on_delete="Retain" if found.get("ResourceStatus") == _SKIPPED else "Snapshot",
                )


def _outlives(event: "StackEventTypeDef") -> bool:
    status = event.get("ResourceStatus")
    return status == _SKIPPED or (status == "DELETE_COMPLETE" and event.get("ResourceType") == CLUSTER)
