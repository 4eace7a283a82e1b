"""One pipeline on one machine: its three functions, and the managed parts between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ddb2aurora.pipeline import Pipeline, dump_pipeline
from local_aws.event_source.mapping import StreamMapping
from local_aws.event_source.on_failure import BucketDestination
from local_aws.event_source.settings import MappingSettings
from local_aws.faults import NO_FAULTS, Faults
from local_aws.functions import Function
from local_aws.notifications.bucket import BucketNotifications
from local_aws.notifications.delivery import AsynchronousSettings
from local_aws.notifications.on_failure import QueueDestination
from local_aws.runtime.containers import Containers
from local_aws.runtime.process import ProcessFunction
from local_aws.stack import resources
from local_aws.stack.clients import Clients

# Enough for a laptop of two cores; each place is a process.
_CONCURRENCY: Final = {"stream-processor": 1, "firehose-transformer": 2, "aurora-loader": 2}


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
        failures = clients.sqs.create_queue(QueueName=f"{name}-aurora-loader-failures")["QueueUrl"]
        self.notifications = BucketNotifications(
            bucket=wiring.bucket,
            prefix=f"processed/{name}/",
            queue_name=f"{name}-new-objects",
            s3=clients.s3,
            sqs=clients.sqs,
            function=self.loader,
            settings=AsynchronousSettings(retry_delays_seconds=wiring.retry_delays_seconds, throttle_delay_seconds=0.2),
            on_failure=QueueDestination(sqs=clients.sqs, queue_url=failures),
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

    def stop(self) -> None:
        """Stop what carries changes, then the functions."""
        for part in (getattr(self, "mapping", None), getattr(self, "notifications", None)):
            if part is not None:
                part.stop()
        for function in (self.stream_processor, self.transformer, self.loader):
            function.stop()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way at either end; the delivery stream is asked separately."""
        return self.mapping.idle and self.notifications.idle

    def _places(self, stage: str) -> int:
        if self._wiring.containers is not None:
            return self._wiring.containers.replicas[stage]
        return (self._wiring.concurrency or _CONCURRENCY)[stage]

    def _function(self, stage: str, *, memory_mb: int, timeout_seconds: float) -> OwnFunction:
        name = f"{self.pipeline.name}-{stage}"
        if self._wiring.containers is not None:
            return self._wiring.containers.function(stage, name=name, timeout_seconds=timeout_seconds)
        package = stage.replace("-", "_")
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
