"""Lambda entry point of the firehose-transformer: a transformation event in, one result a record out."""

import functools
from typing import Any

from ddb2aurora.clock import clock_ms
from ddb2aurora.lambda_context import LambdaContext
from ddb2aurora.logs import set_up_logging
from ddb2aurora.metrics import Metrics
from ddb2aurora.pipeline import load_pipeline
from ddb2aurora.runtime_json import use_quick_json
from ddb2aurora.settings import process_environment
from firehose_transformer.app import App
from firehose_transformer.aws import FailedObjects, NoBucket
from firehose_transformer.row_lines import RowLines
from firehose_transformer.settings import Settings


@functools.cache
def app() -> App:
    """Return the one App of this execution environment, made on first use."""
    settings = Settings.from_env(process_environment())
    set_up_logging(level=settings.log_level)
    use_quick_json()
    pipeline = load_pipeline(settings.pipeline, folder=settings.pipelines_folder)
    bucket = settings.bucket_of(pipeline)
    return App(
        RowLines(pipeline),
        Metrics(
            stage="firehose-transformer",
            pipeline=pipeline.name,
            clock_ms=clock_ms,
            namespace=settings.metrics_namespace,
        ),
        # Packed records may come before this pipeline file says so, as the stages are deployed one at a time.
        NoBucket() if bucket is None else FailedObjects(bucket),
        pipeline=pipeline.name,
    )


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Handle one invocation by Lambda."""
    return app().handle(event, now_ms=clock_ms())
