"""A stack is brought to what is wanted even where CloudFormation cannot look into the stacks inside it beforehand."""

import io

import pytest
from fake_cloudformation import FakeCloudFormation
from rich.console import Console

from deploy_aws.change_sets import ChangeSet
from deploy_aws.errors import DeploymentFailedError
from deploy_aws.rollout import Rollout, Wanted
from deploy_aws.screen import Screen
from deploy_aws.waiting import Waiter

# What a change set of stacks inside has for an output that no stack has handed out yet, and what may come of it.
STUMBLED = "Parameter VpcId '{{IntrinsicFunction:shop/Network.Outputs.VpcId/Fn::GetAtt}}' must match pattern vpc-.+"


def wanted(*, nested: bool = True) -> Wanted:
    return Wanted(name="shop-dev", template={"TemplateURL": "u"}, parameters={}, tags={}, nested=nested)


def failed(reason: str) -> list[dict]:
    return [{"Status": "FAILED", "StackId": "arn:stack", "StatusReason": reason, "Changes": []}]


def made() -> list[dict]:
    return [{"Status": "CREATE_COMPLETE", "StackId": "arn:stack", "Changes": []}]


class Work:
    def __init__(self, **change_sets: list[dict]) -> None:
        self.client = FakeCloudFormation(change_sets=change_sets)
        self.text = io.StringIO()
        self.rollout = Rollout(
            self.client, waiter=Waiter(sleep=lambda _: None), screen=Screen(Console(file=self.text, width=300))
        )

    @property
    def looked_inside(self) -> list[bool]:
        return [each["IncludeNestedStacks"] for name, each in self.client.calls if name == "create_change_set"]


@pytest.mark.parametrize("creates", [True, False])
def test_a_look_inside_that_cloudformation_cannot_take_is_left_out_and_told(creates: bool):
    work = Work(root=failed(STUMBLED), flat=made())

    found = work.rollout.make_change_set(wanted(), creates=creates)

    assert found == ChangeSet(id="flat", stack_id="arn:stack", changes=())
    assert work.client.called == ["create_change_set", "delete_change_set", "create_change_set"]
    assert work.looked_inside == [True, False]
    assert "must match pattern vpc-.+; trying it without a look into the stacks inside" in work.text.getvalue()


def test_a_look_inside_that_succeeds_is_taken_once():
    work = Work(root=made())

    assert work.rollout.make_change_set(wanted(), creates=False) == ChangeSet("root", "arn:stack", ())
    assert work.looked_inside == [True]


def test_what_cannot_be_made_either_way_is_told_with_the_reason_of_the_stack_itself():
    work = Work(root=failed(STUMBLED), flat=failed("Template error: no such resource"))

    with pytest.raises(DeploymentFailedError, match=r"Template error: no such resource$"):
        work.rollout.make_change_set(wanted(), creates=False)


def test_a_stack_without_stacks_inside_is_not_tried_again():
    work = Work(flat=failed("Template error"))

    with pytest.raises(DeploymentFailedError, match=r"Template error$"):
        work.rollout.make_change_set(wanted(nested=False), creates=False)

    assert work.looked_inside == [False]


def test_nothing_to_change_inside_is_nothing_to_change():
    work = Work(root=failed("The submitted information didn't contain changes."))

    assert work.rollout.make_change_set(wanted(), creates=False) is None
    assert work.looked_inside == [True]
