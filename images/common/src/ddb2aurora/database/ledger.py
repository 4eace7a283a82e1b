"""The ledger's idea of an object: what makes it the same object, so that it is loaded once."""

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """
    One object in S3.

    *version* is None in a bucket without versions, *etag* has no quotes, *region* is None when nobody said it.
    """

    bucket: str
    key: str
    version: str | None = None
    etag: str | None = None
    size: int | None = None
    region: str | None = None

    @property
    def object_id(self) -> bytes:
        """
        The identity of this content under this name: 32 bytes, since a key of 1,024 bytes fits no index.

        JSON keeps the parts apart, whatever characters they hold.
        """
        parts = ["version", self.version] if self.version else ["etag", self.etag or ""]
        return hashlib.sha256(json.dumps([self.bucket, self.key, *parts]).encode()).digest()

    @property
    def shown_version(self) -> str:
        """The version, or what stands for it, as the ledger shows it."""
        return self.version or self.etag or ""

    @property
    def url(self) -> str:
        """The object's name for people."""
        return f"s3://{self.bucket}/{self.key}"


def make_object_ref(
    bucket: str,
    key: str,
    *,
    version: str | None = None,
    etag: str | None = None,
    size: int | None = None,
    region: str | None = None,
) -> ObjectRef:
    """
    Return the object with its *version* and *etag* in their one form, wherever they were read.

    A listing shows the version of an object in a bucket without versions as `null`, and ETags in quotes; an event has
    neither.
    """
    return ObjectRef(
        bucket=bucket,
        key=key,
        version=None if version == "null" else version or None,
        etag=(etag or "").strip('"') or None,
        size=size,
        region=region or None,
    )
