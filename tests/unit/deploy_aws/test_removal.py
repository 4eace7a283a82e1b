"""What outlives its stack is removed with all that is in it, and its protection is lifted first."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from fake_cloudformation import refused
from rich.console import Console

from deploy_aws.inventory import Holding
from deploy_aws.removal import NotRemovedError, Removal
from deploy_aws.screen import Screen
from deploy_aws.waiting import Waiter


def a_holding(type_, id_="thing"):
    return Holding(stack="shop-dev", resource="Thing", type=type_, id=id_, on_delete="Retain")


class FakeService:
    """Answer each call from *answers*, in order, or with nothing; raise what is an error."""

    def __init__(self, **answers):
        self.calls = []
        self._answers = {name: list(found) for name, found in answers.items()}

    def get_paginator(self, name):
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, name)(**arguments)])

    def __getattr__(self, name):
        def call(**arguments):
            self.calls.append((name, arguments))
            answers = self._answers.get(name)
            answer = answers.pop(0) if answers else {}
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def a_removal(**services):
    text = io.StringIO()
    names = ("dynamodb", "ecr", "logs", "rds", "s3")
    clients = SimpleNamespace(**{name: services.get(name, FakeService()) for name in names})
    screen = Screen(Console(file=text, width=200))
    return Removal(clients, screen=screen, waiter=Waiter(sleep=lambda _: None)), text


def test_the_protection_of_a_cluster_is_lifted_and_told():
    rds = FakeService(describe_db_clusters=[{"DBClusters": [{"DeletionProtection": True}]}])
    removal, text = a_removal(rds=rds)

    removal.unprotect(a_holding("AWS::RDS::DBCluster"))

    assert rds.calls[-1] == (
        "modify_db_cluster",
        {"DBClusterIdentifier": "thing", "DeletionProtection": False, "ApplyImmediately": True},
    )
    assert text.getvalue() == "  deletion protection lifted: AWS::RDS::DBCluster thing\n"


def test_the_change_of_a_table_is_waited_for():
    states = [
        {"Table": {"DeletionProtectionEnabled": True}},
        {"Table": {"TableStatus": "UPDATING"}},
        {"Table": {"TableStatus": "ACTIVE"}},
    ]
    dynamodb = FakeService(describe_table=states)
    removal, _ = a_removal(dynamodb=dynamodb)

    removal.unprotect(a_holding("AWS::DynamoDB::Table"))

    assert [name for name, _ in dynamodb.calls] == [
        "describe_table",
        "update_table",
        "describe_table",
        "describe_table",
    ]


@pytest.mark.parametrize(
    ("type_", "services"),
    [
        ("AWS::RDS::DBCluster", {"rds": FakeService(describe_db_clusters=[{"DBClusters": [{}]}])}),
        ("AWS::RDS::DBCluster", {"rds": FakeService(describe_db_clusters=[refused("DBClusterNotFoundFault")])}),
        ("AWS::DynamoDB::Table", {"dynamodb": FakeService(describe_table=[{"Table": {}}])}),
        ("AWS::S3::Bucket", {}),
    ],
)
def test_what_has_no_protection_is_left_alone(type_, services):
    removal, text = a_removal(**services)

    removal.unprotect(a_holding(type_))

    assert text.getvalue() == ""


@pytest.mark.parametrize(
    ("type_", "service", "call"),
    [
        ("AWS::ECR::Repository", "ecr", ("delete_repository", {"repositoryName": "thing", "force": True})),
        ("AWS::Logs::LogGroup", "logs", ("delete_log_group", {"logGroupName": "thing"})),
        ("AWS::DynamoDB::Table", "dynamodb", ("delete_table", {"TableName": "thing"})),
    ],
)
def test_each_kind_of_thing_is_removed_in_its_way(type_, service, call):
    fake = FakeService()
    removal, _ = a_removal(**{service: fake})

    removal.remove(a_holding(type_))

    assert fake.calls == [call]


def test_what_is_gone_already_is_fine():
    removal, _ = a_removal(ecr=FakeService(delete_repository=[refused("RepositoryNotFoundException")]))

    removal.remove(a_holding("AWS::ECR::Repository"))


def test_a_refusal_is_not_fine():
    removal, _ = a_removal(ecr=FakeService(delete_repository=[refused("AccessDeniedException")]))

    with pytest.raises(ClientError):
        removal.remove(a_holding("AWS::ECR::Repository"))


def test_only_kinds_that_are_known_can_be_removed():
    removal, _ = a_removal()

    assert removal.can_remove(a_holding("AWS::S3::Bucket"))
    assert not removal.can_remove(a_holding("AWS::KMS::Key"))


def test_objects_that_cannot_be_deleted_end_it_instead_of_being_tried_for_ever():
    s3 = FakeService(
        list_object_versions=[{"Versions": [{"Key": "a", "VersionId": "1"}]}],
        delete_objects=[{"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "object lock"}]}],
    )
    removal, _ = a_removal(s3=s3)

    with pytest.raises(
        NotRemovedError, match=r"^1 objects of bucket thing cannot be deleted: AccessDenied \(object lock\)"
    ):
        removal.remove(a_holding("AWS::S3::Bucket"))


def test_a_bucket_is_emptied_of_versions_markers_and_unfinished_uploads():
    s3 = FakeService(
        list_object_versions=[
            {"Versions": [{"Key": "a", "VersionId": "1"}], "DeleteMarkers": [{"Key": "a", "VersionId": "2"}]}
        ],
        list_multipart_uploads=[{"Uploads": [{"Key": "b", "UploadId": "u"}]}],
    )
    removal, _ = a_removal(s3=s3)

    removal.remove(a_holding("AWS::S3::Bucket"))

    changes = [call for call in s3.calls if not call[0].startswith("list")]
    objects = [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]
    assert changes == [
        ("delete_objects", {"Bucket": "thing", "Delete": {"Objects": objects, "Quiet": True}}),
        ("abort_multipart_upload", {"Bucket": "thing", "Key": "b", "UploadId": "u"}),
        ("delete_bucket", {"Bucket": "thing"}),
    ]


@pytest.mark.parametrize(("answer", "there"), [({}, True), (refused("404"), False), (refused("NoSuchBucket"), False)])
def test_what_is_there_is_told_from_what_is_not(answer, there):
    removal, _ = a_removal(s3=FakeService(head_bucket=[answer]))

    assert removal.is_there(a_holding("AWS::S3::Bucket")) is there


def test_what_cannot_be_looked_for_counts_as_there():
    removal, _ = a_removal()

    assert removal.is_there(a_holding("AWS::KMS::Key"))


@pytest.mark.parametrize(("found", "there"), [([], False), ([{"DBClusterSnapshotIdentifier": "final"}], True)])
def test_a_cluster_that_was_deleted_is_there_as_long_as_a_snapshot_of_it_is(found, there):
    removal, _ = a_removal(rds=FakeService(describe_db_cluster_snapshots=[{"DBClusterSnapshots": found}]))

    assert removal.is_there(replace(a_holding("AWS::RDS::DBCluster"), on_delete="Snapshot")) is there


def test_a_refusal_to_tell_is_not_taken_for_a_thing_that_is_gone():
    removal, _ = a_removal(s3=FakeService(head_bucket=[refused("403")]))

    with pytest.raises(ClientError):
        removal.is_there(a_holding("AWS::S3::Bucket"))


def test_the_snapshots_of_a_cluster_are_found_and_removed():
    rds = FakeService(
        describe_db_cluster_snapshots=[{"DBClusterSnapshots": [{"DBClusterSnapshotIdentifier": "final"}]}]
    )
    removal, _ = a_removal(rds=rds)

    removal.remove(replace(a_holding("AWS::RDS::DBCluster"), on_delete="Snapshot"))

    assert rds.calls == [
        ("describe_db_cluster_snapshots", {"DBClusterIdentifier": "thing", "SnapshotType": "manual"}),
        ("delete_db_cluster_snapshot", {"DBClusterSnapshotIdentifier": "final"}),
    ]
