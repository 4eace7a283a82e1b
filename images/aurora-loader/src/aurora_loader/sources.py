"""
The two ways of an object into a table: Aurora fetches it from S3 itself, or the loader sends it.

Both are equally strict in the end: LOCAL turns errors into warnings, and the caller takes any warning for an error.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal, Protocol

import botocore.exceptions

from ddb2aurora.database.connection import DatabaseConnection, Effect
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.errors import HaltError, RetryError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

_CHUNK_BYTES: Final = 2**18
# The object was deleted, or replaced by another, which has an event of its own.
_GONE: Final = ("NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412")
_REFUSED: Final = ("AccessDenied", "403", "NoSuchBucket", "AllAccessDisabled", "InvalidAccessKeyId")


class ObjectUnreadableError(RetryError):
    """An object cannot be read now."""


class ObjectRefusedError(HaltError):
    """The loader may not read an object."""


class Source(Protocol):
    """A way of an object into a table."""

    @property
    def set_up(self) -> tuple[str, ...]:
        """Statements that a new connection needs for it."""
        ...

    def load(self, connection: DatabaseConnection, ref: ObjectRef, *, into: str) -> Effect:
        """
        Load the object; *into* is the LOAD statement from INTO TABLE on.

        Raises:
            ObjectUnreadableError: The object cannot be read now.
            ObjectRefusedError: The loader may not read it.
            pymysql.err.Error: The server refused the statement, or the connection was lost.
        """
        ...


class AuroraSource:
    """LOAD DATA FROM S3: Aurora reads the object, the one that bears the name now."""

    # Aurora 3 and 8.4: the role AWS_LOAD_S3_ACCESS has to be active, and granting it is not enough for that.
    set_up: tuple[str, ...] = ("SET ROLE ALL",)

    def __init__(self, *, what: Literal["FILE", "MANIFEST"] = "FILE") -> None:
        """Take each object for a FILE of rows, or for a MANIFEST of such files."""
        self._what = what

    def load(self, connection: DatabaseConnection, ref: ObjectRef, *, into: str) -> Effect:
        """See `Source.load`."""
        # The name has to be a literal.
        return connection.run(f"LOAD DATA FROM S3 {self._what} {connection.escape(aurora_url(ref))} {into}")


def aurora_url(ref: ObjectRef) -> str:
    """Return *ref* as Aurora names objects; the key stands in it as it is, not URL-encoded."""
    scheme = f"s3-{ref.region}" if ref.region else "s3"
    return f"{scheme}://{ref.bucket}/{ref.key}"


class LocalSource:
    """LOAD DATA LOCAL: the loader passes the object on as it arrives, without a copy in memory or on disk."""

    set_up: tuple[str, ...] = ()

    def __init__(self, client: "S3Client") -> None:
        """Read objects with *client*."""
        self._client = client

    def load(self, connection: DatabaseConnection, ref: ObjectRef, *, into: str) -> Effect:
        """See `Source.load`."""
        try:
            return connection.run_local(f"LOAD DATA LOCAL INFILE {{file}} {into}", self._chunks(ref))
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _REFUSED:
                raise ObjectRefusedError(
                    f"reading {ref.url} failed: {code}; let the function's role read the bucket"
                ) from error
            hint = "it is not there (any more)" if code in _GONE else "it may pass"
            raise ObjectUnreadableError(f"reading {ref.url} failed: {code}; {hint}") from error
        except botocore.exceptions.BotoCoreError as error:
            raise ObjectUnreadableError(f"reading {ref.url} broke off: {type(error).__name__}") from error

    def _chunks(self, ref: ObjectRef) -> Iterator[bytes]:
        request: GetObjectRequestTypeDef = {"Bucket": ref.bucket, "Key": ref.key}
        if ref.version is not None:
            request["VersionId"] = ref.version
        elif ref.etag is not None:
            # Quotes belong to an ETag in HTTP.
            request["IfMatch"] = f'"{ref.etag}"'
        body = self._client.get_object(**request)["Body"]
        try:
            # A body that ends early raises, so that no half of an object is taken for the whole.
            yield from body.iter_chunks(_CHUNK_BYTES)
        finally:
            body.close()
