"""Have DynamoDB export a table, and wait until that is done."""

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from operator_cli.aws import aws_errors
from operator_cli.backfilling.errors import ExportError
from operator_cli.backfilling.exports import ExportPlace, place_of
from operator_cli.backfilling.facts import TableFacts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# An export takes minutes at least.
_LOOK_EVERY_SECONDS: Final = 15.0


def start_export(
    client: "DynamoDBClient",
    facts: TableFacts,
    url: str,
    *,
    told: Callable[[str], None],
    sleep: Callable[[float], object] = time.sleep,
) -> ExportPlace:
    """
    Export the table of *facts* to *url* (a bucket and a prefix), wait until it is there, and return its place.

    Asked for again within eight hours, DynamoDB goes on with the export that it has begun: so does a command that was
    interrupted. *told* hears its state.

    Raises:
        ExportError: It failed, or *url* names no place for it.
        AwsSetUpError: It cannot be made before someone acts, such as without point-in-time recovery.
        AwsCallError: It may be made later.
    """
    target = place_of(url)
    token = hashlib.sha256("\n".join((facts.arn, facts.stream_arn or "", target.url)).encode()).hexdigest()[:32]
    where = f"table {facts.arn}"
    with aws_errors(where=where):
        described: Any = client.export_table_to_point_in_time(
            TableArn=facts.arn,
            S3Bucket=target.bucket,
            S3Prefix=target.prefix,
            ExportFormat="DYNAMODB_JSON",
            ExportType="FULL_EXPORT",
            ClientToken=token,
        )["ExportDescription"]
    while described["ExportStatus"] == "IN_PROGRESS":
        told(f"export {described['ExportArn']}: in progress")
        sleep(_LOOK_EVERY_SECONDS)
        with aws_errors(where=where):
            described = client.describe_export(ExportArn=described["ExportArn"])["ExportDescription"]
    if described["ExportStatus"] != "COMPLETED":
        raise ExportError(
            f"export {described['ExportArn']} of {where} ended as {described['ExportStatus']}: "
            f"{described.get('FailureCode', '')} {described.get('FailureMessage', '')}".rstrip()
        )
    return place_of(f"s3://{target.bucket}/{described['ExportManifest']}")
