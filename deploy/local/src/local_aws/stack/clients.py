"""The SDK clients of a stack, made from the variables that point at it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class Clients:
    """
    The SDK clients of one stack.

    The SDK reads its variables from the process; a stack's are given here, so that two stacks can live in one process.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Make clients that talk to where *environment* (AWS_ENDPOINT_URL, …) says."""
        session = boto3.session.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        endpoint = environment["AWS_ENDPOINT_URL"]
        config = Config(max_pool_connections=50, retries={"mode": "standard", "total_max_attempts": 5})
        self.dynamodb: DynamoDBClient = session.client("dynamodb", endpoint_url=endpoint, config=config)
        self.streams: DynamoDBStreamsClient = session.client("dynamodbstreams", endpoint_url=endpoint, config=config)
        s3_url = environment.get("AWS_ENDPOINT_URL_S3", endpoint)
        self.s3: S3Client = session.client("s3", endpoint_url=s3_url, config=config)
        self.sqs: SQSClient = session.client("sqs", endpoint_url=endpoint, config=config)
        self.sns: SNSClient = session.client("sns", endpoint_url=endpoint, config=config)
        self._firehose_url = environment.get("AWS_ENDPOINT_URL_FIREHOSE", endpoint)
        self.firehose: FirehoseClient = session.client("firehose", endpoint_url=self._firehose_url, config=config)
