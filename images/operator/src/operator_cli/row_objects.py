"""
Objects of rows that the operator writes, where Firehose writes its own: they are announced, loaded and swept as those.

Their names come from their content, so that the same rows written twice are one object to the ledger.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ddb2aurora.database.ledger import ObjectRef, make_object_ref
from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def rows_prefix(pipeline: Pipeline) -> str:
    """Return the prefix under which every object of rows of *pipeline* lies."""
    return f"processed/{pipeline.name}/"


def rows_key(pipeline: Pipeline, content: bytes, *, origin: str, at_ms: int) -> str:
    """Return the key of *content*, an object of rows that *origin* wrote; *at_ms* gives its hour (UTC)."""
    hour = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y/%m/%d/%H")
    digest = hashlib.sha256(content).hexdigest()[:32]
    return f"{rows_prefix(pipeline)}{pipeline.target_table}/{hour}/{origin}-{digest}.csv"


def write_rows(
    s3: "S3Client",
    rows: Iterable[bytes],
    *,
    bucket: str,
    pipeline: Pipeline,
    origin: str,
    at_ms: int,
    once: bool = False,
) -> ObjectRef:
    """
    Write encoded *rows* as one object, and return it as its announcement will name it.

    With *once* an object that is there already stays as it is: in a bucket with versions, writing it again would make
    another version, which the ledger takes for another object.

    Raises:
        AwsSetUpError: The bucket does not take it before someone acts.
        AwsCallError: It may take it later.
    """
    content = b"".join(rows)
    key = rows_key(pipeline, content, origin=origin, at_ms=at_ms)
    unless_there: dict[str, Any] = {"IfNoneMatch": "*"} if once else {}
    with aws_errors(where=f"bucket {bucket}"):
        try:
            answer: Any = s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="text/csv", **unless_there)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "PreconditionFailed":
                raise
            answer = s3.head_object(Bucket=bucket, Key=key)
    return make_object_ref(bucket, key, version=answer.get("VersionId"), etag=answer.get("ETag"), size=len(content))
