"""Which objects the ledger lacks, and the event that has them loaded."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from ddb2aurora.database.ledger import ObjectRef, make_object_ref
from ddb2aurora.sql import LOADS_TABLE, quote_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from pymysql.connections import Connection


def objects_under(
    s3: "S3Client", *, bucket: str, prefix: str, region: str | None = None, before: datetime | None = None
) -> Iterator[ObjectRef]:
    """
    Yield every object under *prefix*, each version of a key as one; with *before* only those written earlier.

    Raises:
        ClientError: The bucket cannot be listed.
    """
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Versions", []):
            if before is None or entry["LastModified"] < before:
                yield make_object_ref(
                    bucket,
                    entry["Key"],
                    version=entry.get("VersionId"),
                    etag=entry.get("ETag"),
                    size=entry.get("Size"),
                    region=region,
                )


def loaded_ids(connection: "Connection[Any]", *, database: str, pipeline: str) -> frozenset[bytes]:
    """
    Return the identities of all objects that the ledger holds for *pipeline*.

    Raises:
        pymysql.err.Error: The database did not answer.
    """
    ledger = quote_name(database, LOADS_TABLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT object_id FROM {ledger} WHERE pipeline = %s", (pipeline,))  # noqa: S608 - quoted
        return frozenset(bytes(object_id) for (object_id,) in cursor.fetchall())


def missing(objects: Iterator[ObjectRef], *, loaded: Collection[bytes]) -> Iterator[ObjectRef]:
    """Yield those of *objects* whose identity is not *loaded*."""
    return (ref for ref in objects if ref.object_id not in loaded)


def announcement_of(ref: ObjectRef) -> dict[str, Any]:
    """Return the event that S3 would send about *ref*."""
    entry: dict[str, Any] = {"key": quote_plus(ref.key, safe="/"), "size": ref.size, "eTag": ref.etag}
    if ref.version is not None:
        entry["versionId"] = ref.version
    record: dict[str, Any] = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": ref.bucket}, "object": entry},
    }
    if ref.region is not None:
        record["awsRegion"] = ref.region
    return {"Records": [record]}
