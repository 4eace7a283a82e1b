"""
Where a command works: its pipeline, the database, the bucket and the functions, as the environment names them.

A command says what it needs and gets all mistakes of the settings at once, before it does anything. The same variables
lead it to the embedded stack, to compose and to AWS; endpoints are the SDK's own.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.settings import SettingsReader, process_environment
from operator_cli.pipelines import find_pipeline

if TYPE_CHECKING:
    from ddb2aurora.database.connection import DatabaseConnection
    from ddb2aurora.database.schema import Tables
    from ddb2aurora.database.server import Server
    from ddb2aurora.database.settings import DatabaseSettings


class Setting(Enum):
    """A setting: its variable, and what belongs there."""

    BUCKET = "BUCKET_NAME"
    DELIVERY_STREAM = "DELIVERY_STREAM_NAME"
    LOADER = "AURORA_LOADER_FUNCTION"
    STREAM_PROCESSOR = "STREAM_PROCESSOR_FUNCTION"
    LOADER_FAILURES = "LOADER_FAILURES_QUEUE_URL"
    METRICS_NAMESPACE = "METRICS_NAMESPACE"


_WHAT: Mapping[Setting, str] = {
    Setting.BUCKET: "the bucket that holds processed/ and failed/",
    Setting.DELIVERY_STREAM: "the name of the delivery stream",
    Setting.LOADER: "the name or the ARN of the aurora-loader function",
    Setting.STREAM_PROCESSOR: "the name or the ARN of the stream-processor function",
    Setting.LOADER_FAILURES: "the URL of the queue that takes the events which the loader failed for good",
    Setting.METRICS_NAMESPACE: "the namespace of the functions' metrics",
}


class Database(NamedTuple):
    """An open connection, the *server* it leads to, the *name* of the database there, and the pipeline's *tables*."""

    connection: "DatabaseConnection"
    server: "Server"
    name: str
    tables: "Tables"


class Site:
    """Where a command works."""

    def __init__(
        self, pipeline: Pipeline, *, settings: Mapping[Setting, str], database: "DatabaseSettings | None" = None
    ) -> None:
        """Work for *pipeline* with *settings*; a command that needs none has no *database*."""
        self.pipeline = pipeline
        self._settings = settings
        self._database = database

    @classmethod
    def of(
        cls,
        pipeline: str,
        *,
        folder: Path,
        needs: Collection[Setting] = (),
        database: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """
        Return where to work for *pipeline*, whose file is in *folder*, out of *environment* (this process's).

        Settings that are not among *needs* may be missing. Nothing is connected to yet.

        Raises:
            SettingsError: Variables are missing or bad; the error names all of them.
            UnknownPipelineError: There is no such pipeline.
            PipelineFileError: Its file has mistakes.
        """
        found = find_pipeline(pipeline, folder=folder)
        reader = SettingsReader(process_environment() if environment is None else environment)
        settings = {
            setting: reader.text(setting.value, what=_WHAT[setting], default=None if setting in needs else "")
            for setting in Setting
            if setting in needs or reader.optional(setting.value) is not None
        }
        database_settings = None
        if database:
            from ddb2aurora.database.settings import read_database_settings  # noqa: PLC0415 - few bytes, as the rest

            database_settings = read_database_settings(reader)
        reader.finish()
        return cls(found, settings=settings, database=database_settings)

    def __getitem__(self, setting: Setting) -> str:
        """Return a setting that the command needs."""
        return self._settings[setting]

    def get(self, setting: Setting) -> str | None:
        """Return a setting that the command can do without, None when it is missing."""
        return self._settings.get(setting)

    @property
    def database_name(self) -> str:
        """The database that holds the target: DB_NAME, or what the pipeline file says."""
        named = None if self._database is None else self._database.name
        return named or self.pipeline.target_database

    @property
    def database_settings(self) -> "DatabaseSettings":
        """How to reach the database, for a command that was opened with one."""
        if self._database is None:
            raise LookupError("this command was opened without a database")
        return self._database

    @contextmanager
    def database(self) -> Iterator[Database]:
        """
        Open a connection for as long as the block lasts; a thread that works at the same time needs one of its own.

        The driver's errors come out as ours.

        Raises:
            DatabaseRetryError: The server cannot be reached, or cannot do it now.
            DatabaseHaltError: The server refuses.
            OldServerError: The server is too old.
            SecretError: The secret does not hold credentials.
            SecretUnavailableError: The secret cannot be read.
        """
        import pymysql  # noqa: PLC0415 - the driver is only imported by commands that connect

        from ddb2aurora.database.connect import close_quietly, connect  # noqa: PLC0415 - as above
        from ddb2aurora.database.errors import as_our_error  # noqa: PLC0415 - as above
        from ddb2aurora.database.schema import tables_of  # noqa: PLC0415 - as above

        settings = self.database_settings
        connection, server = connect(settings)
        try:
            name = self.database_name
            tables = tables_of(self.pipeline, database=name, key_collation=server.key_collation)
            yield Database(connection, server, name, tables)
        except pymysql.err.Error as error:
            raise as_our_error(error, operation="a statement", where=settings.address) from error
        finally:
            close_quietly(connection)
