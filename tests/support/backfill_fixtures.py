"""What tests of backfill need: a table with its stream in the emulator, a bucket, a target, and who loads into it."""

import gzip
import hashlib
import json
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
import pytest
from builders import dynamodb_json
from command_line import run_command, start_command
from loader_fixtures import Target, a_column, a_pipeline
from source_tables import make_source_table

from aurora_loader.load import Loader
from aurora_loader.session import Session
from aurora_loader.sources import LocalSource
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.errors import Ddb2AuroraError
from ddb2aurora.pipeline import Pipeline, dump_pipeline
from operator_cli.scanning.table import for_sdk
from operator_cli.sweeping import objects_under

_EXPORT = "exports/AWSDynamoDB/01764000000000-abcdef12"


class Bucket:
    """A bucket whose objects under processed/ are loaded by whoever a test lets load them."""

    def __init__(self, aws: Any, target: Target) -> None:
        self.s3 = aws.client("s3")
        self.name = aws.bucket()
        self._target = target
        self._source = LocalSource(self.s3)
        self._loader = target.make_loader(source=self._source)
        self._loaded: set[ObjectRef] = set()
        self.failures: list[Ddb2AuroraError] = []

    def rows(self) -> list[ObjectRef]:
        """Return every object of rows, in the order of the keys."""
        return list(objects_under(self.s3, bucket=self.name, prefix="processed/"))

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content)

    def load_all(self, pipeline: Pipeline | None = None) -> None:
        """Load every object that was not loaded yet, by a loader of another *pipeline* if one is given."""
        loader = self._loader
        if pipeline is not None:
            loader = Loader(
                pipeline,
                session=Session(self._target.settings, pipeline=pipeline, source=self._source),
                source=self._source,
                on_retry=lambda *_: None,
            )
        for ref in self.rows():
            if ref not in self._loaded:
                self._loaded.add(ref)
                try:
                    loader.load(ref, time=self._target.time)
                except Ddb2AuroraError as error:
                    self.failures.append(error)


class Loading(threading.Thread):
    """Load what is written, as a notification would have it done, until it is told to stop."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(name="loading", daemon=True)
        self._bucket = bucket
        self._ending = threading.Event()

    def run(self) -> None:
        while not self._ending.wait(0.05):
            self._bucket.load_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join()


class BackfillWorld:
    """A source table, its target, a bucket, and the command as a user runs it."""

    def __init__(self, aws: Any, make_target: Any, folder: Any, pipeline: Pipeline, *, stream: bool) -> None:
        self.dynamodb = aws.client("dynamodb")
        self.table = aws.unique("things")
        self.target: Target = make_target(msgspec.structs.replace(pipeline, source_table=self.table))
        self.pipeline = self.target.pipeline
        self.bucket = Bucket(aws, self.target)
        make_source_table(self.dynamodb, self.pipeline, stream=stream)
        self._folder = folder
        self.compile(self.pipeline)
        self.environment: Mapping[str, str] = {
            **aws.environment,
            **self.target.command_environment(folder),
            "BUCKET_NAME": self.bucket.name,
        }

    def compile(self, pipeline: Pipeline) -> None:
        """Let the command work by *pipeline* from now on."""
        (self._folder / f"{pipeline.name}.json").write_bytes(dump_pipeline(pipeline))

    def put(self, *items: Mapping[str, Any]) -> None:
        for item in items:
            self.dynamodb.put_item(TableName=self.table, Item=for_sdk(dynamodb_json(item)))

    def run(self, *arguments: str, without: tuple[str, ...] = (), **environment: str) -> Any:
        """Run a command as a user does; nobody loads unless a test has it done."""
        variables = {name: value for name, value in {**self.environment, **environment}.items() if name not in without}
        return run_command(arguments, variables)

    def backfill(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a backfill whose objects are loaded, and return its status and what it says in JSON."""
        with Loading(self.bucket):
            ran = self.run("backfill", "--json", "--patience", "20s", *arguments)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def written(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a backfill whose objects nobody loads."""
        ran = self.run("backfill", "--json", "--no-wait", *arguments)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return start_command(arguments, self.environment)

    def query(self, statement: str, *arguments: object) -> tuple[tuple[Any, ...], ...]:
        """Return the rows of *statement*, in which {db} stands for the target's database."""
        return self.target.query(statement.format(db=f"`{self.target.database.name}`"), *arguments)

    def checkpoints(self, columns: str = "segment, items, rejected, objects, state") -> tuple[tuple[Any, ...], ...]:
        return self.query(f"SELECT {columns} FROM {{db}}._ddb2aurora_backfills ORDER BY started_at, segment")  # noqa: S608

    def await_items(self, count: int, process: subprocess.Popen[str]) -> None:
        """Wait until the checkpoints cover *count* items, or *process* has ended."""
        self.wait_until(lambda: self._items() >= count or process.poll() is not None)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _items(self) -> int:
        made = self.target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = '_ddb2aurora_backfills'",
            self.target.database.name,
        )
        return sum(items for (items,) in self.checkpoints("items")) if made else 0


