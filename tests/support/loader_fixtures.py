"""What tests of the loader need: a pipeline, its tables, objects of rows, and a loader whose clock does not move."""
# ruff: noqa: S608 - tests name their own tables

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aurora_loader.load import Loader
from aurora_loader.session import Session
from ddb2aurora.column_types import parse_column_type
from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.migrate import migrate
from ddb2aurora.database.schema import tables_of
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.dialect import Row, encode_row
from ddb2aurora.pipeline import Column, Pipeline
from ddb2aurora.settings import Secret
from ddb2aurora.sql import quote_name


def a_column(name: str, sql_type: str, *, nullable: bool = True, path: tuple[str, ...] | None = None) -> Column:
    return Column(name=name, type=parse_column_type(sql_type), source=name, path=path or (name,), nullable=nullable)


def a_pipeline(
    *columns: Column, key: tuple[str, ...] = ("id",), database: str = "test", max_reject_share: float = 0.5, **parts
) -> Pipeline:
    """Return a pipeline with a text key and a text value, unless columns are given."""
    arguments: dict[str, Any] = {
        "name": "things",
        "source_table": "things",
        "source_key": key,
        "documents": (),
        "target_database": database,
        "target_table": "Things",
        "mode": "mirror",
        "on_ttl_delete": "delete",
        "max_reject_share": max_reject_share,
        "columns": columns or (a_column("id", "varchar(40)"), a_column("name", "varchar(40)")),
    }
    return Pipeline(**{**arguments, **parts})


def an_upsert(pipeline: Pipeline, version: int, *fields: str | None, changed_at_ms: int | None = 1000) -> Row:
    return Row(pipeline.shape, "U", version, changed_at_ms, fields)


def a_delete(pipeline: Pipeline, version: int, *fields: str | None, changed_at_ms: int | None = 1000) -> Row:
    padding = (None,) * (len(pipeline.columns) - len(fields))
    return Row(pipeline.shape, "D", version, changed_at_ms, (*fields, *padding))


def a_soft_delete(pipeline: Pipeline, version: int, *fields: str | None, changed_at_ms: int | None = 1000) -> Row:
    return a_delete(pipeline, version, *fields, changed_at_ms=changed_at_ms)._replace(operation="S")


def an_object(key: str = "processed/things/a.csv", **parts: Any) -> ObjectRef:
    return ObjectRef(**{"bucket": "bucket", "key": key, "etag": "e1", **parts})


class FrozenTime:
    """Time that passes only in sleep, and the least of luck."""

    def __init__(self, *, seconds_left: float = 600) -> None:
        self.pauses: list[float] = []
        self._left = seconds_left

    def seconds_left(self) -> float:
        return self._left - sum(self.pauses)

    def monotonic(self) -> float:
        return sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def random(self) -> float:
        return 1.0


class MemorySource:
    """Objects in memory, sent as the loader sends those of S3; `before` runs when one is about to be sent."""

    set_up: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.before = lambda: None

    def load(self, connection, ref, *, into):
        self.before()
        return connection.run_local(f"LOAD DATA LOCAL INFILE {{file}} {into}", [self.objects[ref.key]])


class Target:
    """A migrated database of one pipeline, a loader of it, and what it holds."""

    def __init__(self, database, pipeline: Pipeline) -> None:
        self.database = database
        self.pipeline = msgspec.structs.replace(pipeline, target_database=database.name)
        self.settings = DatabaseSettings(
            host=database.host, port=database.port, name=None, user=database.user, password=Secret(database.password)
        )
        self._opened = []
        self.connection, self.server = self.connect()
        self.tables = tables_of(self.pipeline, database=database.name, key_collation=self.server.key_collation)
        self.migrated = migrate(self.connection, self.pipeline, server=self.server, database=database.name).done
        self.source = MemorySource()
        self.time = FrozenTime()
        self.retries: list[str] = []
        self.loader = self.make_loader()

    def command_environment(self, folder: Path) -> dict[str, str]:
        """Return what the command reads of its environment about this database and the pipelines of *folder*."""
        return {
            "PIPELINES_FOLDER": str(folder),
            "PIPELINE": self.pipeline.name,
            "DB_HOST": self.settings.host,
            "DB_PORT": str(self.settings.port),
            "DB_USER": self.settings.user,
            "DB_PASSWORD": self.settings.password.reveal(),
            "DB_TLS": "off",
            "COLUMNS": "200",
        }

    def connect(self, settings: DatabaseSettings | None = None):
        connection, server = connect(settings or self.settings)
        self._opened.append(connection)
        return connection, server

    def make_loader(self, *, source=None, connect=None) -> Loader:
        source = source or self.source
        session = Session(self.settings, pipeline=self.pipeline, source=source, connect=connect or self.connect)
        return Loader(
            self.pipeline, session=session, source=source, on_retry=lambda _, why: self.retries.append(str(why))
        )

    def put(self, *rows: Row | bytes, key: str = "processed/things/a.csv") -> ObjectRef:
        """Write an object of *rows* and return what an event would say of it."""
        content = b"".join(row if isinstance(row, bytes) else encode_row(row) for row in rows)
        self.source.objects[key] = content
        return an_object(key, size=len(content))

    def load(self, *rows: Row | bytes, key: str = "processed/things/a.csv"):
        """Write an object of *rows*, load it and return the outcome."""
        return self.loader.load(self.put(*rows, key=key), time=self.time)

    def query(self, statement: str, *arguments: object) -> tuple[tuple[Any, ...], ...]:
        """Return the rows of *statement* on a connection of the test's own."""
        return self.connection.rows(statement, arguments)

    def rows(self, columns: str = "*") -> tuple[tuple[Any, ...], ...]:
        key = ", ".join(quote_name(column.name) for column in self.pipeline.key_columns)
        return self.query(f"SELECT {columns} FROM {self.name()} ORDER BY {key}")

    def name(self, suffix: str = "") -> str:
        return quote_name(self.database.name, self.pipeline.target_table + suffix)

    def ledger(self, columns: str = "object_key, rows_in_file, applied, stale, deleted, rejected"):
        return self.query(f"SELECT {columns} FROM `{self.database.name}`._ddb2aurora_loads ORDER BY object_key")

    def rejects(self, columns: str = "line_number, error_code, reason, line"):
        return self.query(f"SELECT {columns} FROM `{self.database.name}`._ddb2aurora_rejects ORDER BY line_number")

    def close(self) -> None:
        for connection in self._opened:
            with contextlib.suppress(OSError):
                close_quietly(connection)


@pytest.fixture
def make_target(database) -> Iterator[Any]:
    made: list[Target] = []

    def make(pipeline: Pipeline | None = None) -> Target:
        made.append(Target(database, pipeline or a_pipeline()))
        return made[-1]

    yield make
    for target in made:
        target.close()


@pytest.fixture
def target(make_target) -> Target:
    return make_target()
