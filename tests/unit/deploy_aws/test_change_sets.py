"""Change sets, with those of stacks inside a stack, which the emulator does not make."""

import pytest
from fake_cloudformation import FakeCloudFormation

from deploy_aws.change_sets import Change, ChangeSets
from deploy_aws.errors import DeploymentFailedError
from deploy_aws.waiting import Waiter


def make(client, *, waiter=None, **others):
    arguments = {
        "name": "ddb2aurora-1",
        "creates": False,
        "template": {"TemplateURL": "https://bucket/root.yaml"},
        "parameters": {"Flow": "on"},
        "tags": {"project": "shop"},
        "nested": True,
        **others,
    }
    return ChangeSets(client, waiter=waiter or Waiter(sleep=lambda _: None)).make("shop-dev", **arguments)


def answer(*changes, status="CREATE_COMPLETE", token=None, **others):
    found = {"Status": status, "StackId": "arn:stack", "Changes": [{"ResourceChange": change} for change in changes]}
    return {**found, **({"NextToken": token} if token else {}), **others}


INNER = {
    "Action": "Modify",
    "LogicalResourceId": "Database",
    "PhysicalResourceId": "arn:inner",
    "ResourceType": "AWS::CloudFormation::Stack",
    "Replacement": "False",
    "Scope": ["Properties"],
    "ChangeSetId": "inner",
}
CLUSTER = {
    "Action": "Modify",
    "LogicalResourceId": "Cluster",
    "PhysicalResourceId": "shop-cluster",
    "ResourceType": "AWS::RDS::DBCluster",
    "Replacement": "Conditional",
    "Details": [
        {"Target": {"Attribute": "Properties", "Name": "EngineVersion"}, "CausingEntity": "EngineVersion"},
        {"Target": {"Attribute": "Tags"}},
        {"Target": {"Attribute": "Tags"}},
    ],
}


def test_the_changes_of_a_stack_inside_stand_after_it_page_by_page():
    added = {"Action": "Add", "LogicalResourceId": "Reader", "ResourceType": "AWS::RDS::DBInstance"}
    client = FakeCloudFormation(
        change_sets={"root": [answer(INNER)], "inner": [answer(CLUSTER, token="1"), answer(added)]}
    )

    found = make(client)

    assert found.changes == (
        Change("shop-dev", "Modify", "Database", "AWS::CloudFormation::Stack", "False", "Properties", "arn:inner"),
        Change(
            "shop-dev/Database",
            "Modify",
            "Cluster",
            "AWS::RDS::DBCluster",
            "Conditional",
            "EngineVersion (by EngineVersion), Tags",
            "shop-cluster",
        ),
        Change("shop-dev/Database", "Add", "Reader", "AWS::RDS::DBInstance", "", "", ""),
    )
    assert client.calls[0][1]["IncludeNestedStacks"] is True


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_without_changes_is_none_and_is_deleted(reason):
    client = FakeCloudFormation(change_sets={"root": [answer(status="FAILED", StatusReason=reason)]})

    assert make(client) is None
    assert client.calls[-1] == ("delete_change_set", {"ChangeSetName": "root"})


def test_a_change_set_that_cannot_be_made_is_deleted_and_its_reason_told():
    client = FakeCloudFormation(change_sets={"root": [answer(status="FAILED", StatusReason="Rule broken")]})

    with pytest.raises(DeploymentFailedError, match=r"^the change set of stack shop-dev is FAILED: Rule broken$"):
        make(client)

    assert client.called == ["create_change_set", "delete_change_set"]


def test_a_change_set_that_is_not_waited_for_is_deleted():
    def interrupted(_):
        raise KeyboardInterrupt

    client = FakeCloudFormation(change_sets={"root": [answer(status="CREATE_IN_PROGRESS")]})

    with pytest.raises(KeyboardInterrupt):
        make(client, waiter=Waiter(sleep=interrupted))

    assert client.called == ["create_change_set", "delete_change_set"]


def test_a_creation_that_fails_keeps_what_was_made_and_an_update_is_rolled_back():
    client = FakeCloudFormation(change_sets={"root": [answer()]})

    make(client, creates=True)
    make(client, creates=False)

    first, second = (arguments for _, arguments in client.calls)
    assert (first["ChangeSetType"], first["OnStackFailure"]) == ("CREATE", "DO_NOTHING")
    assert (second["ChangeSetType"], second.get("OnStackFailure")) == ("UPDATE", None)


@pytest.mark.parametrize(("keep", "arguments"), [(False, {}), (True, {"DisableRollback": True})])
def test_only_an_update_that_goes_on_with_a_creation_is_not_rolled_back(keep, arguments):
    client = FakeCloudFormation(change_sets={"root": [answer()]})
    found = make(client)

    ChangeSets(client, waiter=Waiter()).execute(found, token="t", keep_on_failure=keep)

    assert client.calls[-1] == ("execute_change_set", {"ChangeSetName": "root", "ClientRequestToken": "t", **arguments})
