"""One stack brought to a template and parameters: by a change set, watched to its end."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deploy_aws.change_sets import ChangeSet, ChangeSetFailedError, ChangeSets
from deploy_aws.errors import DeploymentFailedError
from deploy_aws.screen import Screen
from deploy_aws.stacks import Stack, Stacks, new_token, reasons_text
from deploy_aws.statuses import Step, next_step, succeeded
from deploy_aws.templates import BOOTSTRAP, ROOT, Template
from deploy_aws.waiting import Waiter

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

CHANGE_SET_PREFIX: Final = "ddb2aurora"


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    A stack as it is wanted.

    *template* is TemplateBody or TemplateURL, as CloudFormation's call has them; *nested* is set when it has stacks.
    """

    name: str
    template: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    nested: bool


class StackFailedError(DeploymentFailedError):
    """A stack is not what was wanted; the text names the resources that failed, and why."""


class Rollout:
    """Bring stacks to what is wanted."""

    def __init__(self, client: "CloudFormationClient", *, waiter: Waiter, screen: Screen) -> None:
        """Work with *client*; tell *screen* of all that happens."""
        self.stacks = Stacks(client, waiter=waiter, screen=screen)
        self.change_sets = ChangeSets(client, waiter=waiter)
        self._screen = screen

    def make_change_set(self, wanted: Wanted, *, creates: bool) -> ChangeSet | None:
        """
        Return what would be done to bring the stack to what is *wanted*; None if it is so already.

        Raises:
            DeploymentFailedError: CloudFormation cannot say.
            ClientError: CloudFormation refuses.
        """
        try:
            return self._make_change_set(wanted, creates=creates, nested=wanted.nested)
        except ChangeSetFailedError as error:
            if not wanted.nested:
                raise
            # To look into the stacks inside, CloudFormation puts {{IntrinsicFunction:…}} in place of outputs that are
            # yet to come, and may stumble over that in a pattern, a number or a list. Executing needs no such look.
            self._screen.say(f"{error}; trying it without a look into the stacks inside", kind="warning")
        return self._make_change_set(wanted, creates=creates, nested=False)

    def _make_change_set(self, wanted: Wanted, *, creates: bool, nested: bool) -> ChangeSet | None:
        return self.change_sets.make(
            wanted.name,
            name=f"{CHANGE_SET_PREFIX}-{secrets.token_hex(6)}",
            creates=creates,
            template=wanted.template,
            parameters=wanted.parameters,
            tags=wanted.tags,
            nested=nested,
        )

    def bring(self, wanted: Wanted, *, continue_rollback: bool = False) -> Stack:
        """
        Bring a stack to what is *wanted*, whatever state it is in, and return it.

        Raises:
            StackFailedError: Something in it failed.
            DeploymentFailedError: It is in a state that an operator has to end, or it cannot be changed so.
            ClientError: CloudFormation refuses.
        """
        before = self.stacks.prepare(wanted.name, continue_rollback=continue_rollback)
        resumes = before is not None and next_step(before.status) is Step.RESUME
        change_set = self.make_change_set(wanted, creates=before is None)
        if change_set is None:
            return self._unchanged(before, wanted)
        verb = "creating" if before is None else "updating"
        with self._screen.doing(
            f"{verb} stack {wanted.name}: {len(change_set.changes)} resources",
            meanwhile=f"CloudFormation goes on {verb} {wanted.name}; the same command again watches it and goes on",
        ):
            token = new_token()
            self.change_sets.execute(change_set, token=token, keep_on_failure=resumes)
            self.stacks.await_begin(change_set.stack_id, token)
            begun = self.stacks.find(change_set.stack_id)
            if begun is None:
                raise DeploymentFailedError(f"stack {wanted.name} has vanished: does someone else delete it?")
            after, failures = self.stacks.wait(begun)
        if after is None or not succeeded(after.status):
            state = after.status if after else "deleted"
            raise StackFailedError(
                f"stack {wanted.name} is {state}; mend this, then run the same command again:"
                f"{reasons_text(failures) or ' ' + (after.reason if after else '')}"
            )
        return after

    def _unchanged(self, before: Stack | None, wanted: Wanted) -> Stack:
        if before is None:
            raise DeploymentFailedError(f"CloudFormation sees nothing to make in stack {wanted.name}")
        self._screen.say(f"stack {wanted.name}: nothing to change", kind="good")
        return before


def wanted_bootstrap(name: str, templates: Mapping[str, Template], *, values: Mapping[str, str]) -> Wanted:
    """Return the bootstrap stack *name* as it is wanted, with those of *values* that it declares."""
    template = templates[BOOTSTRAP]
    return Wanted(
        name=name,
        # There is no bucket yet to read a template from.
        template={"TemplateBody": template.body.decode()},
        parameters={key: value for key, value in values.items() if key in template.parameters},
        tags=_tags(values),
        nested=False,
    )


def wanted_root(name: str, templates: Mapping[str, Template], *, url: str, values: Mapping[str, str]) -> Wanted:
    """Return the root stack *name* as it is wanted: templates at *url*, those of *values* that it declares."""
    declared = templates[ROOT].parameters
    return Wanted(
        name=name,
        template={"TemplateURL": f"{url}/{ROOT}"},
        parameters={key: value for key, value in values.items() if key in declared},
        tags=_tags(values),
        nested=True,
    )


def _tags(values: Mapping[str, str]) -> Mapping[str, str]:
    # Passed on by CloudFormation to all that it makes: whose it is, and what costs belong to.
    return {"project": values["Project"], "environment": values["Environment"]}
