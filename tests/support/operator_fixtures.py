"""What tests of the operator's commands need: a pipeline's bucket, database and functions, and the command itself."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_line import run_command
from loader_fixtures import Target, a_pipeline
from services_fixtures import Aws

from aurora_loader.app import App
from aurora_loader.sources import LocalSource
from ddb2aurora.clock import clock_ms
from ddb2aurora.dialect import Row, encode_row
from ddb2aurora.metrics import Metrics
from ddb2aurora.pipeline import dump_pipeline
from local_aws.lambda_api import LambdaServer, Served
from local_aws.runtime.in_process import CallableFunction

LAMBDA = """import json, sys
from operator_cli.handler import handler
json.dump(handler(json.load(sys.stdin), None), sys.stderr)"""


class OperatorWorld:
    """One pipeline's surroundings: MiniStack's S3 and SQS, the private database, and the loader behind Lambda's API."""

    def __init__(self, target: Target, aws: Aws, folder: Path) -> None:
        self.target = target
        self.aws = aws
        self.bucket = aws.bucket()
        self.queue = aws.client("sqs").create_queue(QueueName=aws.unique("failures"))["QueueUrl"]
        self.events: list[Any] = []
        self.before_load: Callable[[], object] = lambda: None
        self.more: dict[str, str] = {}
        """Variables that a test adds to the environment."""
        self.loader_metrics = io.StringIO()
        (folder / f"{target.pipeline.name}.json").write_bytes(dump_pipeline(target.pipeline))
        self._folder = folder
        function = CallableFunction(name="the-loader", handler=self._load)
        self.functions = LambdaServer(functions=lambda: {"the-loader": Served(function, self.events.append)})
        self.functions.start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.aws.environment,
            **self.target.command_environment(self._folder),
            "AWS_ENDPOINT_URL_LAMBDA": self.functions.url,
            "BUCKET_NAME": self.bucket,
            "AURORA_LOADER_FUNCTION": "the-loader",
            "LOADER_FAILURES_QUEUE_URL": self.queue,
            "DELIVERY_STREAM_NAME": "changes",
            **self.more,
        }

    def put(self, name: str, *rows: Row | bytes) -> str:
        """Write an object of *rows* under processed/ that nobody announces, and return its URL."""
        key = f"processed/{self.target.pipeline.name}/{self.target.pipeline.target_table}/{name}"
        body = b"".join(row if isinstance(row, bytes) else encode_row(row) for row in rows)
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def run(self, *arguments: str, without: tuple[str, ...] = (), **environment: str) -> Any:
        """Run the command line; *without* these variables and with *environment* besides."""
        variables = {name: value for name, value in (self.environment | environment).items() if name not in without}
        return run_command(arguments, variables)

    def invoke(self, event: Any) -> Any:
        """Invoke the Lambda handler with *event* in a process of its own; its answer is JSON on standard error."""
        command = [sys.executable, "-c", LAMBDA]
        return subprocess.run(
            command, env=self.environment, input=json.dumps(event), check=False, capture_output=True, text=True
        )

    def close(self) -> None:
        self.functions.stop()

    def _load(self, event: Any, _context: Any) -> Any:
        self.events.append(event)
        self.before_load()
        source = LocalSource(self.aws.client("s3"))
        metrics = Metrics(
            stage="aurora-loader",
            pipeline=self.target.pipeline.name,
            clock_ms=clock_ms,
            stream=self.loader_metrics,
        )
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
        return App(self.target.make_loader(source=source), metrics).handle(event, context, now_ms=clock_ms())


@pytest.fixture
def make_operator_world(make_target, aws, tmp_path) -> Iterator[Any]:
    made: list[OperatorWorld] = []

    def make(pipeline=None) -> OperatorWorld:
        made.append(OperatorWorld(make_target(pipeline or a_pipeline()), aws, tmp_path))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def operator_world(make_operator_world) -> OperatorWorld:
    return make_operator_world()
