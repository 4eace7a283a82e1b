"""
The whole path for many cases at once: DynamoDB or `processed/` at one end, tables of each case at the other.

It is the embedded stack's own parts, put together for many small pipelines: they share the session's services, and the
processes of each stage.
"""

import itertools
import json
import time
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote_plus

from scenario_ways import Result, Target, Transformed, objects_of

from ddb2aurora.codec import decode_item, encode_item
from ddb2aurora.envelope import decode_change
from ddb2aurora.failed import decode_failed
from ddb2aurora.pipeline import Pipeline
from local_aws.firehose import FirehoseServer
from local_aws.functions import Function, Invocation
from local_aws.runtime.process import ProcessFunction
from local_aws.stack.clients import Clients
from local_aws.stack.pipeline import LocalPipeline, Wiring
from scenarios import Change, Scenario

_STAGES = ("stream-processor", "firehose-transformer", "aurora-loader")
_PATIENCE_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.2


class _OfOnePipeline:
    """A function of one pipeline that runs in the processes of its stage."""

    def __init__(self, name: str, *, pipeline: str, stage: ProcessFunction) -> None:
        self.name = name
        self.arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"
        self._pipeline = pipeline
        self._stage = stage

    def invoke(self, event: Any) -> Invocation:
        return self._stage.invoke({"pipeline": self._pipeline, "event": event})

    def stop(self) -> None:
        """Leave the processes to the other pipelines."""


class Functions:
    """One process a stage, and in it the functions of every pipeline."""

    def __init__(self, environment: Mapping[str, str], *, folder: Path) -> None:
        self.replicas = dict.fromkeys(_STAGES, 1)
        self.made: dict[str, _OfOnePipeline] = {}
        self._stages = {
            stage: ProcessFunction(
                name=stage,
                handler=f"scenario_functions.{stage.replace('-', '_')}",
                environment={**environment, "PYTHONPATH": str(Path(__file__).parent)},
                log_path=folder / f"{stage}.log",
                timeout_seconds=60,
                memory_mb=1024,
            )
            for stage in _STAGES
        }

    def function(self, stage: str, *, name: str, timeout_seconds: float) -> _OfOnePipeline:  # noqa: ARG002 - one for all
        made = _OfOnePipeline(name, pipeline=name.removesuffix(f"-{stage}"), stage=self._stages[stage])
        self.made[made.arn] = made
        return made

    def stop(self) -> None:
        for stage in self._stages.values():
            stage.stop()


