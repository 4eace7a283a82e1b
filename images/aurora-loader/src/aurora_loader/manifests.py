"""
Objects that are loaded together: which ones, and the manifest that names them to Aurora.

A manifest lies in the bucket of its objects, under `manifests/<pipeline>/`, where nothing is announced.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import botocore.exceptions

from aurora_loader.sources import aurora_url
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.errors import RetryError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Aurora: the url of a manifest's entry has at most 1,024 characters.
_LONGEST_URL: Final = 1024
# The largest object that Firehose writes, so that no transaction is larger together than one object could make it.
_MOST_BYTES: Final = 128 * 2**20


class ManifestUnwritableError(RetryError):
    """A manifest cannot be written; its objects can still be loaded one by one."""


def bundles(refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, ...]]:
    """Yield groups of two and more of *refs* that one statement may load; what is in none is loaded alone."""
    by_bucket: dict[str, list[ObjectRef]] = {}
    # In one order for all loaders, so that two that meet at the ledger wait for each other in one direction.
    for ref in sorted(dict.fromkeys(refs), key=lambda ref: ref.object_id):
        if ref.size is not None and len(aurora_url(ref)) <= _LONGEST_URL:
            by_bucket.setdefault(ref.bucket, []).append(ref)
    for fitting in by_bucket.values():
        bundle: list[ObjectRef] = []
        for ref in fitting:
            if sum(found.size or 0 for found in [*bundle, ref]) > _MOST_BYTES:
                yield from _if_several(bundle)
                bundle = []
            bundle.append(ref)
        yield from _if_several(bundle)


def _if_several(bundle: list[ObjectRef]) -> Iterator[tuple[ObjectRef, ...]]:
    if len(bundle) > 1:
        yield tuple(bundle)


class Manifests:
    """The manifests of one pipeline."""

    def __init__(self, client: "S3Client", *, pipeline: str) -> None:
        """Write manifests of *pipeline* with *client*."""
        self._client = client
        self._pipeline = pipeline

    def write(self, refs: tuple[ObjectRef, ...]) -> ObjectRef:
        """
        Write the manifest of *refs*, which lie in one bucket, and return it; the same objects give the same name.

        Raises:
            ManifestUnwritableError: S3 refused it or was not reached.
        """
        name = hashlib.sha256(b"".join(ref.object_id for ref in refs)).hexdigest()
        manifest = ObjectRef(refs[0].bucket, f"manifests/{self._pipeline}/{name}.json", region=refs[0].region)
        # All are mandatory: otherwise Aurora would leave out in silence what is not there.
        entries = [{"url": aurora_url(ref), "mandatory": True} for ref in refs]
        try:
            self._client.put_object(
                Bucket=manifest.bucket,
                Key=manifest.key,
                Body=json.dumps({"entries": entries}).encode(),
                ContentType="application/json",
            )
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise ManifestUnwritableError(
                f"writing {manifest.url} failed ({type(error).__name__}); let the function's role put objects there, "
                "or set LOAD_MANIFEST=off"
            ) from error
        return manifest
