"""The objects that a rebuild reads: which there are, and the lines in them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, IncompleteReadError

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.envelope import lines_of
from ddb2aurora.failed import FailedRecordError, decode_failed
from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import AwsCallError, aws_errors
from operator_cli.rebuilding.lines import DamagedObjectError, lines_in, unpacked
from operator_cli.rebuilding.runs import Kind
from operator_cli.redriving.kept import REPLAYED
from operator_cli.sweeping import objects_under

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES: Final = 2**18
_GONE: Final = frozenset(("NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412"))
# Objects bear the hour in which their oldest record came; Firehose tries for a day to write one.
_LATE_HOURS: Final = 26


class BackupBucket:
    """The bucket of one pipeline."""

    def __init__(self, s3: "S3Client", *, bucket: str, pipeline: Pipeline) -> None:
        """Read what *pipeline* left in *bucket*."""
        self._s3 = s3
        self._bucket = bucket
        self._pipeline = pipeline

    def backup(self, *, since: datetime | None = None) -> Iterator[ObjectRef]:
        """
        Yield every object of the backup, or all that may have been written *since* a time.

        Raises:
            AwsSetUpError: The bucket cannot be listed before someone acts.
            AwsCallError: It may be listed later.
        """
        prefix = f"backup/{self._pipeline.name}/"
        after = None if since is None else f"{prefix}{since - timedelta(hours=_LATE_HOURS):%Y/%m/%d/%H}"
        with aws_errors(where=f"bucket {self._bucket}"):
            yield from objects_under(self._s3, bucket=self._bucket, prefix=prefix, after=after)

    def oversized(self) -> Iterator[ObjectRef]:
        """
        Yield every object with changes that were too large for Firehose, and so for the backup.

        Raises:
            AwsSetUpError: The bucket cannot be listed before someone acts.
            AwsCallError: It may be listed later.
        """
        prefix = f"failed/{self._pipeline.name}/oversized/"
        with aws_errors(where=f"bucket {self._bucket}"):
            for place in (REPLAYED + prefix, prefix):
                yield from objects_under(self._s3, bucket=self._bucket, prefix=place)

    def lines(self, kind: Kind, ref: ObjectRef) -> Iterator[bytes | None]:
        """
        Yield the lines in *ref*: changes, or rows of an object that was loaded; None is one too long to be read.

        Raises:
            DamagedObjectError: The object is gone, breaks off, or is not what it should be.
            AwsSetUpError: It cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        if kind == "oversized":
            yield from self._oversized(ref)
        elif kind == "backup":
            yield from lines_in(unpacked(self._chunks(ref)))
        else:
            yield from lines_in(self._chunks(ref))

    def _oversized(self, ref: ObjectRef) -> Iterator[bytes]:
        content = b"".join(self._chunks(ref))
        try:
            for record in decode_failed(content):
                yield from lines_of(record.raw_data)
        except FailedRecordError as error:
            raise DamagedObjectError(str(error)) from error

    def _chunks(self, ref: ObjectRef) -> Iterator[bytes]:
        wanted = {"VersionId": ref.version} if ref.version else {"IfMatch": f'"{ref.etag}"'}
        with aws_errors(where=ref.url):
            try:
                body = self._s3.get_object(Bucket=ref.bucket, Key=ref.key, **wanted)["Body"]  # type: ignore[arg-type]  # one of two
            except ClientError as error:
                if error.response["Error"]["Code"] in _GONE:
                    raise DamagedObjectError("the object is gone") from error
                raise
            try:
                # A body that ends early raises, so that no half of an object is taken for the whole.
                yield from body.iter_chunks(_CHUNK_BYTES)
            except IncompleteReadError as error:
                raise AwsCallError(f"reading {ref.url} broke off") from error
            finally:
                body.close()
