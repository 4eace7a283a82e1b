"""Put templates where CloudFormation reads them: under a name made of their content, so that the same stay the same."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from deploy_aws.aws import code_of
from deploy_aws.templates import Template, content_hash

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def upload_templates(s3: "S3Client", templates: Iterable[Template], *, bucket: str) -> str:
    """
    Put *templates* into *bucket* unless they are there, and return the URL of the folder that holds them.

    Raises:
        ClientError: The bucket refuses.
    """
    found = tuple(templates)
    prefix = f"templates/{content_hash(found)}"
    for template in found:
        key = f"{prefix}/{template.name}"
        if not _is_there(s3, bucket=bucket, key=key):
            s3.put_object(Bucket=bucket, Key=key, Body=template.body, ContentType="text/yaml")
    # The region's own endpoint, so that no redirect is needed; CloudFormation reads it with the caller's rights.
    return f"{s3.meta.endpoint_url}/{bucket}/{prefix}"


def _is_there(s3: "S3Client", *, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return False
        raise
    return True
