"""
The history of one item: changes in the backup, rows in objects, failed records, rejects.

Nothing of it is indexed by key, so all objects of some hours are read, the newest first; how many is bounded, and said.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.ledger import make_object_ref
from ddb2aurora.database.schema import Tables
from ddb2aurora.failed import FailedRecordError, decode_failed
from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import aws_errors
from operator_cli.inspecting.traces import Place, Trace, Traces, version_in

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOT_GZIP: Final = (OSError, EOFError, zlib.error)
_MOST_REJECTS: Final = 10_000
_MOST_TRACES: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """An object in the bucket."""

    key: str
    etag: str
    version: str | None
    written_at: datetime


class History:
    """The search for the traces of one item."""

    def __init__(
        self,
        s3: "S3Client",
        *,
        bucket: str,
        pipeline: Pipeline,
        traces: Traces,
        connection: DatabaseConnection,
        tables: Tables,
        since: datetime,
        most_objects: int,
    ) -> None:
        """Search what was written to *bucket* from *since* on, in no more than *most_objects* objects of each place."""
        self._s3 = s3
        self._bucket = bucket
        self._pipeline = pipeline
        self._traces = traces
        self._connection = connection
        self._tables = tables
        self._since = since
        self._most_objects = most_objects
        self.objects_read = 0
        self.is_cut_short = False

    def find(self, *, now: datetime) -> tuple[Trace, ...]:
        """
        Return the traces of the item, the oldest change first.

        Raises:
            AwsSetUpError: The bucket cannot be read before someone acts.
            AwsCallError: It may be read later.
            pymysql.err.Error: The database did not answer.
        """
        found = [*self._backup(now), *self._processed(now), *self._failed(), *self._rejects()]
        found.sort(key=lambda trace: (trace.version, trace.place))
        if len(found) > _MOST_TRACES:
            self.is_cut_short = True
        return tuple(found[-_MOST_TRACES:])

    def _backup(self, now: datetime) -> Iterator[Trace]:
        for entry in self._objects(f"backup/{self._pipeline.name}/", now=now):
            content = self._read(entry)
            with contextlib.suppress(*_NOT_GZIP):  # an uncompressed one is read as it is
                content = gzip.decompress(content)
            yield from self._changes("backup", entry, content, note="")

    def _failed(self) -> Iterator[Trace]:
        for entry in self._objects(f"failed/{self._pipeline.name}/", now=None):
            try:
                records = list(decode_failed(self._read(entry)))
            except FailedRecordError:
                continue
            for record in records:
                yield from self._changes("failed", entry, record.raw_data, note=record.error_code)

    def _changes(self, place: Place, entry: Found, data: bytes, *, note: str) -> Iterator[Trace]:
        for change, rejected in self._traces.in_record(data):
            yield Trace(
                place,
                self._url(entry),
                version_in(change),
                change.changed_at_ms,
                change.event,
                entry.written_at,
                note=", ".join(filter(None, (note, rejected))),
            )

    def _processed(self, now: datetime) -> Iterator[Trace]:
        prefix = f"processed/{self._pipeline.name}/{self._pipeline.target_table}/"
        for entry in self._objects(prefix, now=now):
            rows = list(self._traces.in_row_object(self._read(entry)))
            loaded_at = self._loaded_at(entry) if rows else None
            for row in rows:
                what = {"U": "upsert", "D": "delete", "S": "soft delete"}[row.operation]
                yield Trace(
                    "processed", self._url(entry), row.version, row.changed_at_ms, what, entry.written_at, loaded_at
                )

    def _loaded_at(self, entry: Found) -> datetime | None:
        ref = make_object_ref(self._bucket, entry.key, version=entry.version, etag=entry.etag)
        rows = self._connection.rows(
            f"SELECT loaded_at FROM {as_template(self._tables.loads.quoted)} WHERE object_id = %s", (ref.object_id,)
        )
        return rows[0][0].replace(tzinfo=UTC) if rows else None

    def _rejects(self) -> Iterator[Trace]:
        rows = self._connection.rows(
            "SELECT bucket, object_key, line_number, reason, line, rejected_at "
            f"FROM {as_template(self._tables.rejects.quoted)} "
            "WHERE pipeline = %s AND target_table = %s AND rejected_at >= %s ORDER BY rejected_at DESC LIMIT %s",
            (
                self._pipeline.name,
                self._pipeline.target_table,
                self._since.astimezone(UTC).replace(tzinfo=None),
                _MOST_REJECTS,
            ),
        )
        for bucket, key, line_number, reason, line, rejected_at in rows:
            for row in self._traces.in_row_object(bytes(line)):
                yield Trace(
                    "rejects",
                    f"s3://{bucket}/{key} line {line_number}",
                    row.version,
                    row.changed_at_ms,
                    row.operation,
                    rejected_at.replace(tzinfo=UTC),
                    note=str(reason),
                )

    def _objects(self, prefix: str, *, now: datetime | None) -> Iterator[Found]:
        """Yield objects under *prefix* that are not too old; with *now* it has hours below it, the newest first."""
        prefixes = [prefix] if now is None else [f"{prefix}{hour:%Y/%m/%d/%H}/" for hour in self._hours(now)]
        count = 0
        for one in prefixes:
            for entry in self._listed(one):
                if entry.written_at < self._since:
                    continue
                count += 1
                if count > self._most_objects:
                    self.is_cut_short = True
                    return
                yield entry

    def _hours(self, now: datetime) -> Iterator[datetime]:
        # Firehose names an object by the hour in which its first record arrived.
        hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        while hour >= self._since - timedelta(hours=1):
            yield hour
            hour -= timedelta(hours=1)

    def _listed(self, prefix: str) -> Iterator[Found]:
        # Versions, as the ledger knows them; in a bucket without versions each object is one.
        with aws_errors(where=f"bucket {self._bucket}"):
            for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Versions", []):
                    yield Found(entry["Key"], entry.get("ETag", ""), entry.get("VersionId"), entry["LastModified"])

    def _read(self, entry: Found) -> bytes:
        self.objects_read += 1
        version = {} if entry.version in (None, "null") else {"VersionId": str(entry.version)}
        with aws_errors(where=self._url(entry)):
            return self._s3.get_object(Bucket=self._bucket, Key=entry.key, **version)["Body"].read()  # type: ignore[arg-type] # one optional argument

    def _url(self, entry: Found) -> str:
        return f"s3://{self._bucket}/{entry.key}"