class ExportWriter:
    """Write an export as AWS does, or with one thing wrong."""

    def __init__(self, world: BackfillWorld, *, at_ms: int | None = None) -> None:
        self._bucket = world.bucket
        self._table = world.table
        self.at_ms = at_ms or time.time_ns() // 1_000_000 // 1000 * 1000
        self.url = f"s3://{world.bucket.name}/{_EXPORT}/"
        self.prefix = _EXPORT

    def write(self, *files: Sequence[Mapping[str, Any]], **summary: Any) -> str:
        """Write an export of these *files* of items, with these parts of its *summary*, and return its URL."""
        lines = []
        for number, items in enumerate(files):
            content = gzip.compress(b"".join(export_line(item) for item in items))
            key = f"{_EXPORT}/data/file{number:02}.json.gz"
            self._bucket.write(key, content)
            lines.append(
                json.dumps({"itemCount": len(items), "md5Checksum": md5(content), "etag": "e-1", "dataFileS3Key": key})
            )
        self.manifest("manifest-files", "".join(f"{line}\n" for line in lines).encode())
        self.manifest("manifest-summary", json.dumps(self.summary(sum(map(len, files))) | summary).encode())
        return self.url

    def summary(self, items: int) -> dict[str, Any]:
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "version": "2020-06-30",
            "exportArn": f"arn:aws:dynamodb:eu-west-1:111122223333:table/{self._table}/export/01764000000000-abcdef12",
            "startTime": at,
            "endTime": at,
            "tableArn": f"arn:aws:dynamodb:eu-west-1:111122223333:table/{self._table}",
            "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
            "exportTime": at,
            "s3Bucket": self._bucket.name,
            "s3Prefix": "exports",
            "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": None,
            "manifestFilesS3Key": f"{_EXPORT}/manifest-files.json",
            "billedSizeBytes": 123456,
            "itemCount": items,
            "outputFormat": "DYNAMODB_JSON",
        }

    def manifest(self, name: str, content: bytes) -> None:
        self._bucket.write(f"{_EXPORT}/{name}.json", content)
        self._bucket.write(f"{_EXPORT}/{name}.md5", md5(content).encode())


def export_line(item: Mapping[str, Any]) -> bytes:
    return json.dumps({"Item": dynamodb_json(item)}).encode() + b"\n"


def md5(content: bytes) -> str:
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@pytest.fixture
def make_backfill_world(aws, make_target, tmp_path) -> Iterator[Any]:
    worlds: list[BackfillWorld] = []

    def make(pipeline: Pipeline | None = None, *, stream: bool = True) -> BackfillWorld:
        worlds.append(BackfillWorld(aws, make_target, tmp_path, pipeline or some_things(), stream=stream))
        return worlds[-1]

    yield make
    for world in worlds:
        world.dynamodb.delete_table(TableName=world.table)


@pytest.fixture
def world(make_backfill_world) -> BackfillWorld:
    return make_backfill_world()


def some_things(**parts: Any) -> Pipeline:
    """Return a pipeline whose key is a text, with a number that has to be small."""
    columns = (a_column("id", "varchar(40)"), a_column("no", "smallint"), a_column("name", "mediumtext"))
    return a_pipeline(*columns, **parts)
