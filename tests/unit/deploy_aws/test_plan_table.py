"""A plan as people read it."""

import io

import pytest
from rich.console import Console

from deploy_aws.change_sets import Change
from deploy_aws.plan_table import plan_table, warnings


def a_change(**others):
    return Change(
        **{
            "stack": "shop-dev",
            "action": "Modify",
            "resource": "Bucket",
            "type": "AWS::S3::Bucket",
            "replacement": "False",
            "why": "Tags",
            "physical_id": "shop-bucket",
            **others,
        }
    )


def shown(*changes):
    output = io.StringIO()
    Console(file=output, width=200).print(plan_table(changes, title="update shop-dev"))
    return [
        [cell.strip() for cell in line.strip("│┃ ").replace("┃", "│").split("│")]
        for line in output.getvalue().splitlines()
        if "│" in line or "┃" in line
    ]


def test_a_change_is_a_row():
    found = shown(
        a_change(),
        a_change(action="Add", replacement="", why="if HasReader"),
        a_change(replacement="True", why="[Name]"),
        a_change(replacement="Conditional", stack="shop-dev/Database"),
    )

    assert found == [
        ["action", "stack", "resource", "type", "replaced", "why"],
        ["Modify", "shop-dev", "Bucket", "AWS::S3::Bucket", "no", "Tags"],
        ["Add", "shop-dev", "Bucket", "AWS::S3::Bucket", "", "if HasReader"],
        ["Modify", "shop-dev", "Bucket", "AWS::S3::Bucket", "yes", "[Name]"],
        ["Modify", "shop-dev/Database", "Bucket", "AWS::S3::Bucket", "perhaps", "Tags"],
    ]


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (a_change(replacement="True"), "would be REPLACED by an empty one"),
        (a_change(replacement="Conditional"), "may be REPLACED by an empty one; CloudFormation cannot tell beforehand"),
        (
            a_change(action="Remove", replacement=""),
            "would leave the stack: it is deleted, or kept without a stack, as its policy says",
        ),
    ],
)
def test_data_that_would_be_lost_is_warned_of(change, warning):
    assert warnings([change]) == (f"DATA: shop-dev/Bucket (AWS::S3::Bucket, shop-bucket) {warning}",)


@pytest.mark.parametrize(
    "change",
    [
        a_change(),
        a_change(action="Add", replacement=""),
        a_change(type="AWS::Lambda::Function", replacement="True"),
        a_change(type="AWS::IAM::Role", action="Remove"),
    ],
)
def test_what_loses_no_data_is_not_warned_of(change):
    assert warnings([change]) == ()