class ScenarioStack:
    """Run *targets* from one end to the other; when `run` is over, `result` tells what came of each."""

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        aws: Mapping[str, str],
        database: Mapping[str, str],
        bucket: str,
        folder: Path,
    ) -> None:
        self._targets = targets
        self._environment = aws
        self._database = database
        self._bucket = bucket
        self._folder = folder
        self._transformed = {target.case.name: Transformed(target.case, target.pipeline) for target in targets}
        self._clients = Clients(aws)

    def __enter__(self) -> Self:
        with ExitStack() as started:
            compiled = self._folder / "pipelines"
            firehose = FirehoseServer(
                s3=self._clients.s3, resolve_function=self._function, journal=self._folder / "firehose"
            )
            firehose.start()
            started.callback(firehose.stop)
            aws = {**self._environment, "AWS_ENDPOINT_URL_FIREHOSE": firehose.url}
            self._clients = Clients(aws)
            environment = {
                **aws,
                **self._database,
                "BUCKET_NAME": self._bucket,
                "PIPELINES_FOLDER": str(compiled),
                "TMPDIR": str(self._folder),
            }
            self._functions = Functions(environment, folder=self._folder)
            started.callback(self._functions.stop)
            wiring = Wiring(
                clients=self._clients,
                function_environment=environment,
                folder=self._folder,
                bucket=self._bucket,
                containers=self._functions,  # type: ignore[arg-type]  # has all that is asked of Containers
            )
            self._running = {target.pipeline.name: LocalPipeline(target.pipeline, wiring) for target in self._targets}
            started.callback(self._stop)
            for running in self._running.values():
                running.start()
            self._started = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._started.close()

    def run(self) -> None:
        """Carry every case to its end, all of them side by side."""
        by_items = [target for target in self._targets if target.case.stack == "items"]
        for target in by_items:
            for change in target.case.changes:
                self._write(target.pipeline, change)
        self._arrive([target for target in self._targets if target.case.stack == "objects"])
        _await(lambda: not [target for target in by_items if self._accounted(target) < len(target.case.changes)])

    def pipeline(self, case: Scenario) -> Pipeline:
        return self._target(case).pipeline

    def result(self, case: Scenario) -> Result:
        """Return what stands in the database, and under `failed/`, for *case*."""
        target = self._target(case)
        transformed = self._transformed[case.name]
        if case.stack == "objects":
            numbers = {key: planned.number for planned, key, _ in reversed([*objects_of(transformed)])}
            return target.result(transformed.rejects, numbers=numbers, halts=self._halts(target))
        result = target.result(self._failed(target), numbers={}, halts=[])
        return replace(result, deleted=[(key, None) for key, _ in result.deleted], counts=None)

    def _target(self, case: Scenario) -> Target:
        [found] = [target for target in self._targets if target.case is case]
        return found

    def _write(self, pipeline: Pipeline, change: Change) -> None:
        item = {name: _for_the_sdk(value) for name, value in change.image().items()}
        if change.kind == "put":
            self._clients.dynamodb.put_item(TableName=pipeline.source_table, Item=item)
        else:
            self._clients.dynamodb.delete_item(TableName=pipeline.source_table, Key=item)

    def _arrive(self, targets: Sequence[Target]) -> None:
        """Put the objects in rounds: the next of each case when the last of every case is done."""
        waiting = [(target, objects_of(self._transformed[target.case.name])) for target in targets]
        while waiting:
            put: list[Target] = []
            for target, objects in waiting:
                for _, key, content in itertools.islice(objects, 1):
                    self._clients.s3.put_object(Bucket=self._bucket, Key=key, Body=content)
                    put.append(target)
            _await(lambda put=put: not any(map(self._under_way, put)))
            waiting = [(target, objects) for target, objects in waiting if target in put]

    def _under_way(self, target: Target) -> int:
        """Return how many announcements of objects wait, or are being worked on: one is deleted when all is done."""
        queue = self._clients.sqs.get_queue_url(QueueName=f"{target.pipeline.name}-new-objects")["QueueUrl"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self._clients.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def _accounted(self, target: Target) -> int:
        return target.counts()["rows"] + len(self._failed_changes(target))

    def _failed_changes(self, target: Target) -> list[str]:
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"failed/{target.pipeline.name}/"
        )
        contents = [
            self._clients.s3.get_object(Bucket=self._bucket, Key=found["Key"])["Body"].read()
            for page in pages
            for found in page.get("Contents", [])
        ]
        failed = [decode_change(record.raw_data) for content in contents for record in decode_failed(content)]
        return [_identity(change.event, change.keys, change.image) for change in failed]

    def _failed(self, target: Target) -> list[tuple[int, str, str]]:
        """Return the rejects of the stages before the loader; which change it is stands there, why it is in the log."""
        numbers = {
            _identity(record["eventName"], record["dynamodb"]["Keys"], record["dynamodb"].get("NewImage")): number
            for number, record in target.case.stream_records()
        }
        reasons = {number: rest for number, *rest in self._transformed[target.case.name].rejects}
        failed = [numbers[found] for found in self._failed_changes(target)]
        return [(number, *reasons.get(number, ("not to be rejected", ""))) for number in failed]

    def _halts(self, target: Target) -> list[tuple[int, str]]:
        queue = self._clients.sqs.get_queue_url(QueueName=f"{target.pipeline.name}-aurora-loader-failures")["QueueUrl"]
        found = self._clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        numbers = {key: planned.number for planned, key, _ in objects_of(self._transformed[target.case.name])}
        halts = []
        for message in found.get("Messages", []):
            record = json.loads(message["Body"])
            key = unquote_plus(record["requestPayload"]["Records"][0]["s3"]["object"]["key"])
            halts.append((numbers[key], record["responsePayload"]["errorType"]))
        return sorted(halts)

    def _function(self, arn: str) -> Function:
        return self._functions.made[arn]

    def _stop(self) -> None:
        # Each waits until a long poll of its queue is answered, so all of them at once.
        with ThreadPoolExecutor(len(self._running)) as pool:
            for stopping in [pool.submit(running.stop) for running in self._running.values()]:
                stopping.result()


def _for_the_sdk(value: Mapping[str, Any]) -> dict[str, Any]:
    [(kind, held)] = value.items()
    match kind:
        case "B":
            return {kind: b64decode(held)}
        case "BS":
            return {kind: [b64decode(member) for member in held]}
        case "M":
            return {kind: {name: _for_the_sdk(inner) for name, inner in held.items()}}
        case "L":
            return {kind: [_for_the_sdk(inner) for inner in held]}
    return {kind: held}


def _identity(event: str, keys: Mapping[str, Any], image: Mapping[str, Any] | None) -> str:
    """Return what tells the changes of a case apart, in the form that DynamoDB gives numbers."""
    parts = [encode_item(decode_item(part)) for part in (keys, image or {})]
    return json.dumps([event, *parts], sort_keys=True)


def _await(done: Callable[[], bool]) -> None:
    """Look until all is *done*; when time runs out, the comparison of the results shows what is missing."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_SECONDS)
