"""The firehose-transformer as one object: transform an event, keep the rejects, tell of it, answer."""

from typing import Any

from ddb2aurora.errors import Reason
from ddb2aurora.logs import fields, get_logger
from ddb2aurora.metrics import Metrics
from firehose_transformer.aws import NotKeptError, Quarantine
from firehose_transformer.decisions import Transformation
from firehose_transformer.rejects import reject_objects
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import transform

_LOG = get_logger("firehose-transformer")


class App:
    """The firehose-transformer, ready to work."""

    def __init__(self, row_lines: RowLines, metrics: Metrics, quarantine: Quarantine, *, pipeline: str) -> None:
        """Turn changes of *pipeline* into rows by *row_lines*; rejects of packed records go to *quarantine*."""
        self._row_lines = row_lines
        self._metrics = metrics
        self._quarantine = quarantine
        self._pipeline = pipeline

    def handle(self, event: dict[str, Any], *, now_ms: int) -> dict[str, Any]:
        """
        Answer one transformation event.

        Raises:
            EventShapeError: It is not one.
        """
        transformation = transform(event, self._row_lines)
        self._log(transformation)
        # Before the answer: what is told to be done is done.
        kept = self._keep(transformation, now_ms=now_ms)
        self._measure(kept)
        return kept.answer

    def _keep(self, transformation: Transformation, *, now_ms: int) -> Transformation:
        """Keep the rejects; a record whose rejects could not be kept is handed back whole."""
        handed_back: set[int] = set()
        for found in reject_objects(transformation, pipeline=self._pipeline, now_ms=now_ms):
            try:
                self._quarantine.write(found.key, found.content)
            except NotKeptError as error:
                handed_back |= found.places
                why = fields(records=len(found.places), key=found.key, reason=str(error))
                _LOG.error("rejects not kept, their records are handed back whole", extra=why)
        return transformation.handing_back(handed_back)

    def _log(self, transformation: Transformation) -> None:
        for decision in transformation.decisions:
            for number, changes, error in ((found.number, found.changes, found.error) for found in decision.rejections):
                why = fields(
                    record_id=decision.record_id,
                    line=number,
                    changes=changes,
                    reason=error.reason,
                    pointer=error.pointer,
                    detail=error.detail,
                )
                defect = error.__cause__ if error.reason is Reason.UNEXPECTED else None
                _LOG.warning("record rejected", extra=why, exc_info=defect)

    def _measure(self, transformation: Transformation) -> None:
        changes = transformed = rejected = dropped = 0
        for decision in transformation.decisions:
            changes += decision.changes
            transformed += decision.transformed
            rejected += decision.rejected
            dropped += decision.dropped
        self._metrics.emit(
            RecordsReceived=len(transformation.decisions),
            ChangesUnpacked=changes,
            RecordsTransformed=transformed,
            RecordsRejected=rejected,
            RecordsDropped=dropped,
        )
