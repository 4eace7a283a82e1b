"""The settings of the stream-processor."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ddb2aurora.settings import SettingsReader


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stream-processor is told by its environment."""

    pipeline: str
    """Name of the pipeline (`PIPELINE`)."""
    pipelines_folder: Path
    """Where the compiled pipelines are (`PIPELINES_FOLDER`)."""
    delivery_stream_name: str
    """The delivery stream that takes the changes (`DELIVERY_STREAM_NAME`)."""
    bucket_name: str
    """The bucket whose `failed/` keeps what is too large for Firehose (`BUCKET_NAME`)."""
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
            delivery_stream_name=reader.text("DELIVERY_STREAM_NAME", what="the name of the delivery stream"),
            bucket_name=reader.text("BUCKET_NAME", what="the bucket that holds processed/ and failed/"),
            metrics_namespace=reader.metrics_namespace(),
            log_level=reader.log_level(),
        )
        reader.finish()
        return settings
