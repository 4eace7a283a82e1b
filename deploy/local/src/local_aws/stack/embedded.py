"""
The embedded stack: the whole path on one machine without Docker.

MiniStack serves DynamoDB, its streams, S3, SNS and SQS; a private MySQL or MariaDB server stands for Aurora, behind the
proxy that understands `LOAD DATA FROM S3`; the three functions run in processes of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.migrate import migrate
from ddb2aurora.database.settings import DatabaseSettings, read_database_settings
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.settings import SettingsReader
from local_aws.aurora.proxy import AuroraProxy
from local_aws.faults import NO_FAULTS, Faults
from local_aws.firehose import FirehoseServer
from local_aws.functions import Function
from local_aws.lambda_api import LambdaServer, Served
from local_aws.services.database import DatabaseServer
from local_aws.services.ministack import MiniStack
from local_aws.stack import resources
from local_aws.stack.clients import Clients
from local_aws.stack.pipeline import LocalPipeline, Wiring


class EmbeddedStack:
    """Run *pipelines* end to end, from `with` to its end; nothing is left behind."""

    def __init__(
        self,
        pipelines: Sequence[Pipeline],
        *,
        load_mode: Literal["s3", "local"] = "s3",
        buffer_seconds: int = 1,
        cache: Path | None = None,
        faults: Faults = NO_FAULTS,
        concurrency: Mapping[str, int] | None = None,
        before_pipelines: Callable[[Clients], None] = lambda _: None,
    ) -> None:
        """
        Prepare a stack.

        *load_mode* is how the loader loads: by the statement of Aurora, or by the fallback of any MySQL. Delivery
        streams write an object every *buffer_seconds*. *cache* keeps what makes the next start of the database quick.
        *before_pipelines* is called before any change is carried, such as to make a table that has items already.
        """
        self._pipelines = tuple(pipelines)
        self._load_mode = load_mode
        self._buffer_seconds = buffer_seconds
        self._cache = cache
        self._faults = faults
        self._concurrency = concurrency
        self._before_pipelines = before_pipelines
        self.running: dict[str, LocalPipeline] = {}

    def __enter__(self) -> Self:
        """
        Start everything, and return when changes are carried.

        Raises:
            LocalServiceError: A service did not start; the text says why.
            HaltError: The database cannot take the pipelines' tables.
        """
        with ExitStack() as started:
            self.ministack = started.enter_context(MiniStack())
            # Inside a folder that somebody removes even when this process is killed.
            self.folder = self.ministack.folder / "stack"
            self.folder.mkdir()
            self.database = started.enter_context(DatabaseServer(cache=self._cache))
            aws = dict(self.ministack.environment)
            s3 = Clients(aws).s3
            self.proxy = started.enter_context(
                AuroraProxy(
                    s3=s3,
                    server_host=self.database.host,
                    server_port=self.database.port,
                    files=self.database.files,
                    faults=self._faults,
                )
            )
            self.firehose = FirehoseServer(
                s3=s3, resolve_function=self._function, faults=self._faults, journal=self.folder / "firehose"
            )
            self.firehose.start()
            started.callback(self.firehose.stop)
            aws["AWS_ENDPOINT_URL_FIREHOSE"] = self.firehose.url
            self.lambda_api = started.enter_context(LambdaServer(functions=self._functions))
            aws["AWS_ENDPOINT_URL_LAMBDA"] = self.lambda_api.url
            self.clients = Clients(aws)
            self._aws = aws
            resources.make_bucket(self.clients, bucket=resources.BUCKET)
            resources.announce_failures(self.clients, bucket=resources.BUCKET)
            for pipeline in self._pipelines:
                self._migrate(pipeline)
            wiring = Wiring(
                clients=self.clients,
                function_environment={**aws, **self._database_environment(), "TMPDIR": str(self.folder)},
                folder=self.folder,
                buffer_seconds=self._buffer_seconds,
                faults=self._faults,
                concurrency=self._concurrency,
            )
            self._before_pipelines(self.clients)
            self.running |= {pipeline.name: LocalPipeline(pipeline, wiring) for pipeline in self._pipelines}
            started.callback(self._stop_pipelines)
            for running in self.running.values():
                running.start()
            self._started = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything, last started first, and remove what it wrote."""
        self._started.close()

    def database_settings(self) -> DatabaseSettings:
        """Return how the database is reached."""
        reader = SettingsReader(self._database_environment())
        settings = read_database_settings(reader)
        reader.finish()
        return settings

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with which a user, a tool or a test talks to this stack."""
        first = self._pipelines[0]
        return {
            **self._aws,
            **self._database_environment(),
            "MYSQL_HOST": self.proxy.host,
            "MYSQL_PORT": str(self.proxy.port),
            "MYSQL_USER": self.database.user,
            "MYSQL_PASSWORD": self.database.password,
            "MYSQL_DATABASE": first.target_database,
            "PIPELINE": first.name,
            "BUCKET_NAME": resources.BUCKET,
            "DELIVERY_STREAM_NAME": first.name,
            **self.running[first.name].environment,
        }

    def _migrate(self, pipeline: Pipeline) -> None:
        connection, server = connect(self.database_settings())
        try:
            migrate(connection, pipeline, server=server, database=pipeline.target_database)
        finally:
            close_quietly(connection)

    def _database_environment(self) -> dict[str, str]:
        return {
            "DB_HOST": self.proxy.host,
            "DB_PORT": str(self.proxy.port),
            "DB_USER": self.database.user,
            "DB_PASSWORD": self.database.password,
            "DB_TLS": "off",
            "LOAD_MODE": self._load_mode,
        }

    def _stop_pipelines(self) -> None:
        # Each waits until a long poll of its queue is answered, so all of them at once.
        with ThreadPoolExecutor() as pool:
            for stopping in [pool.submit(running.stop) for running in self.running.values()]:
                stopping.result()

    def _functions(self) -> Mapping[str, Served]:
        running = list(self.running.values())
        return {name: served for pipeline in running for name, served in pipeline.functions.items()}

    def _function(self, arn: str) -> Function:
        for running in self.running.values():
            if running.transformer.arn == arn:
                return running.transformer
        raise LookupError(arn)
