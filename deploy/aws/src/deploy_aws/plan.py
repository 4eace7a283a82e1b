"""What a deployment would change, found out without changing anything: change sets are made, read and deleted again."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy_aws.artifacts import upload_templates
from deploy_aws.aws import Clients
from deploy_aws.change_sets import Change
from deploy_aws.errors import DeploymentFailedError
from deploy_aws.facts import account_facts
from deploy_aws.images import PLACEHOLDER, image_values, parameter_of, read_images
from deploy_aws.rollout import Rollout, Wanted, wanted_bootstrap, wanted_root
from deploy_aws.screen import Screen
from deploy_aws.site import TEMPLATE_URL, Site
from deploy_aws.stacks import Stack
from deploy_aws.statuses import Step, next_step
from deploy_aws.templates import BOOTSTRAP
from deploy_aws.waiting import Waiter


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What would be done to one stack; *changes* may be empty although something changes that is no resource."""

    stack: str
    creates: bool
    differs: bool
    changes: tuple[Change, ...] = ()

    def as_json(self) -> Mapping[str, Any]:
        """Return the plan in values that JSON has."""
        return {
            "stack": self.stack,
            "creates": self.creates,
            "differs": self.differs,
            "changes": [{name: getattr(change, name) for name in Change.__slots__} for change in self.changes],
        }


class Plan:
    """Find out what a deployment of one environment would change."""

    def __init__(self, site: Site, clients: Clients, *, screen: Screen, waiter: Waiter) -> None:
        """Ask with *clients*."""
        self._site = site
        self._clients = clients
        self._screen = screen
        self._rollout = Rollout(clients.cloudformation, waiter=waiter, screen=screen)

    def run(self) -> tuple[StackPlan, ...]:
        """
        Return the plans of the bootstrap stack and of the root stack.

        Raises:
            DeploymentFailedError: A stack is in no state to be planned, or CloudFormation cannot say.
            DeploymentSettingsError: Something has to be mended here.
            ClientError: AWS refuses.
        """
        site = self._site
        stacks = self._rollout.stacks
        account = self._clients.sts.get_caller_identity()["Account"]
        self._screen.say(f"{site.environment.stack}: account {account}, region {self._clients.region}", kind="title")
        bootstrap = stacks.find(site.environment.bootstrap_stack)
        first = self._plan(
            wanted_bootstrap(site.environment.bootstrap_stack, site.templates, values=site.values()), bootstrap
        )
        if first.creates or bootstrap is None:
            self._screen.say("the artifact bucket is not there yet: the rest is shown as the templates say it")
            return first, self._as_the_templates_say()
        root = stacks.find(site.environment.stack)
        url = upload_templates(self._clients.s3, site.templates.values(), bucket=bootstrap.outputs["ArtifactBucket"])
        values = {
            **site.values(),
            **account_facts(self._clients, site.values(), account=account, declared=site.root_parameters),
            **self._images(root),
            TEMPLATE_URL: url,
        }
        return first, self._plan(wanted_root(site.environment.stack, site.templates, url=url, values=values), root)

    def _plan(self, wanted: Wanted, before: Stack | None) -> StackPlan:
        step = next_step(before.status if before else None)
        if before is not None and step in {Step.WAIT, Step.CONTINUE_ROLLBACK, Step.FINISH_DELETE}:
            raise DeploymentFailedError(f"{before.name} is {before.status}: it cannot be planned before that has ended")
        if before is not None and step is Step.REMAKE:
            self._screen.say(f"{before.name} is {before.status}: it would be deleted and made anew", kind="warning")
            return StackPlan(stack=wanted.name, creates=True, differs=True)
        creates = step in {Step.CREATE, Step.DISCARD}
        with self._leaving_nothing(wanted.name, creates=creates):
            change_set = self._rollout.make_change_set(wanted, creates=creates)
            if change_set is None:
                return StackPlan(stack=wanted.name, creates=creates, differs=False)
            self._rollout.change_sets.delete(change_set)
        return StackPlan(stack=wanted.name, creates=creates, differs=True, changes=change_set.changes)

    @contextlib.contextmanager
    def _leaving_nothing(self, name: str, *, creates: bool) -> Iterator[None]:
        try:
            yield
        finally:
            # A change set that creates leaves an empty stack, which stays when the change set goes.
            left = self._rollout.stacks.find(name) if creates else None
            if left is not None and left.status == "REVIEW_IN_PROGRESS":
                self._clients.cloudformation.delete_stack(StackName=left.id)

    def _images(self, root: Stack | None) -> Mapping[str, str]:
        pushed = read_images(self._site.images_file)
        if pushed is not None:
            return image_values(pushed)
        self._screen.say("no images have been pushed from here: planned with those that are deployed", kind="warning")
        deployed = root.parameters if root else {}
        names = [parameter_of(stage) for stage in self._site.stages]
        return {
            **{name: deployed.get(name) or PLACEHOLDER for name in names},
            "Architecture": self._site.environment.given.get("Architecture", deployed.get("Architecture", "x86_64")),
        }

    def _as_the_templates_say(self) -> StackPlan:
        changes = tuple(
            Change(
                stack=template.name.removesuffix(".yaml"),
                action="Add",
                resource=name,
                type=resource.type,
                replacement="",
                why=f"if {resource.condition}" if resource.condition else "",
                physical_id="",
            )
            for template in self._site.templates.values()
            if template.name != BOOTSTRAP
            for name, resource in template.resources.items()
        )
        return StackPlan(stack=self._site.environment.stack, creates=True, differs=True, changes=changes)
