"""
What the manifests of an export say: its table, its time, its files. Pure, but for the reading of the two manifests.

AWS writes, under `<prefix>/AWSDynamoDB/<export id>/`, `manifest-summary.json`, `manifest-files.json` (JSON lines), and
beside each a `.md5`. Anything that is not as AWS writes it is refused before a row is written.
"""

import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import AwsSetUpError, aws_errors
from operator_cli.backfilling.errors import ExportError, NoStreamError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_URL: Final = re.compile(r"s3://(?P<bucket>[a-z0-9.-]{3,63})/(?P<prefix>.+?)/?", re.ASCII)
_TABLE_ARN: Final = re.compile(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/(?P<name>[^/]+)")
_YEAR_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ExportPlace(NamedTuple):
    """Where an export lies: the *prefix* holds its id, and has no slash at its end."""

    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        """The place for people, in one form however it was written."""
        return f"s3://{self.bucket}/{self.prefix}/"


class DataFile(NamedTuple):
    """One file of an export: its *key*, the MD5 of its bytes in base64, and how many *items* it has."""

    key: str
    md5: str
    items: int


class Export(NamedTuple):
    """A full export in DynamoDB JSON: what it is of, when that was (ms since 1970), and its *files* in one order."""

    place: ExportPlace
    table: str
    at_ms: int
    items: int
    files: tuple[DataFile, ...]


class _Summary(msgspec.Struct, rename="camel"):
    table_arn: str
    export_time: str | None = None
    item_count: int = 0
    output_format: str = ""
    export_type: str = "FULL_EXPORT"
    manifest_files_s3_key: str = msgspec.field(name="manifestFilesS3Key", default="")


class _File(msgspec.Struct, rename="camel"):
    item_count: int
    md5_checksum: str
    data_file_s3_key: str = msgspec.field(name="dataFileS3Key")


def place_of(url: str) -> ExportPlace:
    """
    Return the place that *url* names: the folder of an export, or a file in it.

    Raises:
        ExportError: It names none.
    """
    match = _URL.fullmatch(url.strip())
    if match is None:
        raise ExportError(
            f"{url!r} is no place of an export; name its folder: s3://bucket/prefix/AWSDynamoDB/01764000000000-abcdef12/"
        )
    return ExportPlace(match["bucket"], match["prefix"].removesuffix("/manifest-summary.json"))


def read_export(s3: "S3Client", place: ExportPlace) -> Export:
    """
    Return the export at *place*, as its manifests describe it.

    Raises:
        ExportError: There is none, it is not finished, it is not as AWS wrote it, or none that can be backfilled from.
        AwsSetUpError: The bucket cannot be read before someone acts.
        AwsCallError: It may be read later.
    """
    summary_key = f"{place.prefix}/manifest-summary.json"
    summary = parse_summary(_checked(s3, place, summary_key), where=f"s3://{place.bucket}/{summary_key}")
    files_key = f"{place.prefix}/manifest-files.json"
    files = parse_files(_checked(s3, place, files_key), where=f"s3://{place.bucket}/{files_key}")
    match = _TABLE_ARN.fullmatch(summary.table_arn)
    if match is None or summary.export_time is None:
        raise ExportError(f"{place.url}: the manifest names no table or no time; is it that of an export?")
    counted = sum(file.items for file in files)
    if counted != summary.item_count:
        raise ExportError(
            f"{place.url}: the manifest speaks of {summary.item_count} items and its files of {counted}; export again"
        )
    return Export(place, match["name"], _milliseconds(summary.export_time, place), counted, files)


def check_export(export: Export, pipeline: Pipeline, *, stream_began_ms: int, horizon_ms: int) -> None:
    """
    Make sure that the items of *export*, and the changes since, are all that the target of *pipeline* needs.

    Raises:
        ExportError: It is of another table, or older than the deletes that the target remembers.
        NoStreamError: The stream was switched on after it.
    """
    if export.table != pipeline.source_table:
        raise ExportError(
            f"{export.place.url} is an export of table {export.table}, and pipeline {pipeline.name} reads "
            f"{pipeline.source_table}"
        )
    if export.at_ms < stream_began_ms:
        raise NoStreamError(
            f"{export.place.url} is of {_shown(export.at_ms)}, and the stream of the table was switched on at "
            f"{_shown(stream_began_ms)}: what changed in between is in neither. Export again, from now on"
        )
    if export.at_ms < horizon_ms:
        raise ExportError(
            f"{export.place.url} is of {_shown(export.at_ms)}, and the target has forgotten the deletes from before "
            f"{_shown(horizon_ms)}: deleted rows could come back, and the loader refuses it. Export again"
        )


def parse_summary(content: bytes, *, where: str) -> _Summary:
    """
    Return what a `manifest-summary.json` says.

    Raises:
        ExportError: It is not one, or that of an export which cannot be backfilled from.
    """
    try:
        summary = msgspec.json.decode(content, type=_Summary)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ExportError(f"{where} is no manifest of an export ({type(error).__name__}); export again") from error
    if summary.export_type != "FULL_EXPORT":
        raise ExportError(
            f"{where} is of an incremental export, whose changes have no sequence number and so no place among those "
            "of the stream; make a full export"
        )
    if summary.output_format != "DYNAMODB_JSON":
        raise ExportError(f"{where}: the format is {summary.output_format or 'not named'}; export as DYNAMODB_JSON")
    return summary


def parse_files(content: bytes, *, where: str) -> tuple[DataFile, ...]:
    """
    Return the files that a `manifest-files.json` names, in the order of their keys.

    Raises:
        ExportError: It is not one.
    """
    try:
        found = [msgspec.json.decode(line, type=_File) for line in content.split(b"\n") if line.strip()]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ExportError(f"{where} is no list of files ({type(error).__name__}); export again") from error
    return tuple(sorted(DataFile(file.data_file_s3_key, file.md5_checksum, file.item_count) for file in found))


def same_md5(found: Any, expected: str) -> bool:  # noqa: ANN401 - hashlib's type has no name
    """Return whether *expected* is the MD5 *found*, written in base64 as AWS does, or in hexadecimal digits."""
    return expected.strip() in {b64encode(found.digest()).decode(), found.hexdigest()}


def _checked(s3: "S3Client", place: ExportPlace, key: str) -> bytes:
    content, checksum = (_read(s3, place, name) for name in (key, f"{key.removesuffix('.json')}.md5"))
    if not same_md5(hashlib.md5(content, usedforsecurity=False), checksum.decode("ascii", "replace")):
        raise ExportError(f"s3://{place.bucket}/{key} is not what AWS wrote: its MD5 is another; export again")
    return content


def _read(s3: "S3Client", place: ExportPlace, key: str) -> bytes:
    try:
        with aws_errors(where=f"s3://{place.bucket}/{key}"):
            return s3.get_object(Bucket=place.bucket, Key=key)["Body"].read()
    except AwsSetUpError as error:
        raise ExportError(
            f"{place.url} holds no finished export that can be read ({error}); name the folder with the export's id, "
            "below AWSDynamoDB/, and wait until the export is COMPLETED"
        ) from error


def _milliseconds(text: str, place: ExportPlace) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ExportError(f"{place.url}: the manifest's exportTime is no time; export again") from error
    return round((at.astimezone(UTC) - _YEAR_1970).total_seconds() * 1000)


def _shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
