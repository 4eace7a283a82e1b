"""The settings of the firehose-transformer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ddb2aurora.settings import SettingsReader


@dataclass(frozen=True, slots=True)
class Settings:
    """What the firehose-transformer is told by its environment."""

    pipeline: str
    """Name of the pipeline (`PIPELINE`)."""
    pipelines_folder: Path
    """Where the compiled pipelines are (`PIPELINES_FOLDER`)."""
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
            log_level=reader.log_level(),
        )
        reader.finish()
        return settings
