"""The stream-processor as one object: translate the event, process it, tell of it, answer."""

import random
import time
from collections.abc import Callable
from typing import Any, Final

from ddb2aurora.errors import Ddb2AuroraError, HaltError
from ddb2aurora.lambda_context import LambdaContext
from ddb2aurora.logs import fields, get_logger
from ddb2aurora.metrics import Metrics
from ddb2aurora.pipeline import Pipeline
from stream_processor.delivery import Delivery, DeliveryStream
from stream_processor.processor import Quarantine, Report, process

_LOG = get_logger("stream-processor")
# What a last call to Firehose, the answer and the logs may take before Lambda ends the function.
_RESERVE_SECONDS: Final = 5.0


class EventShapeError(HaltError):
    """The event is not that of a DynamoDB stream."""


class UnexpectedError(HaltError):
    """Something went wrong that nobody foresaw."""


class App:
    """The stream-processor, ready to work."""

    def __init__(
        self,
        pipeline: Pipeline,
        stream: DeliveryStream,
        quarantine: Quarantine,
        metrics: Metrics,
        *,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        """
        Forward the changes of *pipeline* to *stream*, and what it cannot take to *quarantine*.

        *sleep* and *random* make the pauses between the tries.
        """
        self._pipeline = pipeline
        self._stream = stream
        self._quarantine = quarantine
        self._metrics = metrics
        self._sleep = sleep
        self._random = random

    def handle(self, event: dict[str, Any], context: LambdaContext, *, now_ms: int) -> dict[str, Any]:
        """
        Forward one batch and answer which changes the stream must deliver again.

        Raises:
            HaltError: Nothing can be forwarded before someone acts; the stream delivers the whole batch again.
        """
        try:
            report = self._process(event, context, now_ms=now_ms)
        except Ddb2AuroraError:
            raise
        except Exception as error:  # noqa: BLE001 - the one place of this stage where the unforeseen ends
            # Its message may quote a value, and the runtime would log it; our log keeps messages of others to itself.
            _LOG.exception("batch failed unexpectedly")
            raise UnexpectedError(f"{type(error).__name__}; the log entry before this one says where") from None
        self._tell(report)
        return report.answer()

    def _process(self, event: dict[str, Any], context: LambdaContext, *, now_ms: int) -> Report:
        records = event.get("Records")
        if not isinstance(records, list):
            raise EventShapeError("the event has no Records; connect this function to a DynamoDB stream")
        delivery = Delivery(
            self._stream,
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS,
            sleep=self._sleep,
            random=self._random,
            packing=self._pipeline.packing,
        )
        return process(
            records, pipeline=self._pipeline, deliver=delivery.deliver, quarantine=self._quarantine, now_ms=now_ms
        )

    def _tell(self, report: Report) -> None:
        self._metrics.emit(
            ChangesReceived=report.received,
            ChangesForwarded=report.forwarded,
            ChangesFailed=len(report.failed),
            ChangesOversized=report.oversized,
            ChangesMalformed=report.kept - report.oversized,
            RecordsForwarded=report.records,
            RecordsRefused=report.refused,
            BytesBilled=report.billed_bytes,
        )
        if report.refused:
            _LOG.warning("records refused by Firehose", extra=fields(refused=report.refused, codes=report.codes))
        if report.failed:
            _LOG.warning("changes left for the stream to deliver again", extra=fields(failed=len(report.failed)))
