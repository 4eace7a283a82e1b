"""
Replay the failed records under `failed/`: those of Firehose, of the transformer, and changes too large for a record.

Each change is mapped by today's pipeline and its row written where Firehose would have written it, so that no limit of
Firehose applies and nothing is billed twice. What fails again stays under `failed/`, alone; the object as it was goes
to `replayed/`. Rows are written before the object moves: a redrive that is killed in between is run again and writes
the same rows, which the ledger and the versions know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from ddb2aurora.failed import FailedRecord, FailedRecordError, decode_failed, encode_failed
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Pipeline
from operator_cli.redriving.examined import Examined, examine
from operator_cli.redriving.kept import KeptObjects
from operator_cli.redriving.tally import Circuit, Sample, Tally
from operator_cli.row_objects import write_rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ORIGIN: Final = "redrive"
# Kept as the stream gave them, so that only the stream-processor can read them; see `malformed`.
_OF_THE_STREAM: Final = "malformed/"
_NOT_A_RECORD: Final = "not_a_failed_record"


@dataclass(frozen=True, slots=True)
class _Judged:
    """A failed record, and what becomes today of each change in it."""

    record: FailedRecord
    changes: tuple[Examined, ...]

    @property
    def left(self) -> FailedRecord | None:
        """The record without what can be loaded now; None when nothing is left of it."""
        lines = [change.line for change in self.changes if change.reason is not None]
        if not lines:
            return None
        return msgspec.structs.replace(self.record, raw_data=b"".join(lines))


class FailedRecords:
    """The failed records of one pipeline."""

    def __init__(self, s3: "S3Client", *, bucket: str, pipeline: Pipeline, horizon_ms: int) -> None:
        """Replay those of *pipeline* in *bucket*; its target refuses changes older than *horizon_ms*."""
        self._s3 = s3
        self._bucket = bucket
        self._pipeline = pipeline
        self._mapper = Mapper(pipeline)
        self._horizon_ms = horizon_ms
        self._kept = KeptObjects(s3, bucket=bucket)

    def redrive(self, tally: Tally, circuit: Circuit, *, dry: bool, limit: int | None = None) -> None:
        """
        Replay every failed record that can be loaded now, and tell *tally*.

        In a *dry* run nothing is written. After *limit* objects, and when *circuit* opens, the rest is left alone.

        Raises:
            AwsSetUpError: The bucket cannot be worked on before someone acts.
            AwsCallError: It may work later.
        """
        prefix = f"failed/{self._pipeline.name}/"
        for key in self._kept.keys(prefix):
            if key.removeprefix(prefix).startswith(_OF_THE_STREAM):
                continue
            if tally.kept_in == limit or circuit.is_open:
                return
            tally.kept_in += 1
            self._object(key, tally, circuit, dry=dry)

    def _object(self, key: str, tally: Tally, circuit: Circuit, *, dry: bool) -> None:
        try:
            records = tuple(self._judged(record) for record in decode_failed(self._kept.read(key)))
        except FailedRecordError as error:
            tally.fail(_NOT_A_RECORD, Sample(self._kept.url(key), "-", f"{_NOT_A_RECORD}: {error}"))
            circuit.note(tried=1, failed=1)
            return
        changes = [change for judged in records for change in judged.changes]
        failing = [change for change in changes if change.reason is not None]
        for change in failing:
            tally.fail(str(change.reason), Sample(self._kept.url(key), change.key, change.detail))
        circuit.note(tried=len(changes), failed=len(failing))
        rows = [change.row for change in changes if change.row is not None]
        if circuit.is_open:
            tally.left += len(changes) - len(failing)
            return
        tally.redriven += len(rows)
        tally.dropped += len(changes) - len(failing) - len(rows)
        if dry or len(failing) == len(changes) > 0:
            return
        self._settle(key, records, rows)
        tally.settled += not failing

    def _settle(self, key: str, records: Sequence[_Judged], rows: Sequence[bytes]) -> None:
        note = "nothing to load"
        if rows:
            written = write_rows(
                self._s3,
                rows,
                bucket=self._bucket,
                pipeline=self._pipeline,
                origin=ORIGIN,
                # The hour of the oldest record, so that the same redrive run twice writes the same object.
                at_ms=min(judged.record.arrival_timestamp for judged in records),
            )
            note = f"{len(rows)} rows in {written.key}"
        left = b"".join(encode_failed(record) for judged in records if (record := judged.left) is not None)
        self._kept.settle(key, note=note, left=left)

    def _judged(self, record: FailedRecord) -> _Judged:
        return _Judged(record, tuple(examine(record.raw_data, self._mapper, horizon_ms=self._horizon_ms)))
