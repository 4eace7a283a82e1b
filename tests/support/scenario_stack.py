"""
The whole path for many cases: DynamoDB or `processed/` at one end, the tables of each case at the other.

It is the embedded stack's own parts, put together for a hundred small pipelines: they share the session's services, the
processes of each stage and the announcements of the bucket, and only a few cases are under way at a time.
"""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote_plus

from scenario_ways import Result, Target, Transformed

from ddb2aurora.codec import decode_item, encode_item
from ddb2aurora.envelope import decode_change
from ddb2aurora.failed import decode_failed
from ddb2aurora.pipeline import Pipeline, dump_pipeline
from local_aws.event_source.mapping import StreamMapping
from local_aws.event_source.on_failure import BucketDestination
from local_aws.event_source.settings import MappingSettings
from local_aws.firehose import FirehoseServer
from local_aws.functions import Function, Invocation
from local_aws.notifications.bucket import BucketNotifications
from local_aws.notifications.delivery import AsynchronousSettings
from local_aws.notifications.on_failure import FailedEvent
from local_aws.runtime.process import ProcessFunction
from local_aws.stack import resources
from local_aws.stack.clients import Clients
from scenarios import Change, Scenario

_STAGES = ("stream-processor", "firehose-transformer", "aurora-loader")
_CASES_AT_A_TIME = 12
_PATIENCE_SECONDS = 40
_LOOK_EVERY_SECONDS = 0.5


def _arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"


class _OfOnePipeline:
    """A function of one pipeline that runs in the process of its stage."""

    def __init__(self, stage: ProcessFunction, *, pipeline: str) -> None:
        self.name = f"{pipeline}-{stage.name}"
        self.arn = _arn(self.name)
        self._pipeline = pipeline
        self._stage = stage

    def invoke(self, event: Any) -> Invocation:
        return self._stage.invoke({"pipeline": self._pipeline, "event": event})


class _Loaders:
    """The loaders of all pipelines: an object goes to the one that its key names, and is remembered when it is done."""

    name = "loaders"
    arn = _arn(name)

    def __init__(self, stage: ProcessFunction) -> None:
        self._stage = stage
        self.changed = threading.Condition()
        self.done: list[str] = []
        self.given_up: list[tuple[str, str]] = []
        """The key of each object that was not loaded, and the error."""

    def invoke(self, event: Any) -> Invocation:
        key = _key_in(event)
        answer = self._stage.invoke({"pipeline": key.split("/")[1], "event": event})
        if answer.error is None:
            with self.changed:
                self.done.append(key)
                self.changed.notify_all()
        return answer

    def accept(self, failed: FailedEvent) -> None:
        """Be the on-failure destination."""
        assert failed.event.last is not None
        assert failed.event.last.error is not None
        with self.changed:
            self.given_up.append((_key_in(failed.event.event), failed.event.last.error.error_type))
            self.changed.notify_all()

    def await_announcements(self, key: str, *, times: int) -> None:
        """Wait until the object *key* was dealt with so many *times*, or patience ends."""
        with self.changed:
            self.changed.wait_for(lambda: self._dealt_with(key) >= times, timeout=_PATIENCE_SECONDS)

    def _dealt_with(self, key: str) -> int:
        return self.done.count(key) + [given_up for given_up, _ in self.given_up].count(key)


def _key_in(event: Mapping[str, Any]) -> str:
    return unquote_plus(event["Records"][0]["s3"]["object"]["key"])


