"""The edge to AWS: the bucket that keeps rejects. The SDK is loaded when the first of them is written, if ever."""

from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from ddb2aurora.errors import RetryError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Firehose waits five minutes for an answer, and an event has few objects to write; so this can only be a part of it.
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 10
_ATTEMPTS: Final = 3


class NotKeptError(RetryError):
    """Rejects could not be written to `failed/`; their records have to be handed back whole."""


class Quarantine(Protocol):
    """Where rejects go."""

    def write(self, key: str, content: bytes) -> None:
        """
        Keep *content* under *key*.

        Raises:
            NotKeptError: It is not kept.
        """
        ...


class NoBucket:
    """No place for rejects: a pipeline that does not pack needs none."""

    def write(self, _key: str, _content: bytes) -> None:
        """
        Refuse.

        Raises:
            NotKeptError: Always.
        """
        raise NotKeptError(
            "a packed record has rejects, but BUCKET_NAME is not set; set it to the bucket that holds processed/ and "
            "failed/"
        )


class FailedObjects:
    """The place of rejects: `failed/` in the pipeline's bucket."""

    def __init__(self, bucket: str) -> None:
        """Write to *bucket*."""
        self._bucket = bucket

    def write(self, key: str, content: bytes) -> None:
        """
        Write *content* under *key*; what lies there is replaced.

        Raises:
            NotKeptError: S3 did not take it.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - most functions never need the SDK

        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/x-ndjson")
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            raise NotKeptError(
                f"PutObject on {self._bucket} failed with {code}; check BUCKET_NAME and the rights of the function's "
                "role on failed/"
            ) from error
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no address
            raise NotKeptError(f"PutObject on {self._bucket} failed with {type(error).__name__}") from error

    @cached_property
    def _client(self) -> "S3Client":
        import boto3  # noqa: PLC0415 - as above
        from botocore.config import Config  # noqa: PLC0415 - as above

        return boto3.client(
            "s3",
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            ),
        )
