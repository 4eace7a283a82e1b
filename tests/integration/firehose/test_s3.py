import gzip
import json

from local_aws.functions import Invocation


class HalfRefusing:
    """A function that gives up on every record but the first."""

    name = "transform"
    arn = "arn:aws:lambda:us-east-1:000000000000:function:transform:live"

    def invoke(self, event):
        results = ["Ok", *["ProcessingFailed"] * (len(event["records"]) - 1)]
        records = [
            {"recordId": record["recordId"], "result": result, "data": record["data"]}
            for record, result in zip(event["records"], results, strict=True)
        ]
        return Invocation("request-1", {"records": records})


def test_data_errors_and_backup_arrive_in_a_real_bucket(make, aws):
    bucket = aws.bucket()
    s3 = aws.client("s3")
    server = make.server(s3=s3, function=HalfRefusing())
    client = make.client(server.url)
    backup = {
        "RoleARN": "arn:aws:iam::000000000000:role/firehose",
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "Prefix": "backup/",
        "CompressionFormat": "GZIP",
    }
    client.create_delivery_stream(
        DeliveryStreamName="changes",
        ExtendedS3DestinationConfiguration=make.destination(
            bucket=bucket, transform=True, S3BackupMode="Enabled", S3BackupConfiguration=backup
        ),
    )

    client.put_record_batch(DeliveryStreamName="changes", Records=[{"Data": b"good\n"}, {"Data": b"bad\n"}])
    flushed = server.flush(timeout_seconds=30)

    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    bodies = {key.split("/")[0]: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    assert (flushed, sorted(bodies), len(keys)) == (True, ["backup", "data", "errors"], 3)
    assert bodies["data"] == b"good\n"
    assert gzip.decompress(bodies["backup"]) == b"good\nbad\n"
    assert json.loads(bodies["errors"])["rawData"] == "YmFkCg=="


def test_a_bucket_that_comes_late_gets_the_object(make, aws):
    # AWS: S3 refusing is retried for 24 hours
    bucket = aws.unique("late")
    s3 = aws.client("s3")
    server = make.server(s3=s3)
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes",
        ExtendedS3DestinationConfiguration=make.destination(bucket=bucket, transform=False, seconds=0),
    )
    client.put_record_batch(DeliveryStreamName="changes", Records=[{"Data": b"one"}])
    early = server.flush(timeout_seconds=0.2)

    s3.create_bucket(Bucket=bucket)
    late = server.flush(timeout_seconds=30)

    assert (early, late, server.statistics()["changes"].data_objects) == (False, True, 1)
