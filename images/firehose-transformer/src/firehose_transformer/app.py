"""The firehose-transformer as one object: transform an event, keep the rejects, tell of it, answer."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from ddb2aurora.errors import Reason
from ddb2aurora.logs import fields, get_logger
from ddb2aurora.metrics import Metrics
from firehose_transformer.aws import NotKeptError, Quarantine
from firehose_transformer.decisions import Rejection, Transformation
from firehose_transformer.rejects import reject_objects
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import transform

_LOG = get_logger("firehose-transformer")
_REJECTED: Final = "records rejected"
# CloudWatch takes 256 KB an entry; an id of Firehose has 56 characters.
_MOST_IDS: Final = 1_000


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
        """Say which records were rejected: an entry for each reason, place and rule, with all that it met."""
        groups: dict[tuple[str, str, str], list[tuple[str, Rejection]]] = defaultdict(list)
        for decision in transformation.others.values():
            for found in decision.rejections:
                error = found.error
                if error.reason is Reason.UNEXPECTED:
                    _LOG.warning(
                        _REJECTED, extra=_why([(decision.record_id, found)]), exc_info=error.__cause__ or error
                    )
                else:
                    groups[error.reason, error.pointer, error.detail].append((decision.record_id, found))
        for met in groups.values():
            for start in range(0, len(met), _MOST_IDS):
                _LOG.warning(_REJECTED, extra=_why(met[start : start + _MOST_IDS]))

    def _measure(self, transformation: Transformation) -> None:
        changes = transformed = len(transformation.records) - len(transformation.others)
        rejected = dropped = 0
        for decision in transformation.others.values():
            changes += decision.changes
            transformed += decision.transformed
            rejected += decision.rejected
            dropped += decision.dropped
        self._metrics.emit(
            RecordsReceived=len(transformation.records),
            ChangesUnpacked=changes,
            RecordsTransformed=transformed,
            RecordsRejected=rejected,
            RecordsDropped=dropped,
        )


def _why(met: Sequence[tuple[str, Rejection]]) -> dict[str, dict[str, Any]]:
    error = met[0][1].error
    return fields(
        reason=error.reason,
        pointer=error.pointer,
        detail=error.detail,
        changes=sum(found.changes for _, found in met),
        record_ids=[record_id for record_id, _ in met],
        lines=[found.number for _, found in met],
    )
