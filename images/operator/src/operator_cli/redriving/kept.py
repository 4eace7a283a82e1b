"""Objects that keep failures, and where they go once they were replayed: to the same key under `replayed/`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from operator_cli.aws import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REPLAYED: Final = "replayed/"


class KeptObjects:
    """The objects of one bucket that keep failures."""

    def __init__(self, s3: "S3Client", *, bucket: str) -> None:
        """Work on *bucket* by *s3*."""
        self._s3 = s3
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterator[str]:
        """
        Yield the key of every object under *prefix*.

        Raises:
            AwsSetUpError: The bucket cannot be listed before someone acts.
            AwsCallError: It may be listed later.
        """
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with aws_errors(where=f"bucket {self._bucket}"):
            for page in pages:
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def read(self, key: str) -> bytes:
        """
        Return the content of an object.

        Raises:
            AwsSetUpError: It cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        with aws_errors(where=self.url(key)):
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def settle(self, key: str, *, note: str, left: bytes = b"") -> None:
        """
        Move an object to `replayed/` with a *note* of what became of it; what is *left* of it stays under its key.

        Raises:
            AwsSetUpError: The bucket refuses it before someone acts.
            AwsCallError: It may work later.
        """
        with aws_errors(where=self.url(key)):
            self._s3.copy_object(
                Bucket=self._bucket,
                Key=REPLAYED + key,
                CopySource={"Bucket": self._bucket, "Key": key},
                Metadata={"replayed-at": datetime.now(UTC).isoformat(timespec="seconds"), "outcome": note},
                MetadataDirective="REPLACE",
            )
            if left:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=left)
            else:
                self._s3.delete_object(Bucket=self._bucket, Key=key)

    def url(self, key: str) -> str:
        """Return the name of an object for people."""
        return f"s3://{self._bucket}/{key}"
