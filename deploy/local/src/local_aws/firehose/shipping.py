"""Make an object of a shipment and hand it to S3."""

import gzip

from local_aws.firehose.buffers import Shipment
from local_aws.firehose.configuration import Place
from local_aws.firehose.services import Services


def body_of(shipment: Shipment, *, place: Place, delimiter: bytes, services: Services) -> bytes:
    """Return the bytes of the object, compressed if *place* says so."""
    datas = [part.data for part in shipment.parts]
    if services.faults.strikes("firehose.reorder_records"):
        services.faults.shuffle(datas)
    # AWS: nothing is put between records but by the processor AppendDelimiterToRecord, and by it only between them.
    body = delimiter.join(datas)
    return gzip.compress(body, compresslevel=1, mtime=0) if place.compressed else body


def store(shipment: Shipment, body: bytes, *, stream: str, version: int, place: Place, services: Services) -> None:
    """Write *body* to *place* under a name of its own, and again under another if the fault of duplicates strikes."""
    # AWS: a retry may store the same records twice, under another name; so each attempt gets a new name.
    for _ in range(2 if services.faults.strikes("firehose.duplicate_object") else 1):
        key = place.key(stream, version=version, arrival_ms=shipment.oldest_arrival_ms, ids=services.ids)
        services.s3.put_object(Bucket=place.bucket, Key=key, Body=body)
