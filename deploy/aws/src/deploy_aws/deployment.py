"""
One command from nothing to a running pipeline, and from any state to the one that is wanted.

Bootstrap stack, images, templates, root stack in its phases with the migration among them, outputs, smoke test. Each
step looks at what is there and does what is missing, so that the command can be run again after anything.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from deploy_aws.artifacts import upload_templates
from deploy_aws.aws import Clients
from deploy_aws.errors import DeploymentFailedError
from deploy_aws.facts import account_facts, check_room
from deploy_aws.functions import run_operator
from deploy_aws.images import image_values
from deploy_aws.phases import FLOW, phases
from deploy_aws.rollout import Rollout, wanted_bootstrap, wanted_root
from deploy_aws.screen import Screen
from deploy_aws.site import TEMPLATE_URL, Site
from deploy_aws.smoke import Smoke, SmokeTarget, read_smoke_item
from deploy_aws.stacks import Stack
from deploy_aws.statuses import Step, next_step
from deploy_aws.supply import REAL_SOURCES, Push, Sources, Supply
from deploy_aws.waiting import Waiter

_USUAL_BUFFER_SECONDS = 60.0
_WAKING_SECONDS = 480.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose."""

    push: Push = "auto"
    smoke: bool = True
    continue_rollback: bool = False
    smoke_seconds: float | None = None


class Deployment:
    """Bring one environment to what its files say."""

    def __init__(
        self,
        site: Site,
        clients: Clients,
        *,
        screen: Screen,
        waiter: Waiter,
        options: Options,
        sources: Sources = REAL_SOURCES,
    ) -> None:
        """Bring *site* up with *clients*; *sources* are what images are built from."""
        self._site = site
        self._clients = clients
        self._screen = screen
        self._options = options
        self._supply = Supply(site, clients.ecr, screen=screen, sources=sources)
        self._waiter = waiter
        self._rollout = Rollout(clients.cloudformation, waiter=waiter, screen=screen)

    def run(self) -> Mapping[str, str]:
        """
        Do what is missing, and return the outputs of the root stack.

        Raises:
            DeploymentSettingsError: Something has to be decided or mended here before it can work.
            DeploymentFailedError: AWS did not do it; the same command goes on from there.
            ClientError: AWS refuses.
        """
        environment = self._site.environment
        account = self._clients.sts.get_caller_identity()["Account"]
        self._screen.say(f"{environment.stack}: account {account}, region {self._clients.region}", kind="title")
        declared = self._site.root_parameters
        facts = account_facts(self._clients, self._site.values(), account=account, declared=declared)
        values = {**self._site.values(), **facts}
        if self._rollout.stacks.find(environment.stack) is None:
            check_room(self._clients, values, declared=declared)
        bootstrap = self._bring_bootstrap()
        images = self._supply.images(bootstrap.outputs["RepositoryPrefix"], push=self._options.push)
        root = self._bring_root(bootstrap.outputs["ArtifactBucket"], {**values, **image_values(images)})
        if self._options.smoke:
            self._smoke(root)
        return root.outputs

    def _bring_bootstrap(self) -> Stack:
        wanted = wanted_bootstrap(
            self._site.environment.bootstrap_stack, self._site.templates, values=self._site.values()
        )
        return self._rollout.bring(wanted, continue_rollback=self._options.continue_rollback)

    def _bring_root(self, bucket: str, values: Mapping[str, str]) -> Stack:
        site = self._site
        url = upload_templates(self._clients.s3, site.templates.values(), bucket=bucket)
        wanted = wanted_root(site.environment.stack, site.templates, url=url, values={**values, TEMPLATE_URL: url})
        before = self._rollout.stacks.prepare(wanted.name, continue_rollback=self._options.continue_rollback)
        # A creation that has not ended has no tables yet either.
        grown = before is not None and next_step(before.status) is not Step.RESUME and self._let_flow(before)
        flow = site.root_parameters.get(FLOW)
        planned = phases(
            wanted.parameters,
            deployed=before.parameters if before is not None and grown else None,
            flow=None if flow is None else flow.default,
        )
        for phase in planned:
            if len(planned) > 1:
                self._screen.say(f"phase: {phase.title}", kind="title")
            before = self._rollout.bring(replace(wanted, parameters=phase.parameters))
            if phase.migrates:
                self._migrate(before.outputs)
        if before is None:
            raise DeploymentFailedError(f"stack {wanted.name}: nothing to do, and nothing there")
        return before

    def _let_flow(self, before: Stack) -> bool:
        # Off by our own first phase, not by whoever wrote the environment's file: the migration is still to come.
        return before.parameters.get(FLOW, "on") == "on" or self._site.environment.given.get(FLOW) == "off"

    def _migrate(self, outputs: Mapping[str, str]) -> None:
        meanwhile = "the migration goes on in Lambda; the same command runs it again, which is safe"
        with self._screen.doing("migrating the database", meanwhile=meanwhile):
            output = run_operator(self._clients.functions, outputs["MigrateFunction"], "migrate")
            for name, value in output.items():
                self._screen.say(f"  {name}: {value}")

    def _smoke(self, root: Stack) -> None:
        outputs, buffer = root.outputs, float(root.parameters.get("BufferSeconds") or _USUAL_BUFFER_SECONDS)
        # Twice what Firehose may hold a change back, and as much as a database needs that has to wake up first.
        usual = 2 * buffer + _WAKING_SECONDS
        smoke = Smoke(
            self._clients, screen=self._screen, waiter=self._waiter, seconds=self._options.smoke_seconds or usual
        )
        pipeline = self._site.pipeline
        item = read_smoke_item(pipeline.name, run=time.time_ns() // 1_000_000, folder=self._site.folders.smoke)
        # An event log has no row that comes and goes with an item.
        if item is None or pipeline.mode == "append":
            smoke.heartbeat(outputs["OperatorFunction"])
            return
        target = SmokeTarget(table=outputs["TableName"], key=pipeline.source_key, function=outputs["OperatorFunction"])
        smoke.put_and_delete(target, item)
