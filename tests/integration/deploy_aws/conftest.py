"""A small environment: templates like the real ones, with the parts that deploying itself touches, on the emulator."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy_aws.aws import Clients
from deploy_aws.deployment import Deployment, Options
from deploy_aws.destruction import Destruction
from deploy_aws.plan import Plan
from deploy_aws.screen import Screen
from deploy_aws.site import Folders, Site, read_site
from deploy_aws.supply import Sources
from deploy_aws.waiting import Waiter

TEMPLATES = Path(__file__).parent / "templates"
PIPELINES = Path(__file__).parents[3] / "pipelines"
STAGES = ("aurora-loader", "firehose-transformer", "operator", "stream-processor")
SERVICES = ("cloudformation", "dynamodb", "ec2", "ecr", "lambda", "logs", "rds", "s3", "sts")


@dataclass
class Small:
    """The small environment, and how to work with it."""

    aws: Any
    clients: Clients
    folders: Folders
    project: str
    pushed: list[dict[str, str]]
    text: io.StringIO
    commit: str | None = "head"

    @property
    def site(self) -> Site:
        return read_site("try", folders=self.folders)

    @property
    def stack(self) -> str:
        return f"{self.project}-try"

    @property
    def bucket(self) -> str:
        return f"{self.stack}-web-analytics-000000000000-{self.clients.region}"

    @property
    def screen(self) -> Screen:
        return Screen(Console(file=self.text, width=200, color_system=None))

    @property
    def said(self) -> str:
        return self.text.getvalue()

    def deploy(self, **options: Any) -> dict[str, str]:
        deployment = Deployment(
            self.site,
            self.clients,
            screen=self.screen,
            waiter=waiter(),
            options=Options(**{"smoke": False, **options}),
            sources=Sources(commit=lambda: self.commit, changed=lambda commit: commit != "head", push=self.push),
        )
        return dict(deployment.run())

    def plan(self) -> Any:
        return Plan(self.site, self.clients, screen=self.screen, waiter=waiter()).run()

    def destroy(self, *, confirm: Callable[[str], bool] = lambda _: True, **options: Any) -> Any:
        destruction = Destruction(
            self.site.environment, self.clients, screen=self.screen, waiter=waiter(), confirm=confirm
        )
        return destruction.run(**{"data": False, **options})

    def push(self, *, environment: str, registry: str, architecture: str) -> None:
        """Put an image of each stage into the registry, as `make push-images` does."""
        images = {stage: self.put_image(registry, stage) for stage in STAGES}
        self.pushed.append({"environment": environment, "registry": registry, "architecture": architecture})
        self.write_images({"commit": "head", "architecture": architecture, "images": images})

    def put_image(self, registry: str, stage: str, **tag: str) -> str:
        manifest = json.dumps({"schemaVersion": 2, "config": {"digest": f"{stage} {len(self.pushed)}"}})
        _, _, prefix = registry.partition("/")
        put = self.clients.ecr.put_image(repositoryName=f"{prefix}/{stage}", imageManifest=manifest, **tag)
        return f"{registry}/{stage}@{put['image']['imageId']['imageDigest']}"

    def write_images(self, document: dict[str, Any]) -> None:
        file = self.folders.local / "try" / "images.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document))

    def give(self, **parameters: Any) -> None:
        """Set parameters of the environment."""
        document = {"project": self.project, "pipeline": "web_analytics", "parameters": parameters}
        (self.folders.parameters / "try.json").write_text(json.dumps(document))

    def edit(self, template: str, before: str, after: str) -> None:
        """Change a template."""
        file = self.folders.templates / template
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def status(self, stack: str) -> str | None:
        pages = self.clients.cloudformation.get_paginator("list_stacks").paginate()
        summaries = [found for page in pages for found in page["StackSummaries"]]
        living = [found["StackStatus"] for found in summaries if found["StackName"] == stack]
        return next((status for status in living if status != "DELETE_COMPLETE"), None)


def waiter() -> Waiter:
    return Waiter(first_pause_seconds=0.02, longest_pause_seconds=0.1)


@pytest.fixture
def small(aws, tmp_path):
    """An environment of its own project, of which nothing is there yet."""
    project = aws.unique("p")[:14]
    folders = Folders(
        templates=tmp_path / "templates",
        parameters=tmp_path / "parameters",
        smoke=tmp_path / "smoke",
        pipelines=tmp_path / "pipelines",
        stages=tmp_path / "images",
        local=tmp_path / "local",
    )
    for folder in (folders.templates, folders.parameters, folders.smoke, folders.pipelines):
        folder.mkdir()
    for file in TEMPLATES.iterdir():
        (folders.templates / file.name).write_bytes(file.read_bytes())
    for file in PIPELINES.iterdir():
        text = file.read_text().replace("table: web_analytics", f"table: {project}-visits")
        (folders.pipelines / file.name).write_text(text)
    for stage in STAGES:
        (folders.stages / stage).mkdir(parents=True)
        (folders.stages / stage / "Dockerfile").touch()
    found = {name: aws.client(name) for name in SERVICES}
    found["functions"] = found.pop("lambda")
    clients = Clients(region=aws.region, **found)
    environment = Small(aws=aws, clients=clients, folders=folders, project=project, pushed=[], text=io.StringIO())
    environment.give()
    return environment
