"""An environment is taken down with its data, or without; what stays is named."""

import pytest
from botocore.exceptions import ClientError

from deploy_aws.errors import DeploymentFailedError, DeploymentSettingsError


def exists(call, **arguments):
    try:
        call(**arguments)
    except ClientError:
        return False
    return True


def data_of(small):
    """Which of the stores of data are still there."""
    clients, stack = small.clients, small.stack
    return {
        "bucket": exists(clients.s3.head_bucket, Bucket=small.bucket),
        "table": exists(clients.dynamodb.describe_table, TableName=f"{small.project}-visits"),
        "artifacts": exists(clients.s3.head_bucket, Bucket=f"{stack}-artifacts"),
        "repository": exists(clients.ecr.describe_repositories, repositoryNames=[f"{stack}/operator"]),
    }


def fill(small, *, objects=3):
    for number in range(objects):
        for version in (b"old", b"new"):
            small.clients.s3.put_object(Bucket=small.bucket, Key=f"processed/{number}", Body=version)
    small.clients.s3.delete_object(Bucket=small.bucket, Key="processed/0")


def deployed_with_a_full_repository(small):
    """Deploy something that CloudFormation cannot delete."""
    small.edit("root.yaml", "Resources:\n", "Resources:\n  Full: {Type: AWS::ECR::Repository}\n")
    small.edit("root.yaml", "Outputs:\n", "Outputs:\n  Full: {Value: !Ref Full}\n")
    repository = small.deploy()["Full"]
    small.clients.ecr.put_image(repositoryName=repository, imageManifest="{}")
    return repository


def test_the_stack_goes_and_its_data_stays_and_is_named(small):
    small.deploy()
    fill(small)

    kept = small.destroy()

    assert sorted(kept.things) == [
        f"AWS::DynamoDB::Table {small.project}-visits",
        f"AWS::S3::Bucket {small.bucket}",
    ]
    assert kept.bootstrap == f"{small.stack}-bootstrap"
    assert small.status(small.stack) is None
    assert data_of(small) == {"bucket": True, "table": True, "artifacts": True, "repository": True}


def test_all_goes_when_the_data_is_asked_for_too(small):
    small.deploy()
    fill(small)

    kept = small.destroy(data=True)

    assert (kept.things, kept.bootstrap) == ((), None)
    assert (small.status(small.stack), small.status(f"{small.stack}-bootstrap")) == (None, None)
    assert data_of(small) == {"bucket": False, "table": False, "artifacts": False, "repository": False}


def test_data_that_was_kept_at_first_can_be_deleted_later(small):
    small.deploy()
    fill(small)
    small.destroy()

    small.destroy(data=True)

    assert data_of(small) == {"bucket": False, "table": False, "artifacts": False, "repository": False}


def test_taking_down_what_is_down_is_fine_and_still_names_what_is_kept(small):
    small.deploy()
    first = small.destroy()

    second = small.destroy(confirm=lambda _: pytest.fail("there is nothing to confirm"))

    assert second == first
    assert f"there is no stack {small.stack}\n" in small.said


def test_taking_all_down_twice_is_fine(small):
    small.deploy()
    small.destroy(data=True)

    kept = small.destroy(data=True)

    assert (kept.things, kept.bootstrap) == ((), None)


def test_nothing_is_changed_unless_it_is_confirmed_by_the_name_of_the_stack(small):
    small.deploy()
    asked = []

    with pytest.raises(DeploymentSettingsError, match="not confirmed: nothing was changed"):
        small.destroy(data=True, confirm=lambda word: bool(asked.append(word)))

    assert asked == [small.stack]
    assert small.status(small.stack) == "UPDATE_COMPLETE"
    assert data_of(small) == {"bucket": True, "table": True, "artifacts": True, "repository": True}


def test_what_is_going_to_be_deleted_is_named_before_it_is_asked_for(small):
    small.deploy()

    def confirm(_):
        small.before = small.said
        return True

    small.destroy(data=True, confirm=confirm)

    assert f"  AWS::S3::Bucket {small.bucket}\n" in small.before
    assert "with ALL THEIR DATA, together with every image:\n" in small.before


def test_a_bucket_of_more_versions_than_a_call_takes_is_emptied_in_batches(small):
    small.deploy()
    fill(small, objects=600)

    small.destroy(data=True)

    assert data_of(small)["bucket"] is False


def test_the_protection_of_a_stack_and_of_a_table_is_lifted_and_told(small):
    small.deploy()
    small.clients.cloudformation.update_termination_protection(StackName=small.stack, EnableTerminationProtection=True)

    small.destroy(data=True)

    assert f"  termination protection lifted: {small.stack}\n" in small.said
    assert f"  deletion protection lifted: AWS::DynamoDB::Table {small.project}-visits\n" in small.said


def test_a_stack_that_cannot_be_deleted_says_why_and_the_same_command_goes_on(small):
    repository = deployed_with_a_full_repository(small)
    with pytest.raises(DeploymentFailedError) as refused:
        small.destroy()
    small.clients.ecr.delete_repository(repositoryName=repository, force=True)

    small.destroy()

    assert str(refused.value).startswith(
        f"{small.stack} is DELETE_FAILED, not deleted:\n  {small.stack}/Full (AWS::ECR::"
    )
    assert small.status(small.stack) is None


def test_what_cannot_be_deleted_is_left_behind_when_asked_for(small):
    repository = deployed_with_a_full_repository(small)
    with pytest.raises(DeploymentFailedError):
        small.destroy()

    kept = small.destroy(leave_failed=True)

    assert small.status(small.stack) is None
    assert f"AWS::ECR::Repository {repository}" in kept.things


def test_after_data_was_kept_a_new_deployment_says_at_once_what_is_in_its_way(small):
    small.deploy()
    small.destroy()

    with pytest.raises(DeploymentSettingsError) as refused:
        small.deploy()

    assert str(refused.value) == (
        f"bucket {small.bucket} is there already, kept by an earlier make destroy perhaps; set BucketName to another, "
        "or delete that one"
    )
