"""
Which objects the ledger lacks, and the event that has them loaded.

Neither the listing nor the ledger is held in memory: objects come page by page, and of each few hundred the ledger is
asked for those that it has, by its primary key.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from ddb2aurora.database.connection import as_template
from ddb2aurora.database.ledger import ObjectRef, make_object_ref
from ddb2aurora.sql import LOADS_TABLE, quote_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from pymysql.connections import Connection

_ASKED_AT_ONCE: Final = 500


@dataclass(slots=True)
class Looked:
    """
    How many objects were *seen* so far, and how many of them were *young*, and left to their own event.

    *newest* is when the last of them was written.
    """

    seen: int = 0
    young: int = 0
    newest: datetime | None = None


def objects_under(
    s3: "S3Client",
    *,
    bucket: str,
    prefix: str,
    region: str | None = None,
    before: datetime | None = None,
    after: str | None = None,
    looked: Looked | None = None,
) -> Iterator[ObjectRef]:
    """
    Yield every object under *prefix* in the order of their keys, each version of a key as one.

    With *before* only those written earlier, with *after* only those whose key comes later; *looked* counts along.

    Raises:
        ClientError: The bucket cannot be listed.
    """
    paginator, counts = s3.get_paginator("list_object_versions"), looked or Looked()
    pages = (
        paginator.paginate(Bucket=bucket, Prefix=prefix)
        if after is None
        else paginator.paginate(Bucket=bucket, Prefix=prefix, KeyMarker=after)  # type: ignore[call-arg]  # of every page
    )
    for page in pages:
        for entry in page.get("Versions", []):
            counts.seen += 1
            counts.newest = max(counts.newest or entry["LastModified"], entry["LastModified"])
            if before is not None and entry["LastModified"] >= before:
                counts.young += 1
                continue
            yield make_object_ref(
                bucket,
                entry["Key"],
                version=entry.get("VersionId"),
                etag=entry.get("ETag"),
                size=entry.get("Size"),
                region=region,
            )


def folders_under(s3: "S3Client", *, bucket: str, prefix: str) -> tuple[str, ...]:
    """
    Return what stands between *prefix* and the next slash, each with it: the tables that objects were written for.

    Raises:
        ClientError: The bucket cannot be listed.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    return tuple(found["Prefix"] for page in pages for found in page.get("CommonPrefixes", []))


def lacking(objects: Iterable[ObjectRef], *, connection: "Connection[Any]", database: str) -> Iterator[ObjectRef]:
    """
    Yield those of *objects* that the ledger in *database* lacks.

    An object is listed before the ledger is asked, so that one which is loaded in between is not taken for missing.

    Raises:
        pymysql.err.Error: The database did not answer.
    """
    remaining = iter(objects)
    ledger = as_template(quote_name(database, LOADS_TABLE))
    while refs := tuple(islice(remaining, _ASKED_AT_ONCE)):
        places = ", ".join(["%s"] * len(refs))
        statement = f"SELECT object_id FROM {ledger} WHERE object_id IN ({places})"  # noqa: S608 - our names
        with connection.cursor() as cursor:
            cursor.execute(statement, [ref.object_id for ref in refs])
            found = {bytes(object_id) for (object_id,) in cursor.fetchall()}
        yield from (ref for ref in refs if ref.object_id not in found)


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
