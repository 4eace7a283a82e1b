"""What templates need to know and no user should have to look up: out of the pipeline file, and out of the region."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ddb2aurora.pipeline import Pipeline, UnknownPipelineError
from ddb2aurora.pipeline_file import read_pipeline_file
from deploy_aws.aws import Clients, code_of
from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.revision import REPOSITORY
from deploy_aws.templates import Parameter

PIPELINES: Final = REPOSITORY / "pipelines"
# CloudFormation cannot look these up; security groups name them so that only S3 and DynamoDB are reached.
FROM_THE_PIPELINE: Final = frozenset(
    {
        "PipelineName",
        "TableName",
        "HashKeyName",
        "RangeKeyName",
        "TargetDatabase",
        "TargetTable",
        "TargetMode",
        "HeartbeatHashKey",
        "Packing",
    }
)
_PREFIX_LISTS: Final[Mapping[str, str]] = {"S3PrefixListId": "s3", "DynamoDbPrefixListId": "dynamodb"}
FROM_THE_REGION: Final = frozenset(_PREFIX_LISTS)
# A key may be of another type in DynamoDB than its column tells: a number kept as text, say.
OVERRIDABLE: Final = frozenset({"HashKeyType", "RangeKeyType"})
_LONGEST_BUCKET: Final = 63
# Lambda keeps so many of an account's places free of reservations; of a new account, which has fewer, all of them.
_UNRESERVED_PLACES: Final = 100
_WITH_NEW_IMAGES: Final = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")


def find_pipeline(name: str, *, folder: Path = PIPELINES) -> Pipeline:
    """
    Return the pipeline that an environment names.

    Raises:
        UnknownPipelineError: There is no such file.
        PipelineFileError: It has mistakes.
    """
    file = folder / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.yaml"))) or "none"
        raise UnknownPipelineError(f"no pipeline {name!r} in {folder}; there are: {known}")
    return read_pipeline_file(file)


def pipeline_facts(pipeline: Pipeline) -> Mapping[str, str]:
    """Return what templates want to know of *pipeline*."""
    hash_key, range_key = pipeline.source_key[0], "".join(pipeline.source_key[1:])
    return {
        "PipelineName": pipeline.name,
        "TableName": pipeline.source_table,
        "HashKeyName": hash_key,
        "HashKeyType": _attribute_type(pipeline, hash_key),
        "RangeKeyName": range_key,
        "RangeKeyType": _attribute_type(pipeline, range_key) if range_key else "S",
        "TargetDatabase": pipeline.target_database,
        "TargetTable": pipeline.target_table,
        "TargetMode": pipeline.mode,
        "HeartbeatHashKey": _heartbeat_hash_key(pipeline),
        "Packing": "on" if pipeline.packing else "off",
    }


def account_facts(
    clients: Clients, values: Mapping[str, str], *, account: str, declared: Mapping[str, Parameter]
) -> Mapping[str, str]:
    """
    Return what the *declared* parameters want to know of the *account* and its region, given the *values* known so far.

    Raises:
        DeploymentSettingsError: It does not have what is needed.
        ClientError: AWS refuses to tell.
    """
    found = dict(_prefix_lists(clients, declared))
    if "BucketName" in declared and not values.get("BucketName"):
        # Names of buckets are taken all over the world: account and region make it ours.
        parts = (values["Project"], values["Environment"], values["PipelineName"].replace("_", "-"), account)
        found["BucketName"] = "-".join((*parts, clients.region))
    table = values.get("ExistingTableName")
    if "ExistingStreamArn" in declared and table and not values.get("ExistingStreamArn"):
        found["ExistingStreamArn"] = stream_of(clients, table)
    return found


def _prefix_lists(clients: Clients, declared: Mapping[str, Parameter]) -> Mapping[str, str]:
    wanted = {name: service for name, service in _PREFIX_LISTS.items() if name in declared}
    return {
        name: _prefix_list(clients.ec2, f"com.amazonaws.{clients.region}.{service}") for name, service in wanted.items()
    }


def stream_of(clients: Clients, table: str) -> str:
    """
    Return the ARN of the stream of a *table* that is there already.

    Raises:
        DeploymentSettingsError: It has none with new images.
        ClientError: DynamoDB refuses to tell.
    """
    try:
        found = clients.dynamodb.describe_table(TableName=table)["Table"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        raise DeploymentSettingsError(
            f"ExistingTableName is {table!r}, and there is no such table; leave it out to have it made"
        ) from error
    stream = found.get("StreamSpecification", {})
    if not stream.get("StreamEnabled") or stream.get("StreamViewType") not in _WITH_NEW_IMAGES:
        raise DeploymentSettingsError(
            f"table {table} has no stream with new images; switch it on: aws dynamodb update-table "
            f"--table-name {table} --stream-specification StreamEnabled=true,StreamViewType=NEW_IMAGE"
        )
    return found["LatestStreamArn"]


def check_room(clients: Clients, values: Mapping[str, str], *, declared: Mapping[str, Parameter]) -> None:
    """
    See that nothing is in the way of a first creation: found out now, not after half an hour.

    Raises:
        DeploymentSettingsError: The bucket, the table or a log group is there already, or Lambda has no places to
            reserve for the loader; the text says what to do.
        ClientError: AWS refuses to tell.
    """
    bucket, table = values.get("BucketName", ""), values["TableName"]
    if len(bucket) > _LONGEST_BUCKET:
        raise DeploymentSettingsError(
            f"the bucket would be named {bucket}, which is longer than {_LONGEST_BUCKET}; set BucketName"
        )
    if bucket and _is_there(lambda: clients.s3.head_bucket(Bucket=bucket)):
        raise DeploymentSettingsError(
            f"bucket {bucket} is there already, kept by an earlier make destroy perhaps; set BucketName to another, or "
            "delete that one"
        )
    makes_table = "ExistingTableName" in declared and not values.get("ExistingTableName")
    if makes_table and _is_there(lambda: clients.dynamodb.describe_table(TableName=table)):
        raise DeploymentSettingsError(
            f"table {table} is there already: set ExistingTableName to {table!r} to have it replicated"
        )
    if "ExistingClusterId" in declared and not values.get("ExistingClusterId"):
        _check_log_groups(clients, f"/aws/rds/cluster/{values['Project']}-{values['Environment']}/")
    _check_places(clients, values, declared=declared)


def _check_log_groups(clients: Clients, prefix: str) -> None:
    # RDS writes what it has left after the cluster and its groups are gone, and makes them anew for that.
    found = clients.logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    names = [group.get("logGroupName", "") for group in found]
    if names:
        commands = "; ".join(f"aws logs delete-log-group --log-group-name {name}" for name in names)
        raise DeploymentSettingsError(
            f"log groups of an earlier cluster are there already; delete them when nobody needs them: {commands}"
        )


def _check_places(clients: Clients, values: Mapping[str, str], *, declared: Mapping[str, Parameter]) -> None:
    concurrency = declared.get("LoaderConcurrency")
    reserved = values.get("LoaderConcurrency", concurrency.default or "") if concurrency else ""
    if not reserved:
        return
    limit = clients.functions.get_account_settings()["AccountLimit"]
    places, free = limit.get("ConcurrentExecutions", 0), limit.get("UnreservedConcurrentExecutions", 0)
    if free - int(reserved) < min(places, _UNRESERVED_PLACES):
        raise DeploymentSettingsError(
            f"LoaderConcurrency is {reserved}: of the {places} functions that the account may run at once, {free} are "
            f'not reserved, and Lambda lets no fewer than {min(places, _UNRESERVED_PLACES)} remain. Set it to "" to '
            "reserve none, or ask AWS for a higher quota (Service Quotas: Lambda, concurrent executions)"
        )


def _is_there(look: Callable[[], object]) -> bool:
    try:
        look()
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchBucket", "ResourceNotFoundException"}:
            return False
        # The name of a bucket is taken by somebody else's.
        if code_of(error) != "403":
            raise
    return True


def _prefix_list(ec2: Any, name: str) -> str:  # noqa: ANN401 - see Clients
    found = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])["PrefixLists"]
    if not found:
        raise DeploymentSettingsError(f"EC2 has no prefix list {name}; choose a region that has one")
    return str(found[0]["PrefixListId"])


def _heartbeat_hash_key(pipeline: Pipeline) -> str:
    # It narrows what the operator may write. Without one it may write nothing into the table, so a number counts too.
    return next((part.value for part in pipeline.heartbeat if part.attribute == pipeline.source_key[0]), "")


def _attribute_type(pipeline: Pipeline, name: str) -> str:
    [column] = [column for column in pipeline.key_columns if column.path == (name,)]
    return {"integer": "N", "decimal": "N", "varbinary": "B"}.get(column.type.kind, "S")
