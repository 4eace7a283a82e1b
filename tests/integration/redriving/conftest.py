"""A whole embedded stack with a pipeline of things, whose document's schema a test may relax."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import run_command

from ddb2aurora.codec import encode_item
from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.stack import resources
from local_aws.stack.embedded import EmbeddedStack

REPOSITORY = Path(__file__).parents[3]
PIPELINE = """\
name: things
source:
  table: things
  key: [id]
  documents:
    body: things.schema.json
target:
  database: redrive
  table: Things
  max_reject_share: 0.9
  columns:
    id: {type: varchar(40), from: id}
    n:  {type: int, from: body.n}
    note: {type: text, from: note}
"""
STRICT = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}


class Replica:
    """The stack, and what a test asks of it."""

    def __init__(self, stack: EmbeddedStack, connection: Any, folder: Path) -> None:
        self.stack = stack
        self.s3 = stack.clients.s3
        self.sqs = stack.clients.sqs
        self._connection = connection
        self._folder = folder
        self._started = uuid.uuid4().hex[:8]

    def pipelines(self, schema: dict[str, Any]) -> Path:
        """Return a folder with the pipeline file whose document satisfies *schema*."""
        folder = self._folder / uuid.uuid4().hex
        folder.mkdir()
        (folder / "things.yaml").write_text(PIPELINE)
        (folder / "things.schema.json").write_text(json.dumps(schema))
        return folder

    def put(self, name: str, *, body: str | None = None, n: int = 1, note: str = "") -> None:
        item = {"id": name, "body": json.dumps({"n": n}) if body is None else body, "note": note}
        self.stack.clients.dynamodb.put_item(TableName="things", Item=encode_item(item))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def rows(self) -> dict[str, tuple[Any, ...]]:
        return {name: rest for name, *rest in self.query("SELECT id, n, note FROM redrive.Things")}

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=resources.BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=resources.BUCKET, Key=key)["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=resources.BUCKET, Key=key, Body=content)

    def run(self, *arguments: str, schema: dict[str, Any] = STRICT) -> tuple[int, dict[str, Any]]:
        """Run `ddb2aurora redrive` and return its status and what --json says of the places."""
        ran = self.run_raw(*arguments, "--json", schema=schema)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def run_raw(self, *arguments: str, schema: dict[str, Any] = STRICT, **environment: str) -> Any:
        variables = {**self.stack.environment, "PIPELINES_FOLDER": str(self.pipelines(schema)), "COLUMNS": "100"}
        return run_command(["redrive", *arguments], {**variables, **environment})

    def tidy(self) -> None:
        """Forget what a test left, so that the next one begins with nothing that failed."""
        for prefix in ("failed/", "replayed/", "aws/"):
            for key in self.keys(prefix):
                self.s3.delete_object(Bucket=resources.BUCKET, Key=key)
        self.query("DELETE FROM redrive._ddb2aurora_rejects")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    folder = tmp_path_factory.mktemp("pipelines")
    (folder / "things.yaml").write_text(PIPELINE)
    (folder / "things.schema.json").write_text(json.dumps(STRICT))
    pipeline = read_pipeline_file(folder / "things.yaml")
    with (
        EmbeddedStack([pipeline], cache=REPOSITORY / ".local" / "cache" / "databases") as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):
        yield Replica(stack, connection, folder)


@pytest.fixture
def replica(running: Replica) -> Iterator[Replica]:
    yield running
    running.tidy()


@pytest.fixture
def name() -> str:
    """The name of an item that no other test has."""
    return f"thing-{uuid.uuid4().hex[:12]}"
