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
    from mypy_boto3_dynamodb import DynamoDBClient

# The SDK's own way with DynamoDB is ten tries, half a minute before a wrong endpoint is told of.
_PATIENCE: Final = Config(connect_timeout=5, retries={"total_max_attempts": 4, "mode": "standard"})
_CREDENTIALS: Final = "renew the credentials, or set AWS_PROFILE"
# What no second try mends, and what does mend it. Any other code may pass.
_HALTING: Final[Mapping[str, str]] = {
    "ResourceNotFoundException": "it is not there; create it, or check the region and AWS_ENDPOINT_URL",
    "ValidationException": "is its key that of the pipeline file?",
    "AccessDeniedException": "let the credentials' user or role do this",
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
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
    try:
        return boto3.client("dynamodb", config=_PATIENCE)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no address
        raise ours(error, where="DynamoDB") from error


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
