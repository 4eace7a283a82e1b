"""
Load again the rows that the database refused, once its table was mended.

Rows that were refused for one reason are tried by one of them first: while that one is refused, the others are left
alone. A row that is loaded again moves from its old object's rejects to a new object, and from there into the target,
or, refused once more, into the rejects of the new object: each row is among the rejects at most once.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ddb2aurora.database.connection import as_template
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.pipeline import Pipeline
from operator_cli.invoking import FunctionFailedError, Invoke
from operator_cli.redriving.examined import examine_row
from operator_cli.redriving.records import ORIGIN
from operator_cli.redriving.tally import Circuit, Sample, Tally
from operator_cli.row_objects import write_rows
from operator_cli.sweeping import announcement_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from operator_cli.site import Database

_CHUNK_ROWS: Final = 1000


class _Reject(NamedTuple):
    object_id: bytes
    line_number: int
    where: str
    line: bytes
    rejected_at_ms: int


class RejectedRows:
    """The rejects of one pipeline."""

    def __init__(
        self,
        s3: "S3Client",
        *,
        bucket: str,
        pipeline: Pipeline,
        database: "Database",
        loader: Invoke,
        horizon_ms: int,
    ) -> None:
        """Write rows of *pipeline* to *bucket* again, and have *loader* load them into *database*."""
        self._s3 = s3
        self._bucket = bucket
        self._pipeline = pipeline
        self._connection = database.connection
        self._table = as_template(database.tables.rejects.quoted)
        self._loader = loader
        self._horizon_ms = horizon_ms

    def redrive(self, tally: Tally, circuit: Circuit, *, dry: bool, limit: int | None = None) -> None:
        """
        Load every reject again, reason by reason; *limit* bounds the reasons. See `records.FailedRecords.redrive`.

        Raises:
            AwsSetUpError: The bucket or the function cannot be used before someone acts.
            AwsCallError: It may work later.
            pymysql.err.Error: The database did not answer.
        """
        # A row that is refused again is a newer reject, and none of this run's business.
        ((started,),) = self._connection.rows("SELECT UTC_TIMESTAMP(6)")
        for reason, count in self._reasons():
            if tally.kept_in == limit or circuit.is_open:
                return
            tally.kept_in += 1
            tried = 0
            for chunk in self._chunks(reason, before=started, first_alone=not dry):
                tried += len(chunk)
                if not self._chunk(reason, chunk, tally, circuit, dry=dry) or circuit.is_open:
                    break
            tally.left += count - tried
            tally.settled += tried == count and not dry

    def _chunk(self, reason: str, chunk: Sequence[_Reject], tally: Tally, circuit: Circuit, *, dry: bool) -> bool:
        """Load *chunk* again and return whether to go on with this reason."""
        rows: list[bytes] = []
        trying: list[_Reject] = []
        for reject in chunk:
            examined = examine_row(reject.line, horizon_ms=self._horizon_ms)
            if examined.row is None:
                tally.fail(str(examined.reason), Sample(reject.where, examined.key, examined.detail))
                continue
            rows.append(examined.row)
            trying.append(reject)
        if not trying:
            return True
        if dry:
            sample = examine_row(trying[0].line, horizon_ms=self._horizon_ms)
            tally.redriven += len(trying)
            tally.samples.append(Sample(trying[0].where, sample.key, f"refused before: {reason}"))
            return True
        ref = write_rows(
            self._s3,
            rows,
            bucket=self._bucket,
            pipeline=self._pipeline,
            # Named by where they are kept: a row that is refused once more is kept elsewhere, so that its next try is
            # another object to the ledger, while one that was killed before it noted its success is the same.
            origin=f"{ORIGIN}-{_places(trying)}",
            at_ms=min(reject.rejected_at_ms for reject in trying),
        )
        try:
            self._loader(announcement_of(ref))
        except FunctionFailedError as error:
            tally.fail(error.error_type, Sample(ref.url, "-", f"{error.error_type}: {error.reason}"), count=len(trying))
            circuit.note(tried=len(trying), failed=len(trying))
            return False
        self._forget(trying)
        refused = self._refused(ref)
        for line, why in refused:
            key = examine_row(line, horizon_ms=self._horizon_ms).key
            tally.fail(why, Sample(ref.url, key, f"{why}: refused again"))
        circuit.note(tried=len(trying), failed=len(refused))
        tally.redriven += len(trying) - len(refused)
        return len(refused) < len(trying)

    def _reasons(self) -> list[tuple[str, int]]:
        """Return each reason, and how many rows were refused for it when the redrive began."""
        return [
            (str(reason), int(count))
            for reason, count in self._connection.rows(
                f"SELECT reason, COUNT(*) FROM {self._table} WHERE pipeline = %s GROUP BY reason ORDER BY reason",
                (self._pipeline.name,),
            )
        ]

    def _chunks(self, reason: str, *, before: object, first_alone: bool) -> Iterator[list[_Reject]]:
        """Yield the rows refused for *reason* *before* a time, in chunks, the first row alone where that is wanted."""
        after: tuple[bytes, int] = (b"", 0)
        size = 1 if first_alone else _CHUNK_ROWS
        while True:
            found = self._connection.rows(
                "SELECT object_id, line_number, object_key, line, "
                f"TIMESTAMPDIFF(MICROSECOND, '1970-01-01', rejected_at) DIV 1000 FROM {self._table} "
                "WHERE pipeline = %s AND reason = %s AND rejected_at < %s AND (object_id, line_number) > (%s, %s) "
                "ORDER BY object_id, line_number LIMIT %s",
                (self._pipeline.name, reason, before, *after, size),
            )
            if not found:
                return
            chunk = [
                _Reject(bytes(object_id), number, f"{key}, line {number}", bytes(line), int(at_ms))
                for object_id, number, key, line, at_ms in found
            ]
            after = (chunk[-1].object_id, chunk[-1].line_number)
            size = _CHUNK_ROWS
            yield chunk

    def _forget(self, rejects: Sequence[_Reject]) -> None:
        # In one statement: the rows are in the target now, or among the rejects of the object that was just loaded.
        places = ", ".join(["(%s, %s)"] * len(rejects))
        arguments = tuple(part for reject in rejects for part in (reject.object_id, reject.line_number))
        self._connection.run(
            f"DELETE FROM {self._table} WHERE (object_id, line_number) IN ({places})",
            arguments,
        )

    def _refused(self, ref: ObjectRef) -> list[tuple[bytes, str]]:
        return [
            (bytes(line), str(reason))
            for line, reason in self._connection.rows(
                f"SELECT line, reason FROM {self._table} WHERE object_id = %s ORDER BY line_number", (ref.object_id,)
            )
        ]


def _places(rejects: Sequence[_Reject]) -> str:
    digest = hashlib.sha256()
    for reject in rejects:
        digest.update(reject.object_id + reject.line_number.to_bytes(8))
    return digest.hexdigest()[:12]
