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
            log_level=reader.log_level(),
        )
        reader.finish()
        return settings
