"""Stacks brought to where they can be changed, out of states that the emulator does not reach."""

import io
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from fake_cloudformation import NOON, FakeCloudFormation, an_event, refused
from rich.console import Console

from deploy_aws.errors import DeploymentFailedError
from deploy_aws.screen import Screen
from deploy_aws.stacks import Stacks
from deploy_aws.waiting import WaitedTooLongError, Waiter

ID = "arn:stack/shop-dev/1"


class Work:
    def __init__(self, *statuses, events=None):
        self.client = FakeCloudFormation(statuses, events=events)
        self.text = io.StringIO()
        self.clock = [0.0]
        screen = Screen(Console(file=self.text, width=300))
        self.stacks = Stacks(self.client, waiter=Waiter(clock=lambda: self.clock[0], sleep=self.sleep), screen=screen)

    def sleep(self, seconds):
        self.clock[0] += seconds


def test_what_goes_on_is_waited_for_and_told():
    work = Work(
        "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", events={ID: [an_event()]}
    )

    found = work.stacks.prepare("shop-dev")

    assert found.status == "UPDATE_COMPLETE"
    assert work.client.called == []
    assert work.text.getvalue().splitlines()[:2] == [
        "shop-dev is UPDATE_IN_PROGRESS: waiting until that has ended",
        "  12:00:00 CREATE_COMPLETE              shop-dev/Bucket (AWS::S3::Bucket)",
    ]


def test_what_goes_on_for_ever_is_not_waited_for_for_ever():
    work = Work("UPDATE_IN_PROGRESS")

    with pytest.raises(WaitedTooLongError, match="the work on stack shop-dev took longer than 120 minutes"):
        work.stacks.prepare("shop-dev")

    assert work.clock[0] == pytest.approx(7200)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"])
def test_what_was_never_used_is_deleted_to_be_made_anew(status):
    work = Work(status, status, "DELETE_COMPLETE", None)

    assert work.stacks.prepare("shop-dev") is None
    assert [(name, arguments["StackName"]) for name, arguments in work.client.calls] == [("delete_stack", ID)]
    assert "it is deleted and made anew" in work.text.getvalue()


def test_a_stuck_rollback_is_left_alone_and_its_reasons_are_told():
    events = {ID: [an_event("Cluster", "UPDATE_FAILED", ResourceStatusReason="no such version")]}
    work = Work("UPDATE_ROLLBACK_FAILED", events=events)

    with pytest.raises(DeploymentFailedError) as refused_:
        work.stacks.prepare("shop-dev")

    assert work.client.called == []
    assert "run the same command with CONTINUE_ROLLBACK=yes" in str(refused_.value)
    assert str(refused_.value).endswith("\n  shop-dev/Cluster (AWS::S3::Bucket): no such version")


def test_a_stuck_rollback_goes_on_when_told_so():
    work = Work("UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")

    found = work.stacks.prepare("shop-dev", continue_rollback=True)

    assert (found.status, work.client.called) == ("UPDATE_ROLLBACK_COMPLETE", ["continue_update_rollback"])


def test_a_rollback_that_stays_stuck_names_the_command_that_skips_resources():
    work = Work("UPDATE_ROLLBACK_FAILED")

    with pytest.raises(
        DeploymentFailedError, match="continue-update-rollback --stack-name shop-dev --resources-to-skip"
    ):
        work.stacks.prepare("shop-dev", continue_rollback=True)


def test_a_stack_that_is_half_deleted_has_to_be_destroyed_first():
    work = Work("DELETE_FAILED")

    with pytest.raises(
        DeploymentFailedError, match="is DELETE_FAILED: deleting it has not ended; finish that with make de"
    ):
        work.stacks.prepare("shop-dev")


def test_a_stack_that_somebody_else_keeps_changing_is_given_up():
    work = Work(*["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "CREATE_COMPLETE"] * 20)

    with pytest.raises(DeploymentFailedError, match="shop-dev does not come to rest: does someone else deploy it too"):
        work.stacks.prepare("shop-dev")


def test_a_stack_that_is_not_deleted_says_why():
    events = {ID: [an_event("Bucket", "DELETE_FAILED", ResourceStatusReason="not empty")]}
    work = Work("ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED", events=events)

    with pytest.raises(DeploymentFailedError) as refused_:
        work.stacks.prepare("shop-dev")

    assert str(refused_.value) == (
        "shop-dev is DELETE_FAILED, not deleted:\n  shop-dev/Bucket (AWS::S3::Bucket): not empty"
    )


def test_a_deletion_that_goes_on_already_is_only_watched():
    work = Work("DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE")

    work.stacks.delete(work.stacks.find("shop-dev"))

    assert work.client.called == []


def test_a_refusal_is_not_taken_for_a_stack_that_is_not_there():
    work = Work("CREATE_COMPLETE")

    def deny(**_):
        raise refused("AccessDenied", "may not")

    work.client.describe_stacks = deny

    with pytest.raises(ClientError, match="AccessDenied"):
        work.stacks.find("shop-dev")


def test_failures_of_stacks_inside_are_found_and_echoes_of_them_are_not_told():
    inner = "arn:inner"
    events = {
        ID: [
            an_event(
                "shop-dev", "CREATE_FAILED", ResourceType="AWS::CloudFormation::Stack", ResourceStatusReason="[Db]"
            ),
            an_event(
                "Db",
                "CREATE_FAILED",
                ResourceType="AWS::CloudFormation::Stack",
                PhysicalResourceId=inner,
                ResourceStatusReason="Embedded stack arn:inner was not successfully created",
            ),
            an_event("Queue", "CREATE_FAILED", ResourceStatusReason="Resource creation cancelled"),
            an_event("Old", "CREATE_FAILED", ResourceStatusReason="long ago", Timestamp=NOON - timedelta(hours=1)),
        ],
        inner: [
            an_event("Cluster", "CREATE_FAILED", StackId=inner, StackName="db", ResourceStatusReason="quota exceeded"),
        ],
    }
    work = Work("CREATE_FAILED", events=events)

    _, failures = work.stacks.wait(work.stacks.find("shop-dev"))

    assert [(event.stack, event.resource, event.reason) for event in failures] == [("db", "Cluster", "quota exceeded")]
    assert "long ago" not in work.text.getvalue()


def test_an_event_is_told_once():
    work = Work("CREATE_COMPLETE", events={ID: [an_event()]})
    stack = work.stacks.find("shop-dev")

    work.stacks.wait(stack)
    work.stacks.wait(stack)

    assert work.text.getvalue().count("shop-dev/Bucket") == 1


def test_the_state_that_an_earlier_operation_left_is_no_answer_to_a_later_one():
    events = [an_event(ClientRequestToken="old")]
    work = Work("UPDATE_COMPLETE", events={ID: events})
    waiter = Waiter(clock=lambda: 0.0, sleep=lambda _: events.insert(0, an_event(ClientRequestToken="new")))

    Stacks(work.client, waiter=waiter, screen=Screen(Console(file=work.text))).await_begin(ID, "new")

    assert [event["ClientRequestToken"] for event in events] == ["new", "old"]


def test_a_history_that_does_not_tell_of_an_operation_is_not_waited_for_for_ever():
    work = Work("UPDATE_COMPLETE")

    work.stacks.await_begin(ID, "new")

    assert work.clock[0] == pytest.approx(60)
