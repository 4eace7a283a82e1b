"""All that is known before AWS is asked: the environment, its pipeline, the templates, and whether they agree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddb2aurora.pipeline import Pipeline
from deploy_aws.facts import FROM_THE_PIPELINE, FROM_THE_REGION, OVERRIDABLE, PIPELINES, find_pipeline, pipeline_facts
from deploy_aws.images import Images, parameter_of
from deploy_aws.parameters import PARAMETERS_FOLDER, Environment, check_values, read_environment
from deploy_aws.revision import REPOSITORY
from deploy_aws.smoke import SMOKE_FOLDER
from deploy_aws.templates import BOOTSTRAP, FOLDER, ROOT, Parameter, Template, read_templates

TEMPLATE_URL: Final = "TemplateUrl"
_DEFAULT_ARCHITECTURE: Final = "x86_64"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where to read and write; a test has its own."""

    templates: Path = FOLDER
    parameters: Path = PARAMETERS_FOLDER
    smoke: Path = SMOKE_FOLDER
    pipelines: Path = PIPELINES
    stages: Path = REPOSITORY / "images"
    local: Path = REPOSITORY / ".local"


@dataclass(frozen=True, slots=True)
class Site:
    """An environment that has been checked against its pipeline and the templates."""

    environment: Environment
    pipeline: Pipeline
    templates: Mapping[str, Template]
    folders: Folders

    @property
    def images_file(self) -> Path:
        """Where push-images writes the digests."""
        return self.folders.local / self.environment.name / "images.json"

    @property
    def root_parameters(self) -> Mapping[str, Parameter]:
        """The parameters of the root stack."""
        return self.templates[ROOT].parameters

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have an image."""
        return _stages(self.folders)

    def values(self) -> Mapping[str, str]:
        """Return every value that is known by now; each stack takes those that it declares."""
        return {**_computed(self.environment, self.pipeline), **self.environment.given}

    def architecture(self, images: Images | None) -> str:
        """Return the architecture that images are wanted for, given those that are there."""
        pushed = images.architecture if images else _DEFAULT_ARCHITECTURE
        return self.environment.given.get("Architecture", pushed)


def read_site(name: str, *, folders: Folders) -> Site:
    """
    Return the environment *name*, checked: nothing has been asked of AWS by then.

    Raises:
        DeploymentSettingsError: A file is missing or has mistakes; those of the parameters are all named.
        UnknownPipelineError: There is no such pipeline.
        PipelineFileError: The pipeline file has mistakes.
    """
    environment = read_environment(name, folder=folders.parameters)
    templates = read_templates(folders.templates)
    pipeline = find_pipeline(environment.pipeline, folder=folders.pipelines)
    declared = {**templates[BOOTSTRAP].parameters, **templates[ROOT].parameters}
    computed = {key: value for key, value in _computed(environment, pipeline).items() if key in declared}
    check_values(environment, computed=computed, declared=declared, settled_later=found_out(_stages(folders)))
    return Site(environment=environment, pipeline=pipeline, templates=templates, folders=folders)


def found_out(stages: Iterable[str]) -> frozenset[str]:
    """Return the parameters that deploying finds out itself, given the *stages* that have an image."""
    own = frozenset({"Project", "Environment", TEMPLATE_URL})
    return own | FROM_THE_PIPELINE | FROM_THE_REGION | {parameter_of(stage) for stage in stages}


def _computed(environment: Environment, pipeline: Pipeline) -> Mapping[str, str]:
    own = {**pipeline_facts(pipeline), "Project": environment.project, "Environment": environment.name}
    return {key: value for key, value in own.items() if not (key in OVERRIDABLE and key in environment.given)}


def _stages(folders: Folders) -> tuple[str, ...]:
    return tuple(sorted(found.parent.name for found in folders.stages.glob("*/Dockerfile")))
