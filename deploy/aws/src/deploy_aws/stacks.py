"""Stacks: what they are now, waiting until nothing goes on in them, and bringing them to where they can be changed."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from deploy_aws.aws import code_of
from deploy_aws.errors import DeploymentFailedError
from deploy_aws.events import Event, History, causes, points_elsewhere, validation_failures
from deploy_aws.screen import Screen
from deploy_aws.statuses import Step, at_rest, next_step
from deploy_aws.waiting import WaitedTooLongError, Waiter

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# An Aurora cluster with a reader takes about half an hour, and a rollback as long again.
LONGEST_SECONDS: Final = 2 * 3600.0
_LONGEST_BEGIN_SECONDS: Final = 60.0
# One for each state that a stack may have to be brought out of, and some to spare.
_MOST_STEPS: Final = 8


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is there; *changed_at* is when its last operation began."""

    id: str
    name: str
    status: str
    reason: str
    changed_at: datetime
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    protected: bool


def new_token() -> str:
    """Return a token by which the events of one operation can be told from those of others."""
    return f"ddb2aurora-{secrets.token_hex(8)}"


class Stacks:
    """Read stacks and bring them into a state that can be worked with."""

    def __init__(self, client: "CloudFormationClient", *, waiter: Waiter, screen: Screen) -> None:
        """Work with *client*, wait with *waiter*, tell *screen* of all that happens."""
        self._client = client
        self._waiter = waiter
        self._screen = screen
        self._told: set[str] = set()

    def find(self, name: str) -> Stack | None:
        """
        Return the stack of a *name* or id, None if it is not there.

        Raises:
            ClientError: CloudFormation refuses to tell.
        """
        try:
            raw = self._client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            # CloudFormation has no code of its own for it.
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        times = (raw["CreationTime"], raw.get("LastUpdatedTime"), raw.get("DeletionTime"))
        return Stack(
            id=raw.get("StackId", name),
            name=raw["StackName"],
            status=raw["StackStatus"],
            reason=raw.get("StackStatusReason", ""),
            changed_at=max(time for time in times if time is not None),
            parameters={
                found["ParameterKey"]: found.get("ParameterValue", "")
                for found in raw.get("Parameters", [])
                if "ParameterKey" in found
            },
            outputs={
                found["OutputKey"]: found.get("OutputValue", "")
                for found in raw.get("Outputs", [])
                if "OutputKey" in found
            },
            protected=raw.get("EnableTerminationProtection", False),
        )

    def wait(self, stack: Stack, *, seconds: float = LONGEST_SECONDS) -> tuple[Stack | None, tuple[Event, ...]]:
        """
        Wait until nothing goes on in *stack*, telling what happens; return what it has become, and what failed.

        Raises:
            WaitedTooLongError: It goes on for longer than *seconds*.
            ClientError: CloudFormation refuses to tell.
        """
        begun = self.find(stack.id)
        history = History(
            self._client, stack.id, since=begun.changed_at if begun else stack.changed_at, told=self._told
        )

        def rested() -> tuple[Stack | None] | None:
            # The state first: what happened before it came to rest is then all told.
            now = self.find(stack.id)
            for event in history.fresh():
                self._screen.say(str(event), kind="bad" if event.failed else "note")
            self._screen.now(f"{stack.name}: {now.status if now else 'gone'}")
            return (now,) if at_rest(now.status if now else None) else None

        found = self._waiter.until(rested, seconds=seconds, what=f"the work on stack {stack.name}")[0]
        gone = found is None or found.status == "DELETE_COMPLETE"
        failures = causes(history.events)
        if any(points_elsewhere(event.reason) for event in failures):
            failures = validation_failures(self._client, StackName=stack.id) or failures
        return (None if gone else found), failures

    def prepare(self, name: str, *, continue_rollback: bool = False) -> Stack | None:
        """
        Bring the stack *name* to where it can be created (then None is returned) or updated.

        What a failed creation or a plan left is deleted, what goes on is waited for. A rollback that is stuck is
        continued only when *continue_rollback* says so.

        Raises:
            DeploymentFailedError: It cannot be brought there; the text says what an operator can do.
            WaitedTooLongError: What goes on in it does not end.
            ClientError: CloudFormation refuses.
        """
        for _ in range(_MOST_STEPS):
            stack = self.find(name)
            step = next_step(stack.status if stack else None)
            if stack is None or step is Step.CREATE:
                return None
            if step in {Step.UPDATE, Step.RESUME}:
                return stack
            self._take(step, stack, continue_rollback=continue_rollback)
        raise DeploymentFailedError(f"stack {name} does not come to rest: does someone else deploy it too?")

    def _take(self, step: Step, stack: Stack, *, continue_rollback: bool) -> None:
        if step is Step.WAIT:
            with self._screen.doing(f"{stack.name} is {stack.status}: waiting until that has ended"):
                self.wait(stack)
        elif step in {Step.REMAKE, Step.DISCARD}:
            left = "left by a creation that failed" if step is Step.REMAKE else "left by a plan"
            self._screen.say(f"{stack.name} is {stack.status}, {left}: it is deleted and made anew", kind="warning")
            self.delete(stack)
        elif step is Step.CONTINUE_ROLLBACK and continue_rollback:
            self._continue_rollback(stack)
        elif step is Step.CONTINUE_ROLLBACK:
            raise DeploymentFailedError(
                f"{stack.name} is {stack.status}: an update failed, and so did going back ({stack.reason}). Mend what "
                f"the reasons name, then run the same command with CONTINUE_ROLLBACK=yes{self._reasons(stack)}"
            )
        else:
            raise DeploymentFailedError(
                f"{stack.name} is {stack.status}: deleting it has not ended; finish that with make destroy, then "
                f"deploy{self._reasons(stack)}"
            )

    def await_begin(self, stack_id: str, token: str) -> None:
        """
        Wait until the operation with the client request *token* shows in the history of a stack.

        Before that the stack may still tell the state that an earlier operation left, which is no answer to this one.

        Raises:
            ClientError: CloudFormation refuses to tell.
        """

        def begun() -> bool | None:
            pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
            newest = next(iter(pages), None)
            events = newest["StackEvents"] if newest else []
            return True if any(event.get("ClientRequestToken") == token for event in events) else None

        # If it has no history of its own, its state has to do.
        with contextlib.suppress(WaitedTooLongError):
            self._waiter.until(begun, seconds=_LONGEST_BEGIN_SECONDS, what="the beginning")

    def delete(self, stack: Stack, *, force: bool = False) -> None:
        """
        Delete *stack* and wait until it is gone; with *force* what cannot be deleted is left behind.

        Raises:
            DeploymentFailedError: It is still there; the text says why.
            WaitedTooLongError: It takes too long.
            ClientError: CloudFormation refuses.
        """
        meanwhile = f"CloudFormation goes on deleting {stack.name}; the same command again watches it"
        with self._screen.doing(f"deleting {stack.name}", meanwhile=meanwhile):
            if stack.status != "DELETE_IN_PROGRESS":
                mode = {"DeletionMode": "FORCE_DELETE_STACK"} if force else {}
                token = new_token()
                self._client.delete_stack(StackName=stack.id, ClientRequestToken=token, **mode)  # type: ignore[arg-type]  # a mode of the API
                if stack.status != "REVIEW_IN_PROGRESS":  # which is gone at once
                    self.await_begin(stack.id, token)
            left, failures = self.wait(stack)
        if left is not None:
            raise DeploymentFailedError(f"{stack.name} is {left.status}, not deleted:{reasons_text(failures)}")

    def _continue_rollback(self, stack: Stack) -> None:
        with self._screen.doing(
            f"{stack.name} is {stack.status}: going on with its rollback",
            meanwhile=f"CloudFormation goes on rolling {stack.name} back; the same command again watches it",
        ):
            token = new_token()
            self._client.continue_update_rollback(StackName=stack.id, ClientRequestToken=token)
            self.await_begin(stack.id, token)
            after, failures = self.wait(stack)
        if after is None or next_step(after.status) is not Step.UPDATE:
            raise DeploymentFailedError(
                f"{stack.name} cannot go back either; what cannot be mended is skipped by aws cloudformation "
                f"continue-update-rollback --stack-name {stack.name} --resources-to-skip …{reasons_text(failures)}"
            )

    def _reasons(self, stack: Stack) -> str:
        history = History(self._client, stack.id, since=stack.changed_at)
        history.fresh()
        return reasons_text(causes(history.events))


def reasons_text(failures: tuple[Event, ...]) -> str:
    """Return *failures* as lines of an error."""
    return "".join(f"\n  {event.stack}/{event.resource} ({event.type}): {event.reason}" for event in failures)
