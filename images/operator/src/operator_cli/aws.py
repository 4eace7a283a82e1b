"""The edge to AWS: clients, and the SDK's errors turned into ours, each with what mends it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as SdkConnectionError,
)

from ddb2aurora.errors import Ddb2AuroraError, HaltError, RetryError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# The SDK's own way with DynamoDB is ten tries, half a minute before a wrong endpoint is told of.
_PATIENCE: Final = Config(connect_timeout=5, retries={"total_max_attempts": 4, "mode": "standard"})
# Lambda: a function runs for 15 minutes at most.
_INVOKING: Final = Config(connect_timeout=5, read_timeout=910, retries={"total_max_attempts": 1})
_CREDENTIALS: Final = "renew the credentials, or set AWS_PROFILE"
# What no second try mends, and what does mend it. Any other code may pass.
_HALTING: Final[Mapping[str, str]] = {
    "ResourceNotFoundException": "it is not there; create it, or check the region and AWS_ENDPOINT_URL",
    "NoSuchBucket": "create it, or check BUCKET_NAME",
    "NoSuchKey": "it was deleted, or never written",
    "AccessDenied": "let the credentials' user or role do this",
    "AWS.SimpleQueueService.NonExistentQueue": "create it, or check the URL of the queue",
    "QueueDoesNotExist": "create it, or check the URL of the queue",
    "TrimmedDataAccessException": "the stream has forgotten it: a stream keeps 24 hours",
    "ValidationException": "is its key that of the pipeline file?",
    "PointInTimeRecoveryUnavailableException": "switch point-in-time recovery of the table on, or scan it",
    "AccessDeniedException": "let the credentials' user or role do this",
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
}


class AwsSetUpError(HaltError):
    """A call to AWS cannot work before someone acts."""


class AwsCallError(RetryError):
    """A call to AWS failed in a way that may pass."""


def dynamodb_client() -> "DynamoDBClient":
    """
    Return a client of DynamoDB, made from the SDK's own settings.

    Raises:
        AwsSetUpError: They do not say how to reach AWS.
    """
    with _setting_up("DynamoDB"):
        return boto3.client("dynamodb", config=_PATIENCE)


def streams_client() -> "DynamoDBStreamsClient":
    """
    Return a client of DynamoDB Streams; see `dynamodb_client`.

    Raises:
        AwsSetUpError: The SDK's settings do not say how to reach AWS.
    """
    with _setting_up("DynamoDB Streams"):
        return boto3.client("dynamodbstreams", config=_PATIENCE)


def s3_client(*, connections: int = 10) -> "S3Client":
    """
    Return a client of S3 for up to *connections* threads; see `dynamodb_client`.

    Raises:
        AwsSetUpError: The SDK's settings do not say how to reach AWS.
    """
    with _setting_up("S3"):
        return boto3.client("s3", config=_PATIENCE.merge(Config(max_pool_connections=connections)))


def sqs_client() -> "SQSClient":
    """
    Return a client of SQS; see `dynamodb_client`.

    Raises:
        AwsSetUpError: The SDK's settings do not say how to reach AWS.
    """
    with _setting_up("SQS"):
        return boto3.client("sqs", config=_PATIENCE)


def firehose_client() -> "FirehoseClient":
    """
    Return a client of Data Firehose; see `dynamodb_client`.

    Raises:
        AwsSetUpError: The SDK's settings do not say how to reach AWS.
    """
    with _setting_up("Firehose"):
        return boto3.client("firehose", config=_PATIENCE)


def cloudwatch_client() -> "CloudWatchClient":
    """
    Return a client of CloudWatch; see `dynamodb_client`.

    Raises:
        AwsSetUpError: The SDK's settings do not say how to reach AWS.
    """
    with _setting_up("CloudWatch"):
        return boto3.client("cloudwatch", config=_PATIENCE)


def lambda_client(*, connections: int = 10) -> "LambdaClient":
    """
    Return a client of Lambda for up to *connections* threads, which waits for as long as a function may run.

    It calls once: the SDK would take a slow function for a lost one, and have it run twice.

    Raises:
        AwsSetUpError: The SDK's settings do not say how to reach AWS.
    """
    with _setting_up("Lambda"):
        return boto3.client("lambda", config=_INVOKING.merge(Config(max_pool_connections=connections)))


@contextmanager
def _setting_up(service: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no address
        raise ours(error, where=service) from error


@contextmanager
def aws_errors(*, where: str) -> Iterator[None]:
    """
    Turn the SDK's errors into ours; *where* names what is called, such as a table.

    Raises:
        AwsSetUpError: The call cannot work before someone acts.
        AwsCallError: It may work later.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ours(error, where=where) from error


def ours(error: Exception, *, where: str) -> Ddb2AuroraError:
    """Return our error for one of the SDK's."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        code = details.get("Code", "Unknown")
        text = f"{error.operation_name} on {where} failed with {code} ({details.get('Message', '')})"
        return AwsSetUpError(f"{text}: {_HALTING[code]}") if code in _HALTING else AwsCallError(text)
    if isinstance(error, NoRegionError):
        return AwsSetUpError(f"{where}: no region is set; set AWS_DEFAULT_REGION, the SDK does not read AWS_REGION")
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return AwsSetUpError(f"{where}: {error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
    if isinstance(error, (SdkConnectionError, HTTPClientError)):
        return AwsCallError(f"{where}: {error}; check the network and AWS_ENDPOINT_URL")
    return AwsSetUpError(f"{where}: {error}; check the settings of the AWS SDK")
