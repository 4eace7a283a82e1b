"""A plan says what a deployment would change, and changes nothing."""

import pytest

from deploy_aws.errors import DeploymentFailedError
from deploy_aws.plan_table import warnings


def touched(plan):
    return sorted((change.action, change.resource) for change in plan.changes)


def test_where_nothing_is_there_everything_would_be_made_and_nothing_is(small):
    bootstrap, root = small.plan()

    assert (bootstrap.creates, root.creates) == (True, True)
    assert [name for _, name in touched(bootstrap)] == [
        "ArtifactBucket",
        "AuroraLoaderRepository",
        "FirehoseTransformerRepository",
        "OperatorRepository",
        "StreamProcessorRepository",
    ]
    assert [name for _, name in touched(root)] == ["Bucket", "Deployed", "Inner", "OperatorFunction", "Queue", "Table"]
    assert {action for action, _ in (*touched(bootstrap), *touched(root))} == {"Add"}
    assert (small.status(f"{small.stack}-bootstrap"), small.status(small.stack)) == (None, None)


def test_after_a_deployment_nothing_would_change(small):
    small.deploy()

    plans = small.plan()

    assert [(plan.creates, plan.differs, plan.changes) for plan in plans] == [(False, False, ())] * 2


def test_a_parameter_that_was_changed_would_change_its_resource_and_the_plan_changes_nothing(small):
    small.deploy()
    small.give(Seconds=120)
    before = small.clients.cloudformation.list_change_sets(StackName=small.stack)["Summaries"]

    _, root = small.plan()

    assert (root.differs, touched(root)) == (True, [("Modify", "Queue")])
    assert small.clients.cloudformation.list_change_sets(StackName=small.stack)["Summaries"] == before
    found = small.clients.cloudformation.describe_stacks(StackName=small.stack)["Stacks"][0]["Parameters"]
    assert {"ParameterKey": "Seconds", "ParameterValue": "3600"} in found


def test_before_images_are_pushed_a_plan_stands_in_for_them(small):
    small.deploy()
    (small.folders.local / "try" / "images.json").unlink()

    _, root = small.plan()

    assert root.differs is False
    assert "no images have been pushed from here" in small.said


def test_a_queue_that_would_be_replaced_is_warned_of(small):
    small.deploy()
    small.edit("root.yaml", "-queue", "-other-queue")

    _, root = small.plan()

    [warning] = warnings(root.changes)
    assert warning.startswith(f"DATA: {small.stack}/Queue (AWS::SQS::Queue, ")
    assert warning.endswith("would be REPLACED by an empty one")


def test_a_stack_whose_deletion_failed_is_not_planned(small):
    small.deploy()
    small.clients.s3.put_object(Bucket=f"{small.stack}-artifacts", Key="kept", Body=b"")
    small.edit("bootstrap.yaml", "    DeletionPolicy: Retain\n", "")
    small.deploy()
    small.clients.cloudformation.delete_stack(StackName=f"{small.stack}-bootstrap")

    with pytest.raises(DeploymentFailedError, match="is DELETE_FAILED: it cannot be planned before that has ended"):
        small.plan()
