"""
The resources that a pipeline needs: bucket, table with its stream, topic, delivery stream. Made if they are not there.

The same properties as `deploy/aws` gives them, as far as an emulator carries them.
"""

import json
from typing import Final, Literal

from botocore.exceptions import ClientError

from ddb2aurora.pipeline import Pipeline
from local_aws.stack.clients import Clients

BUCKET: Final = "ddb2aurora-local"
FAILED_TOPIC: Final = "ddb2aurora-failed"
_ACCOUNT: Final = "000000000000"
_FAILED_NOTIFICATION: Final = "failed-to-topic"
# Whoever tries the stack wants to see the backup soon; on AWS a longer interval makes fewer objects.
_BACKUP_SECONDS: Final = 10


def make_bucket(clients: Clients, *, bucket: str) -> None:
    """Make the *bucket* of all pipelines if it is not there."""
    try:
        clients.s3.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise


def announce_failures(clients: Clients, *, bucket: str) -> str:
    """Have every object under `failed/` announced on an SNS topic; return the topic's ARN."""
    topic = clients.sns.create_topic(Name=FAILED_TOPIC)["TopicArn"]
    statement = {
        "Sid": "LetTheBucketAnnounce",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    clients.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    current = clients.s3.get_bucket_notification_configuration(Bucket=bucket)
    others = [found for found in current.get("TopicConfigurations", []) if found.get("Id") != _FAILED_NOTIFICATION]
    # Saving a configuration replaces the whole of it.
    clients.s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": current.get("QueueConfigurations", []),
            "LambdaFunctionConfigurations": current.get("LambdaFunctionConfigurations", []),
            "TopicConfigurations": [
                *others,
                {
                    "Id": _FAILED_NOTIFICATION,
                    "TopicArn": topic,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "failed/"}]}},
                },
            ],
        },
    )
    return topic


def make_table(clients: Clients, pipeline: Pipeline) -> str:
    """Make the source table of *pipeline*, with strings as keys, if it is not there; return the ARN of its stream."""
    kinds = ("HASH", "RANGE")
    try:
        clients.dynamodb.create_table(
            TableName=pipeline.source_table,
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": _attribute_type(pipeline, name)}
                for name in pipeline.source_key
            ],
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}  # type: ignore[typeddict-item]  # the kinds are HASH and RANGE
                for name, kind in zip(pipeline.source_key, kinds, strict=False)
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
    clients.dynamodb.get_waiter("table_exists").wait(
        TableName=pipeline.source_table, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return clients.dynamodb.describe_table(TableName=pipeline.source_table)["Table"]["LatestStreamArn"]


def _attribute_type(pipeline: Pipeline, name: str) -> Literal["S", "N", "B"]:
    [column] = [column for column in pipeline.key_columns if column.path == (name,)]
    kinds: dict[str, Literal["S", "N", "B"]] = {"integer": "N", "decimal": "N", "varbinary": "B"}
    return kinds.get(column.type.kind, "S")


def make_delivery_stream(
    clients: Clients, pipeline: Pipeline, *, bucket: str, transformer_arn: str, buffer_seconds: int
) -> str:
    """Make the delivery stream of *pipeline* if it is not there; return its name."""
    name = pipeline.name
    role = f"arn:aws:iam::{_ACCOUNT}:role/firehose"
    hour = "!{timestamp:yyyy/MM/dd/HH}/"
    try:
        clients.firehose.create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration={
                "RoleARN": role,
                "BucketARN": f"arn:aws:s3:::{bucket}",
                "Prefix": f"processed/{name}/{pipeline.target_table}/{hour}",
                "ErrorOutputPrefix": f"failed/{name}/!{{firehose:error-output-type}}/{hour}",
                "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": buffer_seconds},
                # LOAD DATA FROM S3 reads no compressed object.
                "CompressionFormat": "UNCOMPRESSED",
                "FileExtension": ".csv",
                "ProcessingConfiguration": {
                    "Enabled": True,
                    "Processors": [
                        {
                            "Type": "Lambda",
                            "Parameters": [
                                {"ParameterName": "LambdaArn", "ParameterValue": transformer_arn},
                                {"ParameterName": "NumberOfRetries", "ParameterValue": "3"},
                                {"ParameterName": "BufferSizeInMBs", "ParameterValue": "1"},
                                {"ParameterName": "BufferIntervalInSeconds", "ParameterValue": "0"},
                            ],
                        }
                    ],
                },
                "S3BackupMode": "Enabled",
                "S3BackupConfiguration": {
                    "RoleARN": role,
                    "BucketARN": f"arn:aws:s3:::{bucket}",
                    "Prefix": f"backup/{name}/{hour}",
                    "ErrorOutputPrefix": f"failed/{name}/backup-!{{firehose:error-output-type}}/{hour}",
                    "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": _BACKUP_SECONDS},
                    "CompressionFormat": "GZIP",
                },
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
    return name
