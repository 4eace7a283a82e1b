"""The part of a bucket's notification configuration that the stand-in owns."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_CREATED = "s3:ObjectCreated:*"


def watch(s3: "S3Client", sqs: "SQSClient", *, bucket: str, prefix: str, queue_name: str) -> str:
    """
    Have S3 announce new objects under *prefix* on a queue, and return the queue's URL.

    The queue is made if it is not there. The bucket's other notifications stay; an earlier one for the same queue is
    replaced.

    Raises:
        ClientError: The bucket is not there, or its configuration or the queue cannot be made.
    """
    queue_url = _queue(sqs, queue_name)
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    current: dict[str, Any] = dict(s3.get_bucket_notification_configuration(Bucket=bucket))
    # Saving a configuration replaces the whole of it.
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration=merged(  # type: ignore[arg-type]  # a plain dictionary of what the service gave
            current, identifier=queue_name, queue_arn=attributes["QueueArn"], prefix=prefix
        ),
    )
    return queue_url


def merged(current: dict[str, Any], *, identifier: str, queue_arn: str, prefix: str) -> dict[str, Any]:
    """Return the configuration *current* with one queue in it under *identifier*, and nothing else changed."""
    kept = {name: value for name, value in current.items() if name != "ResponseMetadata"}
    others = [
        queue
        for queue in kept.get("QueueConfigurations", [])
        if queue.get("Id") != identifier and queue["QueueArn"] != queue_arn
    ]
    ours = {
        "Id": identifier,
        "QueueArn": queue_arn,
        "Events": [_CREATED],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
    }
    return {**kept, "QueueConfigurations": [*others, ours]}


def _queue(sqs: "SQSClient", name: str) -> str:
    try:
        return sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}:
            raise
    return sqs.create_queue(QueueName=name)["QueueUrl"]
