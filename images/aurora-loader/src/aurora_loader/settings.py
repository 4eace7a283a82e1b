"""The settings of the aurora-loader."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddb2aurora.database.settings import DatabaseSettings, read_database_settings
from ddb2aurora.settings import SettingsReader

LOAD_MODES: Final = ("s3", "local")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the aurora-loader is told by its environment."""

    pipeline: str
    """Name of the pipeline (`PIPELINE`)."""
    pipelines_folder: Path
    """Where the compiled pipelines are (`PIPELINES_FOLDER`)."""
    database: DatabaseSettings
    """How to reach the database (`DB_...`)."""
    load_mode: str
    """`s3`: Aurora reads the object itself; `local`: the loader sends it (`LOAD_MODE`)."""
    load_manifest: bool
    """Whether objects that an event announces together are loaded by one statement (`LOAD_MANIFEST`)."""
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
            database=read_database_settings(reader),
            load_mode=reader.choice("LOAD_MODE", what="who reads the objects", choices=LOAD_MODES, default="s3"),
            load_manifest=_is_on(reader, "LOAD_MANIFEST", what="whether objects of one event are loaded together"),
            metrics_namespace=reader.metrics_namespace(),
            log_level=reader.log_level(),
        )
        if settings.load_manifest and settings.load_mode != "s3":
            reader.report("LOAD_MANIFEST is 'on', but only Aurora reads manifests: set LOAD_MODE to s3")
        reader.finish()
        return settings


def _is_on(reader: SettingsReader, name: str, *, what: str) -> bool:
    return reader.choice(name, what=what, choices=("off", "on"), default="off") == "on"