class ScenarioStack:
    """Carry the cases of *targets* from one end to the other by `run`; `result` tells what came of each."""

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        aws: Mapping[str, str],
        database: Mapping[str, str],
        bucket: str,
        folder: Path,
    ) -> None:
        self._targets = {target.case.name: target for target in targets}
        self._transformed = {target.case.name: Transformed(target.case, target.pipeline) for target in targets}
        self._aws = aws
        self._database = database
        self._bucket = bucket
        self._folder = folder

    def __enter__(self) -> Self:
        with ExitStack() as started:
            firehose = FirehoseServer(
                s3=Clients(self._aws).s3, resolve_function=self._transformer, journal=self._folder / "firehose"
            )
            firehose.start()
            started.callback(firehose.stop)
            aws = {**self._aws, "AWS_ENDPOINT_URL_FIREHOSE": firehose.url}
            self._clients = Clients(aws)
            self._stages = self._start_stages(aws)
            for stage in self._stages.values():
                started.callback(stage.stop)
            self._loaders = _Loaders(self._stages["aurora-loader"])
            notifications = BucketNotifications(
                bucket=self._bucket,
                prefix="processed/",
                queue_name=f"{self._bucket}-new-objects",
                s3=self._clients.s3,
                sqs=self._clients.sqs,
                function=self._loaders,
                settings=AsynchronousSettings(retry_delays_seconds=(0.1,)),
                on_failure=self._loaders,
            )
            notifications.start()
            started.callback(notifications.stop)
            self._started = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._started.close()

    def run(self) -> None:
        """Carry every case to its end."""
        with ThreadPoolExecutor(_CASES_AT_A_TIME) as pool:
            for carried in [pool.submit(self._carry, target) for target in self._targets.values()]:
                carried.result()

    def pipeline(self, case: Scenario) -> Pipeline:
        return self._targets[case.name].pipeline

    def result(self, case: Scenario) -> Result:
        """Return what stands in the database, and under `failed/`, for *case*."""
        target, transformed = self._targets[case.name], self._transformed[case.name]
        if case.stack == "objects":
            numbers = {key: planned.number for planned, key in transformed.fresh_objects()}
            halts = [(numbers[key], error) for key, error in self._loaders.given_up if key in numbers]
            return target.result(transformed.rejects, transformed=transformed, halts=halts)
        result = target.result(self._failed(target), transformed=transformed, halts=[])
        return replace(result, deleted=[(key, None) for key, _ in result.deleted], counts=None)

    def _carry(self, target: Target) -> None:
        if target.case.stack == "items":
            self._carry_items(target)
            return
        announced: list[str] = []
        for _, key, content in self._transformed[target.case.name].objects():
            announced.append(key)
            self._clients.s3.put_object(Bucket=self._bucket, Key=key, Body=content)
            # One after the other: their order is what the case is about.
            self._loaders.await_announcements(key, times=announced.count(key))

    def _carry_items(self, target: Target) -> None:
        pipeline = target.pipeline
        stream_arn = resources.make_table(self._clients, pipeline)
        resources.make_delivery_stream(
            self._clients,
            pipeline,
            bucket=self._bucket,
            transformer_arn=_arn(f"{pipeline.name}-firehose-transformer"),
            buffer_seconds=1,
        )
        mapping = StreamMapping(
            MappingSettings(
                stream_arn=stream_arn, batch_size=500, function_response_types=("ReportBatchItemFailures",)
            ),
            streams=self._clients.streams,
            function=_OfOnePipeline(self._stages["stream-processor"], pipeline=pipeline.name),
            on_failure=BucketDestination(s3=self._clients.s3, bucket=self._bucket),
        )
        mapping.start()
        try:
            for change in target.case.changes:
                self._write(pipeline, change)
            self._await_all_changes(target)
        finally:
            mapping.stop()

    def _write(self, pipeline: Pipeline, change: Change) -> None:
        item = {name: _for_the_sdk(value) for name, value in change.image().items()}
        if change.kind == "put":
            self._clients.dynamodb.put_item(TableName=pipeline.source_table, Item=item)
        else:
            self._clients.dynamodb.delete_item(TableName=pipeline.source_table, Key=item)

    def _await_all_changes(self, target: Target) -> None:
        """Wait until every change is a row that was loaded or a failed record, or patience ends."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        failed = 0
        # The lock also keeps two threads from using the one connection of the targets at once.
        with self._loaders.changed:
            while target.counts()["rows"] + failed < len(target.case.changes) and time.monotonic() < deadline:
                self._loaders.changed.wait(_LOOK_EVERY_SECONDS)
                if target.case.rejects:
                    failed = len(self._failed_changes(target))

    def _start_stages(self, aws: Mapping[str, str]) -> dict[str, ProcessFunction]:
        compiled = self._folder / "pipelines"
        compiled.mkdir()
        for target in self._targets.values():
            (compiled / f"{target.pipeline.name}.json").write_bytes(dump_pipeline(target.pipeline))
        environment = {
            **aws,
            **self._database,
            "BUCKET_NAME": self._bucket,
            "PIPELINES_FOLDER": str(compiled),
            "PYTHONPATH": str(Path(__file__).parent),
            "TMPDIR": str(self._folder),
        }
        return {
            stage: ProcessFunction(
                name=stage,
                handler=f"scenario_functions.{stage.replace('-', '_')}",
                environment=environment,
                log_path=self._folder / f"{stage}.log",
                timeout_seconds=60,
                memory_mb=1024,
            )
            for stage in _STAGES
        }

    def _transformer(self, arn: str) -> Function:
        name = arn.split(":")[6].removesuffix("-firehose-transformer")
        return _OfOnePipeline(self._stages["firehose-transformer"], pipeline=name)

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
