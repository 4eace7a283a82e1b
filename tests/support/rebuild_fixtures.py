"""What tests of rebuild need: a pipeline's history of changes, in its backup and loaded, and the command itself."""
# ruff: noqa: S608 - tests name their own tables

import contextlib
import gzip
import io
import itertools
import json
import random
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import CHANGED_AT_MS, a_change, a_pipeline
from command_line import start_command
from loader_fixtures import FrozenTime
from operator_fixtures import OperatorWorld

from aurora_loader.sources import LocalSource
from ddb2aurora.database.ledger import ObjectRef, make_object_ref
from ddb2aurora.database.values import field_of
from ddb2aurora.dialect import Row
from ddb2aurora.envelope import Change, encode_change
from ddb2aurora.mapping import Mapper
from ddb2aurora.model import rows_after, stamps_after
from ddb2aurora.pipeline import Pipeline, dump_pipeline
from ddb2aurora.sql import quote_name
from operator_cli.rebuilding.run_tables import run_tables
from operator_cli.registry import load_command

SECOND_MS = 1000
KINDS = ("backup", "oversized", "loaded")


class History:
    """One pipeline: what happened to its items, and where each change lies."""

    def __init__(self, world: OperatorWorld, folder: Path) -> None:
        self.world = world
        self.target = world.target
        self.pipeline: Pipeline = world.target.pipeline
        self._folder = folder
        self._names = itertools.count()
        self.s3 = world.aws.client("s3")

    def backup(self, *changes: Change | bytes, hour: str = "2026/01/05/10", raw: bytes | None = None) -> str:
        """Write an object of the backup, as Firehose does: gzip, one record behind the other; return its key."""
        content = b"".join(change if isinstance(change, bytes) else encode_change(change) for change in changes)
        key = f"backup/{self.pipeline.name}/{hour}/{next(self._names):05}"
        self.s3.put_object(Bucket=self.world.bucket, Key=key, Body=gzip.compress(content, 1) if raw is None else raw)
        return key

    def put_rows(self, rows: Iterable[Row]) -> ObjectRef:
        """Write an object of rows, which nobody announces."""
        key = f"2026/01/05/10/{next(self._names):05}.csv"
        self.world.put(key, *rows)
        name = f"processed/{self.pipeline.name}/{self.pipeline.target_table}/{key}"
        found = self.s3.head_object(Bucket=self.world.bucket, Key=name)
        return make_object_ref(
            self.world.bucket,
            name,
            version=found.get("VersionId"),
            etag=found["ETag"],
            size=found["ContentLength"],
        )

    def load(self, *changes: Change, mapped_by: Pipeline | None = None) -> None:
        """Have the loader load the rows of *changes*."""
        self.load_rows(self.rows_of(changes, pipeline=mapped_by))

    def load_rows(self, rows: Iterable[Row]) -> None:
        ref = self.put_rows(rows)
        self.loader().load(ref, time=FrozenTime())

    def loader(self) -> Any:
        return self.target.make_loader(source=LocalSource(self.world.aws.client("s3")))

    def both(self, *changes: Change) -> None:
        """Write *changes* to the backup and load them."""
        self.backup(*changes)
        self.load(*changes)

    def rows_of(self, changes: Iterable[Change], *, pipeline: Pipeline | None = None) -> list[Row]:
        mapper = Mapper(pipeline or self.pipeline)
        return [row for row in map(mapper.row, changes) if row is not None]

    def expected(self, changes: Sequence[Change], *, pipeline: Pipeline | None = None) -> dict[Any, Any]:
        """Return what the model says of *changes*: the fields of each row, and whether it is stamped as deleted."""
        pipeline = pipeline or self.pipeline
        rows = self.rows_of(changes, pipeline=pipeline)
        stamps = stamps_after(rows, pipeline=pipeline) if pipeline.keeps_deleted else {}
        return {key: (fields, key in stamps) for key, fields in rows_after(rows, pipeline=pipeline).items()}

    def found(self, table: str | None = None, *, pipeline: Pipeline | None = None) -> dict[Any, Any]:
        """Return what a table holds, in the form of `expected`."""
        pipeline = pipeline or self.pipeline
        stamped = "_deleted_at IS NOT NULL" if pipeline.keeps_deleted and pipeline.mode != "append" else "FALSE"
        names = ", ".join(quote_name(column.name) for column in pipeline.columns)
        quoted = quote_name(self.target.database.name, table or pipeline.target_table)
        found = {}
        for version, is_stamped, *values in self.target.query(f"SELECT _version, {stamped}, {names} FROM {quoted}"):
            fields = tuple(field_of(value, column.type) for value, column in zip(values, pipeline.columns, strict=True))
            key = tuple(fields[pipeline.columns.index(column)] for column in pipeline.key_columns)
            found[(*key, str(version)) if pipeline.mode == "append" else key] = (fields, bool(is_stamped))
        return found

    def tables(self) -> set[str]:
        return {
            name
            for (name,) in self.target.query(
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", self.target.database.name
            )
        }

    def change_file(self, **parts: Any) -> Pipeline:
        """Change the pipeline file that the command reads, and return what it is now."""
        pipeline = msgspec.structs.replace(self.pipeline, **parts)
        (self._folder / f"{pipeline.name}.json").write_bytes(dump_pipeline(pipeline))
        return pipeline

    def run(self, *arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
        """Run rebuild in this process, and return its status and what it says in JSON."""
        with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()) as said:
            for name, value in {**self.world.environment, **environment}.items():
                patched.setenv(name, value)
            status = load_command("rebuild").main(args=["--json", *arguments], standalone_mode=False)
        return status, json.loads(said.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return start_command(["rebuild", "--json", *arguments], self.world.environment)

    @contextlib.contextmanager
    def each_object_takes(self, seconds: float) -> Iterator[None]:
        """Have the database take *seconds* to note an object, so that no machine is done before a test looks."""
        for table in run_tables(self.target.database.name):
            self.target.query(table.ensure_statement)
        trigger = quote_name(self.target.database.name, "slow_notes")
        table = quote_name(self.target.database.name, "_ddb2aurora_rebuild_objects")
        self.target.query(f"CREATE TRIGGER {trigger} BEFORE INSERT ON {table} FOR EACH ROW DO SLEEP({seconds})")
        try:
            yield
        finally:
            self.target.query(f"DROP TRIGGER {trigger}")

    def rebuilds(self) -> list[str]:
        """Return the phase of each rebuild there was, the oldest first; none before their table is there."""
        if "_ddb2aurora_rebuilds" not in self.tables():
            return []
        table = quote_name(self.target.database.name, "_ddb2aurora_rebuilds")
        return [phase for (phase,) in self.target.query(f"SELECT phase FROM {table} ORDER BY run_id")]

    def objects_through(self, *kinds: str) -> int:
        """Return how many objects, of these *kinds*, the newest rebuild has noted; 0 before its tables are there."""
        if "_ddb2aurora_rebuild_objects" not in self.tables():
            return 0
        database = self.target.database.name
        ((count,),) = self.target.query(
            f"SELECT COUNT(*) FROM `{database}`._ddb2aurora_rebuild_objects "
            f"WHERE run_id = (SELECT MAX(run_id) FROM `{database}`._ddb2aurora_rebuilds WHERE phase <> 'given_up') "
            f"AND kind IN ({', '.join(['%s'] * len(kinds or KINDS))})",
            *(kinds or KINDS),
        )
        return int(count)


def some_changes(count: int, *, keys: int = 20, seed: int = 1, start: int = 1, key: str = "item") -> list[Change]:
    """Return *count* changes of *keys* items, deletes, expiries and new items after both among them, in no order."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible workload
    changes = []
    for number in range(start, start + count):
        kind = chance.choices(("MODIFY", "REMOVE"), (8, 2))[0]
        changes.append(
            a_change(
                kind=kind,
                item={"id": f"{key}-{chance.randrange(keys)}", "n": number, "note": f'note, "{number}"\n\\'},
                event_id=f"event-{number}",
                sequence_number=10**20 + number,
                changed_at_ms=CHANGED_AT_MS + number * SECOND_MS,
                by_ttl=kind == "REMOVE" and chance.random() < 0.4,
            )
        )
    chance.shuffle(changes)
    return changes


class LoadsMeanwhile(threading.Thread):
    """Changes that happen, are loaded and backed up, one object after the other, until it is told to stop."""

    def __init__(self, history: History, *, start: int, late_backup: Callable[[list[Change]], None]) -> None:
        super().__init__()
        self._history = history
        self._start = start
        self._late_backup = late_backup
        self._loader = history.loader()
        self._stop_it = threading.Event()
        self.changes: list[Change] = []

    def run(self) -> None:
        for number in itertools.count():
            if self._stop_it.is_set():
                return
            changes = some_changes(7, seed=number, start=self._start + 7 * number)
            self._loader.load(self._history.put_rows(self._history.rows_of(changes)), time=FrozenTime())
            self._late_backup(changes)
            self.changes += changes

    def stop(self) -> None:
        self._stop_it.set()
        self.join()


@pytest.fixture
def make_history(make_operator_world: Any, tmp_path: Path) -> Iterator[Any]:
    def make(**parts: Any) -> History:
        return History(make_operator_world(a_pipeline(**{"max_reject_share": 0.5, **parts})), tmp_path)

    return make


@pytest.fixture
def history(make_history: Any) -> History:
    return make_history()
