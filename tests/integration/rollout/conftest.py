"""A whole embedded stack whose pipeline file changes, stage by stage, while items are written."""

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from command_line import run_command

from ddb2aurora.codec import encode_item
from ddb2aurora.pipeline import Pipeline, dump_pipeline
from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.stack.embedded import EmbeddedStack

REPOSITORY = Path(__file__).parents[3]
PATIENCE_SECONDS = 60
FILE = """\
name: things
source: {table: things, key: [id]}
target:
  database: rollout
  table: Things
  columns:
"""
OLD = """\
    id: {type: varchar(40), from: id}
    gone: {type: varchar(40), from: gone, null: false}
    n: {type: int, from: n}
    note: {type: varchar(20), from: note}
"""
# A column less, one more in its place, one wider, and all in another order.
NEW = """\
    note: {type: varchar(60), from: note}
    added: {type: json, from: added}
    id: {type: varchar(40), from: id}
    n: {type: int, from: n}
"""


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {PATIENCE_SECONDS} s"
        time.sleep(0.05)  # a poll with a deadline


class Writer(threading.Thread):
    """Write items and delete some, one after the other, until it is told to stop."""

    def __init__(self, dynamodb: Any) -> None:
        super().__init__()
        self._dynamodb = dynamodb
        self._random = random.Random(7)  # noqa: S311 - a reproducible workload
        self._stop_it = threading.Event()
        self.items: dict[str, dict[str, Any]] = {}
        self.writes = 0

    def run(self) -> None:
        while not self._stop_it.is_set():
            self.write(f"item-{self._random.randrange(60)}")

    def write(self, name: str) -> None:
        self.writes += 1
        if self._random.random() < 0.15:
            self.items.pop(name, None)
            self._dynamodb.delete_item(TableName="things", Key={"id": {"S": name}})
            return
        item = {"id": name, "gone": "g", "n": self.writes, "note": f"note {self.writes}", "added": [name, self.writes]}
        self.items[name] = item
        self._dynamodb.put_item(TableName="things", Item=encode_item(decimals(item)))

    def stop(self) -> None:
        self._stop_it.set()
        self.join()


def decimals(value: Any) -> Any:
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, list):
        return [decimals(inner) for inner in value]
    return {name: decimals(inner) for name, inner in value.items()} if isinstance(value, dict) else value


class Rollout:
    """The stack, and the steps of a roll-out."""

    def __init__(self, stack: EmbeddedStack, connection: Any, folder: Path) -> None:
        self.stack = stack
        self._connection = connection
        self._folder = folder
        self.writer = Writer(stack.clients.dynamodb)
        for version, columns in {"old": OLD, "new": NEW}.items():
            compiled = folder / f"compiled-{version}"
            compiled.mkdir()
            (compiled / "things.json").write_bytes(dump_pipeline(pipeline_of(folder / version, columns)))

    def operate(self, *arguments: str, version: str = "new") -> tuple[int, str]:
        variables = {**self.stack.environment, "PIPELINES_FOLDER": str(self._folder / version), "COLUMNS": "200"}
        ran = run_command(arguments, variables)
        return ran.returncode, ran.stdout + ran.stderr

    def migrate(self, version: str = "new") -> tuple[int, str]:
        return self.operate("migrate", version=version)

    def deploy(self, stage: str, version: str = "new") -> None:
        function = getattr(self.stack.running["things"], stage)
        function.deploy(PIPELINES_FOLDER=str(self._folder / f"compiled-{version}"))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def loaded(self) -> int:
        ((count,),) = self.query("SELECT COUNT(*) FROM rollout._ddb2aurora_loads")
        return int(count)

    def let_objects_load(self, count: int = 3) -> None:
        """Let the writes go on until *count* more objects are loaded."""
        wanted = self.loaded() + count
        eventually(lambda: self.loaded() >= wanted, f"the load of {count} more objects")

    def shapes_written(self) -> Iterator[str]:
        """Yield the shape of each row of each object under processed/."""
        s3 = self.stack.clients.s3
        bucket = self.stack.environment["BUCKET_NAME"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="processed/things/"):
            for entry in page.get("Contents", []):
                content = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                yield from (line.split(b",", 1)[0].decode() for line in content.splitlines())

    def rows_written(self) -> int:
        return sum(1 for _ in self.shapes_written())

    def rows_accounted(self) -> int:
        ((count,),) = self.query("SELECT COALESCE(SUM(rows_in_file), 0) FROM rollout._ddb2aurora_loads")
        return int(count)

    def await_rows(self) -> None:
        """Wait until the table has the newest write of each item, and every row is loaded that was written."""
        eventually(self._settled, "the arrival of all writes")
        eventually(lambda: self.rows_accounted() == self.rows_written(), "the load of all rows")

    def _settled(self) -> bool:
        names = {name for (name,) in self.query("SELECT id FROM rollout.Things")}
        if names != set(self.writer.items):
            return False
        numbers = dict(self.query("SELECT id, n FROM rollout.Things"))
        return numbers == {name: item["n"] for name, item in self.writer.items.items()}

    def write_all_again(self) -> None:
        for name in itertools.chain(list(self.writer.items), ["item-new"]):
            self.writer.write(name)


def pipeline_of(folder: Path, columns: str) -> Pipeline:
    folder.mkdir(exist_ok=True)
    (folder / "things.yaml").write_text(FILE + columns)
    return read_pipeline_file(folder / "things.yaml")


@pytest.fixture
def rollout(load_mode: str, tmp_path: Path) -> Iterator[Rollout]:
    old = pipeline_of(tmp_path / "old", OLD)
    with (
        EmbeddedStack([old], load_mode=load_mode, cache=REPOSITORY / ".local" / "cache" / "databases") as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):
        made = Rollout(stack, connection, tmp_path)
        made.writer.start()
        try:
            yield made
        finally:
            made.writer.stop()
