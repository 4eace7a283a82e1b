"""The edge to AWS: clients of one region, and what an error of the SDK means to whoever deploys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

from ddb2aurora.errors import Ddb2AuroraError
from deploy_aws.errors import DeploymentFailedError, DeploymentSettingsError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

# CloudFormation throttles a caller who polls; the SDK then waits and asks again.
_PATIENCE: Final = Config(connect_timeout=10, retries={"total_max_attempts": 6, "mode": "standard"})
# Lambda runs a function for 15 minutes at most. A second invocation is decided on here, never by the SDK.
_INVOCATION: Final = Config(connect_timeout=10, read_timeout=910, retries={"total_max_attempts": 1}, tcp_keepalive=True)
_CREDENTIALS: Final = "renew the credentials, or set AWS_PROFILE"
_MENDS: Final[Mapping[str, str]] = {
    "AccessDenied": "the credentials' user or role may not do this; docs/deploy.md lists what deploying needs",
    "AccessDeniedException": "the credentials' user or role may not do this; docs/deploy.md lists what deploying needs",
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "ValidationError": "mend the template or the parameters",
}


@dataclass(frozen=True, slots=True)
class Clients:
    """A client of each service that deploying calls, all in one region."""

    region: str
    cloudformation: "CloudFormationClient"
    dynamodb: "DynamoDBClient"
    ec2: Any  # its stubs are large, and one call is made
    ecr: "ECRClient"
    functions: "LambdaClient"
    logs: "CloudWatchLogsClient"
    rds: "RDSClient"
    s3: "S3Client"
    sts: "STSClient"


def make_clients(region: str | None) -> Clients:
    """
    Return clients in *region*; None leaves it to the SDK's own settings and profile.

    Raises:
        DeploymentSettingsError: Nothing says in which region, or the SDK's settings are broken.
    """
    try:
        session = boto3.Session(region_name=region)
        if not session.region_name:
            raise DeploymentSettingsError(
                "no region: write 'region' into the environment's file, give --region, or set AWS_REGION"
            )
        return Clients(
            region=session.region_name,
            cloudformation=session.client("cloudformation", config=_PATIENCE),
            dynamodb=session.client("dynamodb", config=_PATIENCE),
            ec2=session.client("ec2", config=_PATIENCE),
            ecr=session.client("ecr", config=_PATIENCE),
            functions=session.client("lambda", config=_INVOCATION),
            logs=session.client("logs", config=_PATIENCE),
            rds=session.client("rds", config=_PATIENCE),
            s3=session.client("s3", config=_PATIENCE),
            sts=session.client("sts", config=_PATIENCE),
        )
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no address
        raise DeploymentSettingsError(f"the settings of the AWS SDK: {error}") from error


def code_of(error: ClientError) -> str:
    """Return the code of an error that AWS answered with."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def ours(error: BotoCoreError | ClientError) -> Ddb2AuroraError:
    """Return our error for one of the SDK's."""
    if isinstance(error, ClientError):
        code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
        text = f"{error.operation_name} failed with {code} ({message})"
        return DeploymentSettingsError(f"{text}: {_MENDS[code]}") if code in _MENDS else DeploymentFailedError(text)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, NoRegionError)):
        return DeploymentSettingsError(f"{error}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    return DeploymentFailedError(f"{error}; check the network, and run the same command again")
