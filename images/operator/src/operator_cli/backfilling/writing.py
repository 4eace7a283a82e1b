"""Write what was gathered to S3: rows where the loader is told of them, failed records where failures are kept."""

from typing import TYPE_CHECKING

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import aws_errors
from operator_cli.backfilling.items import ORIGIN, Gathering
from operator_cli.row_objects import write_rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Writer:
    """Write to one bucket; it may be shared by threads."""

    def __init__(self, s3: "S3Client", *, bucket: str, pipeline: Pipeline, run_id: str) -> None:
        """Write for *pipeline* to *bucket*; names of rows tell the run, so that another run's are loaded once more."""
        self._s3 = s3
        self._bucket = bucket
        self._pipeline = pipeline
        self._origin = f"{ORIGIN}-{run_id}"

    def write(self, gathering: Gathering) -> ObjectRef | None:
        """
        Write what *gathering* holds, and return the object of its rows, None when it has none.

        When this returns, S3 has all of it. The same content gives the same names: what is written a second time, since
        a process died before it noted the first, is the same object.

        Raises:
            AwsSetUpError: The bucket does not take it before someone acts.
            AwsCallError: It may take it later.
        """
        if gathering.failed:
            with aws_errors(where=f"bucket {self._bucket}"):
                self._s3.put_object(
                    Bucket=self._bucket,
                    Key=gathering.failed_key(),
                    Body=b"".join(gathering.failed),
                    ContentType="application/json",
                )
        if not gathering.rows:
            return None
        return write_rows(
            self._s3,
            gathering.rows,
            bucket=self._bucket,
            pipeline=self._pipeline,
            origin=self._origin,
            at_ms=gathering.at_ms,
            once=True,
        )
