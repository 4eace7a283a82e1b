"""Remove what outlived its stack: for good, in bounded steps, and without a word against what is gone already."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deploy_aws.aws import Clients, code_of
from deploy_aws.errors import DeploymentFailedError
from deploy_aws.inventory import CLUSTER, Holding
from deploy_aws.screen import Screen
from deploy_aws.waiting import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_s3 import S3Client

_GONE = frozenset(
    {
        "404",
        "NoSuchBucket",
        "ResourceNotFoundException",
        "RepositoryNotFoundException",
        "DBClusterNotFoundFault",
        "DBClusterSnapshotNotFoundFault",
        "NotFoundException",
    }
)
_LONGEST_SECONDS = 1800.0


class NotRemovedError(DeploymentFailedError):
    """Something could not be removed."""


class Removal:
    """Remove data, and what protects it."""

    def __init__(self, clients: Clients, *, screen: Screen, waiter: Waiter) -> None:
        """Remove with *clients*, tell *screen* of each thing."""
        self._clients = clients
        self._screen = screen
        self._waiter = waiter
        self._ways: Mapping[str, Callable[[str], None]] = {
            "AWS::S3::Bucket": self._remove_bucket,
            "AWS::DynamoDB::Table": self._remove_table,
            "AWS::ECR::Repository": self._remove_repository,
            "AWS::Logs::LogGroup": self._remove_log_group,
        }
        self._looks: Mapping[str, Callable[[str], object]] = {
            "AWS::S3::Bucket": lambda name: clients.s3.head_bucket(Bucket=name),
            "AWS::DynamoDB::Table": lambda name: clients.dynamodb.describe_table(TableName=name),
            "AWS::ECR::Repository": lambda name: clients.ecr.describe_repositories(repositoryNames=[name]),
            CLUSTER: lambda name: clients.rds.describe_db_clusters(DBClusterIdentifier=name),
            "AWS::Logs::LogGroup": lambda name: clients.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"],
        }

    def can_remove(self, holding: Holding) -> bool:
        """Return whether this knows how to remove things of its type."""
        return holding.type in self._ways or holding.on_delete == "Snapshot"

    def remove(self, holding: Holding) -> None:
        """
        Remove one thing with all that is in it; what is gone already is fine.

        Raises:
            NotRemovedError: A part of it refuses to go.
            ClientError: AWS refuses.
        """
        if holding.on_delete == "Snapshot":
            for snapshot in self.snapshots(holding):
                self._clients.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot)
                self._screen.say(f"  removed snapshot {snapshot}")
            return
        try:
            self._ways[holding.type](holding.id)
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
        self._screen.say(f"  removed {holding.type} {holding.id}")

    def is_there(self, holding: Holding) -> bool:
        """
        Return whether *holding* still exists, as far as this can tell.

        Raises:
            ClientError: AWS refuses to tell.
        """
        if holding.on_delete == "Snapshot":
            return bool(self.snapshots(holding))
        look = self._looks.get(holding.type)
        try:
            return look is None or look(holding.id) != []
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            return False

    def unprotect(self, holding: Holding) -> None:
        """
        Lift the deletion protection of a database cluster or a table, if it has one.

        Raises:
            ClientError: AWS refuses.
        """
        if holding.type not in {CLUSTER, "AWS::DynamoDB::Table"}:
            return
        try:
            lifted = self._unprotect(holding)
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            return
        if lifted:
            self._screen.say(f"  deletion protection lifted: {holding.type} {holding.id}", kind="warning")

    def snapshots(self, holding: Holding) -> tuple[str, ...]:
        """
        Return the snapshots that there are of a cluster, none of anything else.

        Raises:
            ClientError: RDS refuses to tell.
        """
        if holding.type != CLUSTER:
            return ()
        pages = self._clients.rds.get_paginator("describe_db_cluster_snapshots").paginate(
            DBClusterIdentifier=holding.id, SnapshotType="manual"
        )
        return tuple(
            found.get("DBClusterSnapshotIdentifier", "") for page in pages for found in page["DBClusterSnapshots"]
        )

    def _unprotect(self, holding: Holding) -> bool:
        if holding.type == "AWS::DynamoDB::Table":
            table = self._clients.dynamodb.describe_table(TableName=holding.id)["Table"]
            lifts = table.get("DeletionProtectionEnabled", False)
            if lifts:
                self._clients.dynamodb.update_table(TableName=holding.id, DeletionProtectionEnabled=False)
                self._waiter.until(
                    lambda: self._is_active(holding.id), seconds=_LONGEST_SECONDS, what=f"the change of {holding.id}"
                )
            return lifts
        cluster = self._clients.rds.describe_db_clusters(DBClusterIdentifier=holding.id)["DBClusters"][0]
        lifts = cluster.get("DeletionProtection", False)
        if lifts:
            self._clients.rds.modify_db_cluster(
                DBClusterIdentifier=holding.id, DeletionProtection=False, ApplyImmediately=True
            )
        return lifts

    def _is_active(self, table: str) -> bool | None:
        status = self._clients.dynamodb.describe_table(TableName=table)["Table"].get("TableStatus")
        return True if status == "ACTIVE" else None

    def _remove_bucket(self, bucket: str) -> None:
        s3, removed = self._clients.s3, 0
        # Always the first page: what a listing that goes on shows, while what it listed is deleted, is not defined.
        while batch := _first_versions(s3, bucket):
            # S3 takes at most 1,000 keys a call, which is what a page holds.
            errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True}).get("Errors", [])
            if errors:
                raise NotRemovedError(
                    f"{len(errors)} objects of bucket {bucket} cannot be deleted: {errors[0].get('Code')} "
                    f"({errors[0].get('Message')}); mend that, then run the same command again"
                )
            removed += len(batch)
            self._screen.now(f"{bucket}: {removed:,} versions deleted")
        while uploads := s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            for upload in uploads:
                s3.abort_multipart_upload(Bucket=bucket, Key=upload.get("Key", ""), UploadId=upload.get("UploadId", ""))
        s3.delete_bucket(Bucket=bucket)

    def _remove_table(self, table: str) -> None:
        self._clients.dynamodb.delete_table(TableName=table)

    def _remove_repository(self, repository: str) -> None:
        self._clients.ecr.delete_repository(repositoryName=repository, force=True)

    def _remove_log_group(self, group: str) -> None:
        self._clients.logs.delete_log_group(logGroupName=group)


def _first_versions(s3: "S3Client", bucket: str) -> list[Any]:
    page = s3.list_object_versions(Bucket=bucket)
    return [
        {"Key": found.get("Key", ""), "VersionId": found.get("VersionId", "null")}
        for found in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
    ]
