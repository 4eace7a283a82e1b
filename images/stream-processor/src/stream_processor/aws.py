"""The edge to AWS: Data Firehose and S3 behind the protocols of this stage, their errors turned into ours."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from ddb2aurora.errors import HaltError, RetryError
from stream_processor.delivery import Refused

if TYPE_CHECKING:
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_s3 import S3Client

# What no second try mends, and what does mend it. Any other code may pass.
_HALTING: Final[Mapping[str, str]] = {
    "ResourceNotFoundException": "check DELIVERY_STREAM_NAME and the region",
    "NoSuchBucket": "check BUCKET_NAME",
    "AccessDeniedException": "let the function's role use it",
    "AccessDenied": "let the function's role use it",
    "UnrecognizedClientException": "check the credentials",
    "InvalidAccessKeyId": "check the credentials",
    "InvalidSignatureException": "check the credentials and the clock",
    "SignatureDoesNotMatch": "check the credentials and the clock",
    "InvalidArgumentException": "this is a defect of the stream-processor",
    "InvalidKMSResourceException": "check the key of the delivery stream",
    "InvalidSourceException": "create the delivery stream with the source Direct PUT",
}
# Retries are this stage's own, so that they stay inside the remaining time; a hung connection must not eat it all.
_ONE_TRY: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1, "mode": "standard"}, tcp_keepalive=True
)


class AwsCallError(HaltError):
    """A call to AWS cannot work before someone acts."""


class QuarantineError(RetryError):
    """What cannot load could not be written to `failed/` either, this time."""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _raise_if_halting(error: ClientError | BotoCoreError, *, operation: str, where: str) -> None:
    if isinstance(error, ClientError) and _code(error) in _HALTING:
        raise AwsCallError(f"{operation} on {where} failed with {_code(error)}: {_HALTING[_code(error)]}") from error
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        raise AwsCallError(f"{operation} on {where}: {error}; give the function a role") from error
    if isinstance(error, ParamValidationError):
        # Its own text quotes the parameters, so it goes no further.
        raise AwsCallError(f"{operation} on {where}: the SDK refuses the parameters; is the name right?") from None


def _client(service: Literal["firehose", "s3"]) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
    try:
        return boto3.client(service, config=_ONE_TRY)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no address
        raise AwsCallError(f"no client of {service}: {error}; set AWS_DEFAULT_REGION or AWS_ENDPOINT_URL") from error


class FirehoseStream:
    """A delivery stream of Data Firehose."""

    def __init__(self, name: str) -> None:
        """
        Use the stream *name* in the region of the environment.

        Raises:
            AwsCallError: The environment does not say how to reach AWS.
        """
        self._name = name
        self._client: FirehoseClient = _client("firehose")

    def put(self, records: Sequence[bytes]) -> Sequence[str | None] | Refused:
        """
        Offer *records* in one PutRecordBatch; see `DeliveryStream.put`.

        Raises:
            AwsCallError: The call cannot work before someone acts.
        """
        try:
            answer = self._client.put_record_batch(
                DeliveryStreamName=self._name, Records=[{"Data": record} for record in records]
            )
        except (ClientError, BotoCoreError) as error:
            _raise_if_halting(error, operation="PutRecordBatch", where=self._name)
            # Of a call that broke off, records may have been accepted; a second time does no harm to the rows.
            return Refused(_code(error) if isinstance(error, ClientError) else type(error).__name__)
        responses = answer.get("RequestResponses", [])
        if len(responses) != len(records):
            return Refused("IncompleteAnswer")
        # Only an id confirms a record.
        return [None if "RecordId" in given else given.get("ErrorCode", "Unconfirmed") for given in responses]


class FailedObjects:
    """The place of what can never load: `failed/` in the pipeline's bucket."""

    def __init__(self, bucket: str) -> None:
        """Write to *bucket*."""
        self._bucket = bucket

    def write(self, key: str, content: bytes) -> None:
        """
        Write *content* under *key*.

        Raises:
            AwsCallError: The call cannot work before someone acts.
            QuarantineError: S3 did not take it this time.
        """
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/x-ndjson")
        except (ClientError, BotoCoreError) as error:
            _raise_if_halting(error, operation="PutObject", where=self._bucket)
            raise QuarantineError(f"PutObject on {self._bucket} failed; it is tried again") from error

    @cached_property
    def _client(self) -> "S3Client":
        # Made when it is first needed, which is hardly ever: a client of S3 takes as long to make as all our modules.
        client: S3Client = _client("s3")
        return client
