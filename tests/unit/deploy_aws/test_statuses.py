"""What each status of a stack asks for."""

import boto3
import pytest

from deploy_aws.statuses import Step, at_rest, next_step, succeeded

STATUSES = (
    boto3.session.Session()
    .client("cloudformation", region_name="eu-west-1")
    .meta.service_model.shape_for("StackStatus")
    .enum
)


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (None, Step.CREATE),
        ("DELETE_COMPLETE", Step.CREATE),
        ("CREATE_COMPLETE", Step.UPDATE),
        ("UPDATE_COMPLETE", Step.UPDATE),
        ("UPDATE_ROLLBACK_COMPLETE", Step.UPDATE),
        ("IMPORT_COMPLETE", Step.UPDATE),
        ("IMPORT_ROLLBACK_COMPLETE", Step.UPDATE),
        ("CREATE_FAILED", Step.RESUME),
        ("UPDATE_FAILED", Step.RESUME),
        ("ROLLBACK_COMPLETE", Step.REMAKE),
        ("ROLLBACK_FAILED", Step.REMAKE),
        ("REVIEW_IN_PROGRESS", Step.DISCARD),
        ("CREATE_IN_PROGRESS", Step.WAIT),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Step.WAIT),
        ("UPDATE_ROLLBACK_IN_PROGRESS", Step.WAIT),
        ("DELETE_IN_PROGRESS", Step.WAIT),
        ("UPDATE_ROLLBACK_FAILED", Step.CONTINUE_ROLLBACK),
        ("DELETE_FAILED", Step.FINISH_DELETE),
    ],
)
def test_each_status_has_its_next_step(status, step):
    assert next_step(status) is step


def test_cloudformation_has_no_status_that_is_waited_for_although_nothing_goes_on():
    waited = {status for status in STATUSES if next_step(status) is Step.WAIT}

    assert waited == {status for status in STATUSES if status.endswith("_IN_PROGRESS")} - {"REVIEW_IN_PROGRESS"}


def test_only_a_finished_change_is_a_success():
    assert {status for status in STATUSES if succeeded(status)} == {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "IMPORT_COMPLETE",
    }


def test_what_goes_on_is_not_at_rest():
    assert {status for status in (*STATUSES, None) if not at_rest(status)} == {
        status for status in STATUSES if next_step(status) is Step.WAIT
    }
