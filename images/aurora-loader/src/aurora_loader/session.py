"""The one connection of an execution environment: kept from invocation to invocation, checked before each use."""

from collections.abc import Callable

import pymysql

from aurora_loader.sources import Source
from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.migrate import check_tables
from ddb2aurora.database.server import Server
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name

Connect = Callable[[DatabaseSettings], tuple[DatabaseConnection, Server]]


class Session:
    """A connection that is opened when it is needed and opened again when it was lost."""

    def __init__(
        self, settings: DatabaseSettings, *, pipeline: Pipeline, source: Source, connect: Connect = connect
    ) -> None:
        """Connect by *settings*, for loads of *pipeline* by way of *source*."""
        self._settings = settings
        self._pipeline = pipeline
        self._source = source
        self._connect = connect
        self._open: tuple[DatabaseConnection, Server] | None = None

    @property
    def database(self) -> str:
        """The database of the tables."""
        return self._settings.name or self._pipeline.target_database

    def get(self) -> tuple[DatabaseConnection, Server]:
        """
        Return a connection that answered just now and leads to tables that match the pipeline.

        Raises:
            HaltError: The server refuses, or its tables are not what the pipeline needs.
            RetryError: The server cannot be reached now.
            pymysql.err.Error: The connection was lost at once.
        """
        if self._open is not None:
            try:
                self._open[0].ping(reconnect=False)
            except pymysql.err.Error:
                self.drop()
        if self._open is None:
            self._open = self._connect(self._settings)
            connection, server = self._open
            try:
                for statement in self._source.set_up:
                    connection.run(statement)
                check_tables(connection, self._pipeline, server=server, database=self.database)
                # A DELETE of several tables resolves its aliases in the selected database, and needs one.
                connection.run(f"USE {quote_name(self.database)}")
            except BaseException:
                self.drop()
                raise
        return self._open

    def drop(self) -> None:
        """Close the connection; the next use opens another."""
        if self._open is not None:
            close_quietly(self._open[0])
            self._open = None
