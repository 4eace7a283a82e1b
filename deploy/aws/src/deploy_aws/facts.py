"""What templates need to know and no user should have to look up: out of the pipeline file, and out of the region."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3

from ddb2aurora.pipeline import Pipeline, UnknownPipelineError
from ddb2aurora.pipeline_file import read_pipeline_file
from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.revision import REPOSITORY
from deploy_aws.templates import Parameter

PIPELINES: Final = REPOSITORY / "pipelines"
# CloudFormation cannot look these up; security groups name them so that only S3 and DynamoDB are reached.
_PREFIX_LISTS: Final[Mapping[str, str]] = {"S3PrefixListId": "s3", "DynamoDbPrefixListId": "dynamodb"}
# A key may be of another type in DynamoDB than its column tells: a number kept as text, say.
OVERRIDABLE: Final = frozenset({"HashKeyType", "RangeKeyType"})


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
        "Packing": "on" if pipeline.packing else "off",
    }


def region_facts(region: str, *, declared: Mapping[str, Parameter]) -> Mapping[str, str]:
    """
    Return what the *declared* parameters want to know of *region*.

    Raises:
        DeploymentSettingsError: The region does not have it.
        ClientError: EC2 refuses to tell.
    """
    wanted = {name: service for name, service in _PREFIX_LISTS.items() if name in declared}
    if not wanted:
        return {}
    ec2: Any = boto3.client("ec2", region_name=region)  # no stubs of EC2 for the sake of one call
    return {name: _prefix_list(ec2, f"com.amazonaws.{region}.{service}") for name, service in wanted.items()}


def _prefix_list(ec2: Any, name: str) -> str:  # noqa: ANN401 - see above
    found = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])["PrefixLists"]
    if not found:
        raise DeploymentSettingsError(f"EC2 has no prefix list {name}; choose a region that has one")
    return str(found[0]["PrefixListId"])


def _attribute_type(pipeline: Pipeline, name: str) -> str:
    [column] = [column for column in pipeline.key_columns if column.path == (name,)]
    return {"integer": "N", "decimal": "N", "varbinary": "B"}.get(column.type.kind, "S")
