"""The settings of the firehose-transformer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.settings import SettingsError, SettingsReader


@dataclass(frozen=True, slots=True)
class Settings:
    """What the firehose-transformer is told by its environment."""

    pipeline: str
    """Name of the pipeline (`PIPELINE`)."""
    pipelines_folder: Path
    """Where the compiled pipelines are (`PIPELINES_FOLDER`)."""
    bucket_name: str | None
    """The bucket whose `failed/` keeps rejects of packed records (`BUCKET_NAME`)."""
    metrics_namespace: str
    """The namespace of the metrics that are emitted (`METRICS_NAMESPACE`)."""
    log_level: str
    """The lowest level that is logged (`LOG_LEVEL`)."""

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """
        Return the settings in *environment*.

        Raises:
            SettingsError: Variables are missing or bad; the error names all of them.
        """
        reader = SettingsReader(environment)
        settings = cls(
            pipeline=reader.text("PIPELINE", what="the name of a pipeline"),
            pipelines_folder=reader.pipelines_folder(),
            bucket_name=reader.optional("BUCKET_NAME"),
            metrics_namespace=reader.metrics_namespace(),
            log_level=reader.log_level(),
        )
        reader.finish()
        return settings

    def bucket_of(self, pipeline: Pipeline) -> str | None:
        """
        Return the bucket for rejects; None if there is none, which only a *pipeline* that does not pack may lack.

        Raises:
            SettingsError: The pipeline packs, and there is no bucket.
        """
        if pipeline.packing and self.bucket_name is None:
            raise SettingsError(
                f"bad settings:\n  BUCKET_NAME is missing: pipeline {pipeline.name} has packing: on, so set it to the "
                "bucket that holds processed/ and failed/"
            )
        return self.bucket_name
