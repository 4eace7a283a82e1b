"""One pipeline on one machine: its functions, and the managed parts between them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from ddb2aurora.pipeline import Pipeline, dump_pipeline
from local_aws.event_source.mapping import StreamMapping
from local_aws.event_source.on_failure import BucketDestination
from local_aws.event_source.settings import MappingSettings
from local_aws.faults import NO_FAULTS, Faults
from local_aws.functions import Function
from local_aws.lambda_api import Served
from local_aws.notifications.asynchronous import AsynchronousInvoker
from local_aws.notifications.bucket import BucketNotifications
from local_aws.notifications.counters import NotificationCounters
from local_aws.notifications.delivery import AsynchronousSettings
from local_aws.notifications.on_failure import Destination, QueueDestination
from local_aws.runtime.containers import Containers
from local_aws.runtime.process import ProcessFunction
from local_aws.stack import resources
from local_aws.stack.clients import Clients
from local_aws.tally import Tally

# Enough for a laptop of two cores; each place is a process.
_CONCURRENCY: Final = {"stream-processor": 1, "firehose-transformer": 2, "aurora-loader": 2}
_OPERATOR: Final = "operator"


class OwnFunction(Function, Protocol):
    """A function that a pipeline ends with itself."""

    def stop(self) -> None:
        """End every process of it that is ours; later invocations are throttled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the pipelines of a stack share."""

    clients: Clients
    function_environment: Mapping[str, str]
    """Variables that every function gets: endpoints, credentials, database."""
    folder: Path
    """Where compiled pipelines, logs and checkpoints go."""
    bucket: str = resources.BUCKET
    buffer_seconds: int = 1
    """How long the delivery stream gathers records before it writes an object."""
    faults: Faults = NO_FAULTS
    concurrency: Mapping[str, int] | None = None
    retry_delays_seconds: tuple[float, float] = (1, 5)
    """How long an event of a new object waits for its retries. AWS: a minute, then two; a laptop has less patience."""
    containers: Containers | None = None
    """Where the functions run; without it, in processes of this machine."""


class LocalPipeline:
    """One pipeline, from `start` to `stop`."""

    def __init__(self, pipeline: Pipeline, wiring: Wiring) -> None:
        """Prepare *pipeline* in the stack described by *wiring*."""
        self.pipeline = pipeline
        self._wiring = wiring
        compiled = wiring.folder / "pipelines"
        compiled.mkdir(parents=True, exist_ok=True)
        (compiled / f"{pipeline.name}.json").write_bytes(dump_pipeline(pipeline))
        self._environment = {
            **wiring.function_environment,
            "PIPELINE": pipeline.name,
            "PIPELINES_FOLDER": str(compiled),
            "DELIVERY_STREAM_NAME": pipeline.name,
            "BUCKET_NAME": wiring.bucket,
        }
        self.stream_processor = self._function("stream-processor", memory_mb=512, timeout_seconds=60)
        self.transformer = self._function("firehose-transformer", memory_mb=1024, timeout_seconds=300)
        self.loader = self._function("aurora-loader", memory_mb=1024, timeout_seconds=300)
        self._asynchronous = AsynchronousSettings(
            retry_delays_seconds=wiring.retry_delays_seconds, throttle_delay_seconds=0.2
        )
        self._invocable: dict[str, OwnFunction] = {}
        self._invokers: dict[str, AsynchronousInvoker] = {}

    @property
    def functions(self) -> Mapping[str, Served]:
        """The functions by name, for whoever invokes them through the API; none before `start`."""
        return {name: Served(function, self._later_of(name)) for name, function in self._invocable.items()}

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which an operator finds the functions and the queue of this pipeline, after `start`."""
        return {
            "AURORA_LOADER_FUNCTION": self.loader.name,
            "STREAM_PROCESSOR_FUNCTION": self.stream_processor.name,
            "LOADER_FAILURES_QUEUE_URL": self._failures_url,
        }

    def start(self) -> None:
        """Make what is missing, and begin to carry changes."""
        wiring, clients, name = self._wiring, self._wiring.clients, self.pipeline.name
        stream_arn = resources.make_table(clients, self.pipeline)
        resources.make_delivery_stream(
            clients,
            self.pipeline,
            bucket=wiring.bucket,
            transformer_arn=self.transformer.arn,
            buffer_seconds=wiring.buffer_seconds,
        )
        self._failures_url = clients.sqs.create_queue(QueueName=f"{name}-aurora-loader-failures")["QueueUrl"]
        failures = QueueDestination(sqs=clients.sqs, queue_url=self._failures_url)
        self.notifications = BucketNotifications(
            bucket=wiring.bucket,
            prefix=f"processed/{name}/",
            queue_name=f"{name}-new-objects",
            s3=clients.s3,
            sqs=clients.sqs,
            function=self.loader,
            settings=self._asynchronous,
            on_failure=failures,
            max_concurrency=self._places("aurora-loader"),
            faults=wiring.faults,
            fault_delay_seconds=2,
        )
        self.mapping = StreamMapping(
            MappingSettings(
                stream_arn=stream_arn,
                batch_size=500,
                maximum_retry_attempts=10,
                bisect_batch_on_function_error=True,
                function_response_types=("ReportBatchItemFailures",),
            ),
            streams=clients.streams,
            function=self.stream_processor,
            on_failure=BucketDestination(s3=clients.s3, bucket=wiring.bucket),
            faults=wiring.faults,
            checkpoint_path=wiring.folder / f"{name}-checkpoints.json",
        )
        self.notifications.start()
        self.mapping.start()
        self._make_invocable(failures)

    def stop(self) -> None:
        """Stop what carries changes, then the functions."""
        for part in (getattr(self, "mapping", None), getattr(self, "notifications", None)):
            if part is not None:
                part.stop()
        # The functions first: an invocation that nobody waits for may take its quarter of an hour.
        for function in {self.stream_processor, self.transformer, self.loader, *self._invocable.values()}:
            function.stop()
        for invoker in self._invokers.values():
            invoker.stop()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way at either end; the delivery stream is asked separately."""
        return self.mapping.idle and self.notifications.idle

    def _make_invocable(self, failures: Destination) -> None:
        """Let the functions be invoked through the API, and the operator, where it is one of them, with them."""
        functions = [self.stream_processor, self.transformer, self.loader]
        if self._wiring.containers is None:
            self._environment |= self.environment
            functions.append(self._function(_OPERATOR, memory_mb=1024, timeout_seconds=900))
        for function in functions:
            # AWS: the destination is a setting of the function, whoever invokes it.
            invoker = AsynchronousInvoker(
                function=function,
                settings=self._asynchronous,
                on_failure=failures if function is self.loader else None,
                max_concurrency=1,
                tally=Tally(NotificationCounters),
            )
            invoker.start()
            self._invokers[function.name] = invoker
            self._invocable[function.name] = function

    def _later_of(self, name: str) -> Callable[[Mapping[str, Any]], None]:
        invoker = self._invokers[name]
        return lambda event: invoker.put(event, queued_at=time.time(), done=lambda: None)

    def _places(self, stage: str) -> int:
        if self._wiring.containers is not None:
            return self._wiring.containers.replicas[stage]
        return (self._wiring.concurrency or _CONCURRENCY).get(stage, 1)

    def _function(self, stage: str, *, memory_mb: int, timeout_seconds: float) -> OwnFunction:
        name = f"{self.pipeline.name}-{stage}"
        if self._wiring.containers is not None:
            return self._wiring.containers.function(stage, name=name, timeout_seconds=timeout_seconds)
        package = "operator_cli" if stage == _OPERATOR else stage.replace("-", "_")
        return ProcessFunction(
            name=name,
            handler=f"{package}.handler.handler",
            environment=self._environment,
            log_path=self._wiring.folder / f"{self.pipeline.name}-{stage}.log",
            timeout_seconds=timeout_seconds,
            memory_mb=memory_mb,
            concurrency=self._places(stage),
            faults=self._wiring.faults.of(stage),
        )
