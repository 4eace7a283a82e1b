"""What tests of verify and diff-item need: a table in the emulator, its target, and the commands as users run them."""

import itertools
import json
import signal
import subprocess
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest
from builders import dynamodb_json
from command_line import run_command, start_command
from loader_fixtures import a_column, a_pipeline, an_upsert
from source_tables import make_source_table

from ddb2aurora.pipeline import Pipeline, dump_pipeline


class Pair:
    """A source table and its target."""

    def __init__(self, aws: Any, make_target: Any, folder: Any, pipeline: Pipeline) -> None:
        self._names = itertools.count()
        self.dynamodb = aws.client("dynamodb")
        self.table = aws.unique("things")
        self.target = make_target(msgspec.structs.replace(pipeline, source_table=self.table))
        self.pipeline = self.target.pipeline
        make_source_table(self.dynamodb, self.pipeline)
        (folder / "things.json").write_bytes(dump_pipeline(self.pipeline))
        self.environment: Mapping[str, str] = {**aws.environment, **self.target.command_environment(folder)}

    def put(self, *items: Mapping[str, Any]) -> None:
        """Write items to the source alone."""
        for item in items:
            written = {
                name: {"B": b64decode(value["B"])} if "B" in value else value
                for name, value in dynamodb_json(item).items()
            }
            self.dynamodb.put_item(TableName=self.table, Item=written)

    def carry(self, *items: Mapping[str, Any], version: int = 10**60) -> None:
        """Write items to the source and load their rows."""
        self.put(*items)
        for item in items:
            fields = [
                None if item.get(column.source) is None else str(item[column.source])
                for column in self.pipeline.columns
            ]
            row = an_upsert(self.pipeline, version, *fields)
            self.target.load(row, key=f"processed/things/{next(self._names)}.csv")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a user does."""
        return run_command(arguments, {**self.environment, **environment})

    def verify(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run verify and return its status and what it says in JSON."""
        ran = self.run("verify", "--settle", "1s", "--json", *arguments)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command as a user does."""
        return start_command(arguments, self.environment)

    def await_phase(self, phase: str) -> None:
        """Wait until the newest run is in *phase*."""
        self._await(lambda: self._runs(f"phase = '{phase}'"))

    def end_when_begun(self, *arguments: str, by: signal.Signals) -> tuple[int, str]:
        """Run a command, send it a signal when its run has its first checkpoint, and return its status and errors."""
        process = self.start(*arguments)
        self._await(lambda: self._runs("positions <> '{}'") or process.poll() is not None)
        process.send_signal(by)
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _runs(self, where: str) -> bool:
        database = self.target.database.name
        made = self.target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s",
            database,
            "_ddb2aurora_verify_runs",
        )
        return bool(made) and bool(
            self.target.query(f"SELECT 1 FROM `{database}`._ddb2aurora_verify_runs WHERE {where}")  # noqa: S608
        )


@pytest.fixture
def make_pair(aws, make_target, tmp_path) -> Iterator[Any]:
    pairs: list[Pair] = []

    def make(pipeline: Pipeline | None = None) -> Pair:
        pairs.append(Pair(aws, make_target, tmp_path, pipeline or a_pair_of_keys()))
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.dynamodb.delete_table(TableName=pair.table)


@pytest.fixture
def pair(make_pair) -> Pair:
    return make_pair()


def a_pair_of_keys(**parts: Any) -> Pipeline:
    """Return a pipeline whose key is a text and a number."""
    columns = (a_column("id", "varchar(40)"), a_column("no", "bigint"), a_column("name", "varchar(400)"))
    return a_pipeline(*columns, key=("id", "no"), **parts)
