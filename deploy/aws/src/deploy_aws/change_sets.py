"""Change sets: what a deployment would do, shown or done; the stacks inside a stack have theirs."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from deploy_aws.errors import DeploymentFailedError
from deploy_aws.events import Event, points_elsewhere, validation_failures
from deploy_aws.waiting import Waiter

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ChangeTypeDef, DescribeChangeSetOutputTypeDef

_CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
# CloudFormation has no code for a change set without changes: the reason is all there is.
_NOTHING: Final = ("didn't contain changes", "No updates are to be performed", "no changes")
_LONGEST_SECONDS: Final = 900.0


class ChangeSetFailedError(DeploymentFailedError):
    """CloudFormation could not make a change set; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that a change set touches; *replacement* is True, False or Conditional."""

    stack: str
    action: str
    resource: str
    type: str
    replacement: str
    why: str
    physical_id: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that can be executed; *changes* has those of the stacks inside too."""

    id: str
    stack_id: str
    changes: tuple[Change, ...]


class ChangeSets:
    """Make change sets, and execute or delete them."""

    def __init__(self, client: "CloudFormationClient", *, waiter: Waiter) -> None:
        """Work with *client*, wait with *waiter*."""
        self._client = client
        self._waiter = waiter

    def make(
        self,
        stack: str,
        *,
        name: str,
        creates: bool,
        template: Mapping[str, str],
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        nested: bool,
    ) -> ChangeSet | None:
        """
        Make the change set *name* of a *stack*; None when there is nothing to change, and then nothing is left of it.

        *template* is TemplateBody or TemplateURL, as CloudFormation's call has them.

        Raises:
            ChangeSetFailedError: CloudFormation cannot make it; the text has its reason.
            WaitedTooLongError: It takes too long.
            ClientError: CloudFormation refuses.
        """
        arguments: dict[str, Any] = {
            "StackName": stack,
            "ChangeSetName": name,
            "ChangeSetType": "CREATE" if creates else "UPDATE",
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Capabilities": list(_CAPABILITIES),
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "IncludeNestedStacks": nested,
            **template,
        }
        if creates:
            # A cluster takes half an hour. It is not thrown away when something else fails: the next run goes on.
            arguments["OnStackFailure"] = "DO_NOTHING"
        made = self._client.create_change_set(**arguments)
        change_set = made["Id"]

        def ended() -> "DescribeChangeSetOutputTypeDef | None":
            found = self._client.describe_change_set(ChangeSetName=change_set)
            return None if found["Status"].endswith(("_PENDING", "_IN_PROGRESS")) else found

        try:
            found = self._waiter.until(ended, seconds=_LONGEST_SECONDS, what=f"the change set of stack {stack}")
        except BaseException:
            # Ctrl-C as well: it would stay on the stack, where nobody looks for it.
            with contextlib.suppress(ClientError):
                self._client.delete_change_set(ChangeSetName=change_set)
            raise
        if found["Status"] == "CREATE_COMPLETE":
            changes = tuple(self._changes(change_set, path=stack))
            return ChangeSet(id=change_set, stack_id=found["StackId"], changes=changes)
        reason = found.get("StatusReason", "")
        if points_elsewhere(reason):
            details = (f"{event.resource}: {event.reason}" for event in self._validation_failures(change_set))
            reason = "; ".join(details) or reason
        self._client.delete_change_set(ChangeSetName=change_set)
        if any(sign in reason for sign in _NOTHING):
            return None
        raise ChangeSetFailedError(f"the change set of stack {stack} is {found['Status']}: {reason or 'no reason'}")

    def _validation_failures(self, change_set: str) -> tuple[Event, ...]:
        return validation_failures(self._client, ChangeSetName=change_set)

    def execute(self, change_set: ChangeSet, *, token: str, keep_on_failure: bool = False) -> None:
        """
        Begin to do what *change_set* says; with *keep_on_failure* what was done stays if the rest fails.

        The events of it will bear *token*.

        Raises:
            ClientError: CloudFormation refuses.
        """
        keep = {"DisableRollback": True} if keep_on_failure else {}
        self._client.execute_change_set(ChangeSetName=change_set.id, ClientRequestToken=token, **keep)  # type: ignore[arg-type]  # as its API has it

    def delete(self, change_set: ChangeSet) -> None:
        """
        Delete *change_set*, with those of the stacks inside, without doing anything of it.

        Raises:
            ClientError: CloudFormation refuses.
        """
        self._client.delete_change_set(ChangeSetName=change_set.id)

    def _changes(self, change_set: str, *, path: str) -> Iterator[Change]:
        token: str | None = None
        while True:
            more = {"NextToken": token} if token else {}
            page = self._client.describe_change_set(ChangeSetName=change_set, **more)  # type: ignore[arg-type]  # a token
            for raw in page.get("Changes", []):
                yield _change(raw, path=path)
                inner = raw.get("ResourceChange", {})
                if inner.get("ChangeSetId"):
                    yield from self._changes(inner["ChangeSetId"], path=f"{path}/{inner.get('LogicalResourceId', '')}")
            token = page.get("NextToken")
            if not token:
                return


def _change(raw: "ChangeTypeDef", *, path: str) -> Change:
    found = raw.get("ResourceChange", {})
    action = found.get("Action", "")
    return Change(
        stack=path,
        action=action,
        resource=found.get("LogicalResourceId", ""),
        type=found.get("ResourceType", ""),
        replacement=found.get("Replacement", "") if action == "Modify" else "",
        why=", ".join(dict.fromkeys(_whys(found))),
        physical_id=found.get("PhysicalResourceId", ""),
    )


def _whys(found: Any) -> Iterator[str]:  # noqa: ANN401 - a part of CloudFormation's answer
    for detail in found.get("Details", []):
        target = detail.get("Target", {})
        what = target.get("Name") or target.get("Attribute") or "?"
        cause = detail.get("CausingEntity")
        yield f"{what} (by {cause})" if cause else what
    if not found.get("Details"):
        yield from found.get("Scope", [])
