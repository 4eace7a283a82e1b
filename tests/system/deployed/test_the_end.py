"""The pipeline is taken down. Last by its name: nothing of it can be asked for afterwards."""

import pytest
from deployed_day import TABLE, Day

pytestmark = pytest.mark.timeout(600)


def test_what_holds_data_outlives_the_pipeline_and_is_named(day: Day):
    bucket = day.done.outputs["BucketName"]

    done = day.destruction

    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if bucket in line or TABLE in line] != [], done.stdout
    assert day.deployment.s3.list_objects_v2(Bucket=bucket)["KeyCount"] > 0
    assert day.deployment.dynamodb.describe_table(TableName=TABLE)["Table"]["ItemCount"] > 0


def test_nothing_else_of_the_pipeline_is_left(day: Day):
    assert day.destruction.returncode == 0

    stacks = day.deployment.cloudformation.list_stacks()["StackSummaries"]
    left = {each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"}
    functions = day.deployment.functions.list_functions()["Functions"]
    assert (left, functions) == ({"ddb2aurora-emulator-bootstrap", "ddb2aurora-emulator-network"}, [])
