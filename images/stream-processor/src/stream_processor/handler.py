"""Lambda entry point of the stream-processor: a batch of a DynamoDB stream in, the failed sequence number out."""

import functools
from typing import Any

from ddb2aurora.clock import clock_ms
from ddb2aurora.lambda_context import LambdaContext
from ddb2aurora.logs import set_up_logging
from ddb2aurora.metrics import Metrics
from ddb2aurora.pipeline import load_pipeline
from ddb2aurora.runtime_json import use_quick_json
from ddb2aurora.settings import process_environment
from stream_processor.app import App
from stream_processor.aws import FailedObjects, FirehoseStream
from stream_processor.settings import Settings


@functools.cache
def app() -> App:
    """Return the one App of this execution environment, made on first use."""
    settings = Settings.from_env(process_environment())
    set_up_logging(level=settings.log_level)
    use_quick_json()
    return App(
        load_pipeline(settings.pipeline, folder=settings.pipelines_folder),
        FirehoseStream(settings.delivery_stream_name),
        FailedObjects(settings.bucket_name),
        Metrics(
            stage="stream-processor",
            pipeline=settings.pipeline,
            clock_ms=clock_ms,
            namespace=settings.metrics_namespace,
        ),
    )


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one invocation by Lambda."""
    return app().handle(event, context, now_ms=clock_ms())
