"""When objects are written, what they hold and how they are named."""

import gzip
import json
import re
import time
from datetime import UTC, datetime
from urllib.parse import quote_plus

from conformance.rule import awaited, expect, rule
from conformance.subject import Subject, place, utc_hour

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NAME = r"{stream}-{version}-\d{{4}}(-\d\d){{5}}-{uuid}"


@rule("No object is written before the interval is over, and then one with all records (`IntervalInSeconds`)")
def buffered_by_interval(subject: Subject) -> None:
    stream = subject.stream(seconds=3)

    stream.put(b"one\n")
    stream.put(b"two\n")
    time.sleep(1)

    early = stream.objects()
    expect(early == {}, f"{len(early)} object(s) after one second of three")
    bodies = list(stream.first().values())
    expect(bodies == [b"one\ntwo\n"], f"delivered {bodies}")


@rule("Records wait until they are enough for an object, and no longer (`SizeInMBs`)")
def buffered_by_size(subject: Subject) -> None:
    stream = subject.stream(seconds=60, megabytes=1)

    stream.put(b"x")
    time.sleep(1)
    early = len(stream.objects())
    stream.put(*[b"x" * 600_000] * 2)

    expect(early == 0, "an object of one byte after one second of sixty")
    expect(bool(stream.first()), "no object of more than a megabyte")


@rule("Without a transformation the data is what was put, byte for byte (`UNCOMPRESSED`)")
def data_is_untouched(subject: Subject) -> None:
    stream = subject.stream(CompressionFormat="UNCOMPRESSED")
    every_byte = bytes(range(256))

    stream.put(every_byte)

    data = stream.data(length=256)
    expect(data == every_byte, f"{len(data)} other bytes")


@rule("`CompressionFormat` `GZIP` writes gzip, with `.gz` at the end of the name")
def gzip_format(subject: Subject) -> None:
    stream = subject.stream(CompressionFormat="GZIP")

    stream.put(b"one\n")

    found = stream.first()
    expect(bool(found), "no object")
    key, body = next(iter(found.items()))
    expect(body[:2] == b"\x1f\x8b", f"delivered {body!r}")
    expect((gzip.decompress(body), key[-3:]) == (b"one\n", ".gz"), f"named {key}")


@rule("An object is named `<stream>-<version>-YYYY-MM-dd-HH-mm-ss-<uuid>`")
def name_of_an_object(subject: Subject) -> None:
    stream = subject.stream()

    stream.put(b"one\n")

    name = _first_key(stream).rpartition("/")[2]
    expect(_is_name(name, stream.name, version=1), f"named {name}")


@rule("A `Prefix` without a timestamp gets `YYYY/MM/dd/HH/`")
def default_prefix(subject: Subject) -> None:
    stream = subject.stream(Prefix="data/here/")
    hours = [utc_hour()]

    stream.put(b"one\n")
    key = _first_key(stream)

    hours.append(utc_hour())
    expect(key.rpartition("/")[0] in [f"data/here/{hour}"[:-1] for hour in hours], f"named {key}")


@rule("`!{timestamp:…}` is evaluated in the `Prefix`, and then no date is added")
def timestamp_in_the_prefix(subject: Subject) -> None:
    stream = subject.stream(Prefix="data/at=!{timestamp:yyyy-MM-dd'T'HH}/")
    hours = [f"{datetime.now(UTC):%Y-%m-%dT%H}"]

    stream.put(b"one\n")
    key = _first_key(stream)

    hours.append(f"{datetime.now(UTC):%Y-%m-%dT%H}")
    expect(key.rpartition("/")[0] in [f"data/at={hour}" for hour in hours], f"named {key}")


@rule("`FileExtension` ends the name")
def file_extension(subject: Subject) -> None:
    stream = subject.stream(FileExtension=".csv")

    stream.put(b"one\n")

    key = _first_key(stream)
    expect(key.endswith(".csv"), f"named {key}")


@rule("`UpdateDestination` changes where objects go, and raises the version in their names")
def update_raises_the_version(subject: Subject) -> None:
    stream = subject.stream()
    before = stream.describe()

    subject.firehose.update_destination(
        DeliveryStreamName=stream.name,
        CurrentDeliveryStreamVersionId=before["VersionId"],
        DestinationId=before["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate={"Prefix": "later/"},
    )
    stream.put(b"one\n")

    versions = (before["VersionId"], stream.describe()["VersionId"])
    expect(versions == ("1", "2"), f"VersionId {versions[0]}, then {versions[1]}")
    name = _first_key(stream, "later/").rpartition("/")[2]
    expect(_is_name(name, stream.name, version=2), f"named {name}")


@rule("The S3 backup has every source record, untransformed, as gzip where it is asked for")
def backup_of_source_records(subject: Subject) -> None:
    bucket = subject.bucket()
    stream = subject.stream(
        bucket=bucket,
        transform={} if subject.function_arn else None,
        S3BackupMode="Enabled",
        S3BackupConfiguration=place(bucket, "backup/", CompressionFormat="GZIP"),
    )

    stream.put(b"ok:a\n", b"drop:b\n", b"fail:c\n")

    bodies = list(stream.first("backup/").values())
    expect(bool(bodies), "no backup")
    expect(all(body[:2] == b"\x1f\x8b" for body in bodies), "the backup is not gzip")
    kept = b"".join(map(gzip.decompress, bodies))
    expect(kept == b"ok:a\ndrop:b\nfail:c\n", f"the backup has {kept!r}")


@rule("The event about a new object has its key URL-encoded, with `+` for a blank and the slashes left alone")
def key_in_the_event(subject: Subject) -> None:
    stream = subject.stream(Prefix="data/kind=a b/")
    queue_url = subject.sqs.create_queue(QueueName=stream.name)["QueueUrl"]
    queue_arn = subject.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    to = {"QueueArn": queue_arn["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    subject.s3.put_bucket_notification_configuration(
        Bucket=stream.name, NotificationConfiguration={"QueueConfigurations": [to]}
    )

    stream.put(b"one\n")

    key = _first_key(stream)
    records = awaited(lambda: _announced(subject, queue_url), bool)
    expect(bool(records), "no event")
    announced = records[0]["s3"]["object"]["key"]
    expect(announced == quote_plus(key, safe="/"), f"announced as {announced}")


def _announced(subject: Subject, queue_url: str) -> list[dict]:
    messages = subject.sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1).get("Messages", [])
    return [record for message in messages for record in json.loads(message["Body"]).get("Records", [])]


def _first_key(stream, prefix: str = "data/") -> str:
    keys = list(stream.first(prefix))
    elsewhere = [] if keys else list(stream.objects(""))
    expect(bool(keys), f"no object under {prefix}" + (f", but {elsewhere[0]}" if elsewhere else ""))
    return keys[0]


def _is_name(name: str, stream: str, *, version: int) -> bool:
    return re.fullmatch(NAME.format(stream=re.escape(stream), version=version, uuid=UUID), name) is not None
