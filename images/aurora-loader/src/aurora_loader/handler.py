"""Lambda entry point of the aurora-loader: events that announce objects in, rows in the target."""

import functools
from typing import Any

import boto3

from aurora_loader.app import App
from aurora_loader.load import Loader
from aurora_loader.manifests import Manifests
from aurora_loader.session import Session
from aurora_loader.settings import Settings
from aurora_loader.sources import AuroraSource, LocalSource, Source
from ddb2aurora.clock import clock_ms
from ddb2aurora.database.errors import DatabaseRetryError
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.lambda_context import LambdaContext
from ddb2aurora.logs import fields, get_logger, set_up_logging
from ddb2aurora.metrics import Metrics
from ddb2aurora.pipeline import load_pipeline
from ddb2aurora.settings import process_environment


@functools.cache
def app() -> App:
    """Return the one App of this execution environment, made on first use."""
    settings = Settings.from_env(process_environment())
    set_up_logging(level=settings.log_level)
    pipeline = load_pipeline(settings.pipeline, folder=settings.pipelines_folder)
    metrics = Metrics(
        stage="aurora-loader", pipeline=settings.pipeline, clock_ms=clock_ms, namespace=settings.metrics_namespace
    )
    source: Source = AuroraSource() if settings.load_mode == "s3" else LocalSource(boto3.client("s3"))

    def tell_retry(ref: ObjectRef, why: DatabaseRetryError) -> None:
        metrics.emit(LoadsRetried=1)
        get_logger("aurora-loader").warning("load begun again", extra=fields(object=ref.url, why=str(why)))

    session = Session(settings.database, pipeline=pipeline, source=source)
    loader = Loader(pipeline, session=session, source=source, on_retry=tell_retry)
    manifests = Manifests(boto3.client("s3"), pipeline=pipeline.name) if settings.load_manifest else None
    return App(loader, metrics, manifests=manifests)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one invocation by Lambda."""
    return app().handle(event, context, now_ms=clock_ms())
