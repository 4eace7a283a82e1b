"""What `local_aws` is told when it runs as a container beside the other parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from ddb2aurora.database.settings import DatabaseSettings, read_database_settings
from ddb2aurora.settings import SettingsReader
from local_aws.runtime.containers import Containers

STAGES: Final = ("stream-processor", "firehose-transformer", "aurora-loader")
_MOST_REPLICAS: Final = 100
_MOST_SECONDS: Final = 900  # of buffering, at Firehose
_MOST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeSettings:
    """
    Where the parts are.

    Read from `PIPELINE` and `PIPELINES_FOLDER`; `DB_…`: the database, as for the loader; `STATE_FOLDER`: what has to
    outlive the container; `FIREHOSE_PORT`: where the delivery streams listen; `LAMBDA_PORT`: where functions are
    invoked; `BUFFER_SECONDS`: how often the streams write; `FUNCTION_ADDRESS`: the URL of a container, with `{stage}`
    and `{replica}` in it; `STREAM_PROCESSOR_REPLICAS`, `FIREHOSE_TRANSFORMER_REPLICAS`, `AURORA_LOADER_REPLICAS`: how
    many there are. Endpoints and credentials are the AWS SDK's own variables.
    """

    pipeline: str
    pipelines_folder: Path
    database: DatabaseSettings
    state_folder: Path
    firehose_port: int
    lambda_port: int
    buffer_seconds: int
    containers: Containers

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """
        Return the settings in *environment*.

        Raises:
            SettingsError: Variables are missing or bad; the error names all of them.
        """
        reader = SettingsReader(environment)
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            reader.text(name, what="what the AWS SDK needs to reach the emulator")
        settings = cls(
            pipeline=reader.text("PIPELINE", what="the name of a pipeline"),
            pipelines_folder=reader.pipelines_folder(),
            database=read_database_settings(reader),
            state_folder=Path(reader.text("STATE_FOLDER", what="a folder", default="/var/lib/local-aws")),
            firehose_port=reader.integer("FIREHOSE_PORT", what="a port", low=1, high=_MOST_PORT, default=4573),
            lambda_port=reader.integer("LAMBDA_PORT", what="a port", low=1, high=_MOST_PORT, default=4574),
            buffer_seconds=reader.integer(
                "BUFFER_SECONDS", what="how often objects are written", low=0, high=_MOST_SECONDS, default=1
            ),
            containers=Containers(
                address=reader.text("FUNCTION_ADDRESS", what="a URL with {stage} and {replica} in it"),
                replicas={stage: _replicas(reader, stage) for stage in STAGES},
            ),
        )
        reader.finish()
        return settings


def _replicas(reader: SettingsReader, stage: str) -> int:
    name = f"{stage.replace('-', '_').upper()}_REPLICAS"
    return reader.integer(name, what="how many containers the stage has", low=1, high=_MOST_REPLICAS, default=1)
