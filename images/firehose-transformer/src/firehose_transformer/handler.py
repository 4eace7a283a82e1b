"""Lambda entry point of the firehose-transformer: a transformation event in, one result a record out."""

import functools
from typing import Any

from ddb2aurora.clock import clock_ms
from ddb2aurora.errors import Reason
from ddb2aurora.lambda_context import LambdaContext
from ddb2aurora.logs import fields, get_logger, set_up_logging
from ddb2aurora.mapping import Mapper
from ddb2aurora.metrics import Metrics
from ddb2aurora.pipeline import load_pipeline
from ddb2aurora.settings import process_environment
from firehose_transformer.settings import Settings
from firehose_transformer.transform import transform

_LOG = get_logger("firehose-transformer")


class App:
    """The firehose-transformer, ready to work."""

    def __init__(self, mapper: Mapper, metrics: Metrics) -> None:
        """Turn changes into rows by *mapper*."""
        self._mapper = mapper
        self._metrics = metrics

    def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """
        Answer one transformation event.

        Raises:
            EventShapeError: It is not one.
        """
        answer, rejections = transform(event, self._mapper)
        for record_id, error in rejections:
            why = fields(record_id=record_id, reason=error.reason, pointer=error.pointer, detail=error.detail)
            defect = error.__cause__ if error.reason is Reason.UNEXPECTED else None
            _LOG.warning("record rejected", extra=why, exc_info=defect)
        received, rejected = len(answer["records"]), len(rejections)
        dropped = sum(record["result"] == "Dropped" for record in answer["records"])
        self._metrics.emit(
            RecordsReceived=received,
            RecordsTransformed=received - rejected - dropped,
            RecordsRejected=rejected,
            RecordsDropped=dropped,
        )
        return answer


@functools.cache
def app() -> App:
    """Return the one App of this execution environment, made on first use."""
    settings = Settings.from_env(process_environment())
    set_up_logging(level=settings.log_level)
    mapper = Mapper(load_pipeline(settings.pipeline, folder=settings.pipelines_folder))
    return App(mapper, Metrics(stage="firehose-transformer", pipeline=settings.pipeline, clock_ms=clock_ms))


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Handle one invocation by Lambda."""
    return app().handle(event)
