"""
The templates themselves, made by an emulator's CloudFormation: they are wired as they should be, and keep data.

What the emulator cannot make stays out by options: the network and the cluster are there already, and the alarm that
reckons is off. Functions are made and not run; that needs their images.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from templates import template_paths

IMAGE = "registry.example/image@sha256:" + "0" * 64
SECONDS = 60


@dataclass
class Root:
    """The root stack of one test."""

    aws: Any
    project: str
    parameters: dict[str, str]

    @property
    def stack(self) -> str:
        return f"{self.project}-dev"

    @property
    def name(self) -> str:
        return f"{self.project}-dev-web-analytics"

    @property
    def bucket(self) -> str:
        return f"{self.name}-000000000000-{self.aws.region}"

    def create(self, **changed: str) -> str:
        """Create the stack with these parameters; return how that ended."""
        self.parameters |= changed
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        self.aws.client("cloudformation").create_stack(
            StackName=self.stack,
            TemplateURL=f"{self.parameters['TemplateUrl']}/root.yaml",
            Parameters=given,
            Capabilities=["CAPABILITY_IAM"],
        )
        return self.ended()

    def ended(self) -> str:
        deadline = time.monotonic() + SECONDS
        while (status := self.described()["StackStatus"]).endswith("PROGRESS"):
            assert time.monotonic() < deadline, status
        return status

    def described(self) -> dict[str, Any]:
        return self.aws.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.described()["Outputs"]}

    def states_of_schedules(self) -> set[str]:
        found = self.aws.client("scheduler").list_schedules(GroupName=self.name)["Schedules"]
        return {each["State"] for each in found}

    def mapping(self) -> dict[str, Any]:
        found = self.aws.client("lambda").list_event_source_mappings(FunctionName=f"{self.name}-stream-processor")
        [mapping] = found["EventSourceMappings"]
        return mapping


@pytest.fixture
def root(aws: Any) -> Iterator[Root]:
    artifacts = aws.bucket("artifacts")
    for path in template_paths():
        aws.client("s3").put_object(Bucket=artifacts, Key=f"templates/{path.name}", Body=path.read_bytes())
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        aws.client("ec2").create_subnet(VpcId=vpc, CidrBlock=f"10.0.{zone}.0/24")["Subnet"]["SubnetId"]
        for zone in (1, 2)
    ]
    made = Root(
        aws,
        # A project of its own for each test: names of tables and buckets are taken only once.
        aws.unique("p")[:12],
        {
            "Environment": "dev",
            "PipelineName": "web_analytics",
            "TemplateUrl": f"{aws.url}/{artifacts}/templates",
            "StreamProcessorImage": IMAGE,
            "FirehoseTransformerImage": IMAGE,
            "AuroraLoaderImage": IMAGE,
            "OperatorImage": IMAGE,
            "TargetTable": "WebAnalytics",
            "TableName": aws.unique("table"),
            "RangeKeyName": "activity_dt",
            "S3PrefixListId": "pl-12345678",
            "DynamoDbPrefixListId": "pl-87654321",
            "ExistingVpcId": vpc,
            "ExistingSubnetIds": ",".join(subnets),
            "ExistingClusterId": "orders",
            "ExistingEndpoint": "orders.example",
            "ExistingClusterResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "ExistingSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:orders-AbCdEf",
            "QuotaAlarm": "false",
            # MiniStack gives endpoints no names.
            "OperatorEndpoints": "false",
        },
    )
    made.parameters["Project"] = made.project
    yield made
    aws.client("cloudformation").delete_stack(StackName=made.stack)


def test_a_pipeline_is_made_from_its_templates(root: Root):
    status = root.create()

    outputs = root.outputs()
    del outputs["LoaderFailuresQueueUrl"], outputs["DashboardUrl"]
    assert status == "CREATE_COMPLETE"
    assert outputs == {
        "BucketName": root.bucket,
        "TableName": root.parameters["TableName"],
        "DeliveryStreamName": root.name,
        "StreamProcessorFunction": f"{root.name}-stream-processor",
        "FirehoseTransformerFunction": f"{root.name}-firehose-transformer",
        "AuroraLoaderFunction": f"{root.name}-aurora-loader",
        "OperatorFunction": f"{root.name}-operator",
        "MigrateFunction": f"{root.name}-migrate",
        "DatabaseEndpoint": "orders.example",
        "DatabaseSecretArn": root.parameters["ExistingSecretArn"],
        "FailedTopicArn": f"arn:aws:sns:{root.aws.region}:000000000000:{root.name}-failed",
    }


def test_the_bucket_tells_the_loader_of_rows_and_the_topic_of_failures(root: Root):
    root.create()

    found = root.aws.client("s3").get_bucket_notification_configuration(Bucket=root.bucket)
    watched = {
        (each.get("LambdaFunctionArn") or each["TopicArn"], each["Filter"]["Key"]["FilterRules"][0]["Value"])
        for each in found["LambdaFunctionConfigurations"] + found["TopicConfigurations"]
    }
    here = f"{root.aws.region}:000000000000"
    assert watched == {
        (f"arn:aws:lambda:{here}:function:{root.name}-aurora-loader", "processed/web_analytics/"),
        (f"arn:aws:sns:{here}:{root.name}-failed", "failed/web_analytics/"),
        (f"arn:aws:sns:{here}:{root.name}-failed", "aws/lambda/"),
    }


@pytest.mark.parametrize(("flow", "states"), [("on", {"ENABLED"}), ("off", {"DISABLED"})])
def test_schedules_run_while_changes_flow(root: Root, flow: str, states: set[str]):
    root.create(Flow=flow)

    assert root.states_of_schedules() == states


@pytest.fixture
def existing(root: Root) -> Callable[[], str]:
    """Make the table beforehand; return the ARN of its stream."""

    def make() -> str:
        made = root.aws.client("dynamodb").create_table(
            TableName=root.parameters["TableName"],
            AttributeDefinitions=[{"AttributeName": "page_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "page_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        return made["TableDescription"]["LatestStreamArn"]

    return make


def test_a_table_that_is_there_is_read_by_its_stream(root: Root, existing: Callable[[], str]):
    stream = existing()

    status = root.create(ExistingTableName=root.parameters["TableName"], ExistingStreamArn=stream)

    assert (status, root.mapping()["EventSourceArn"]) == ("CREATE_COMPLETE", stream)


def test_table_and_bucket_outlive_their_stack(root: Root):
    root.create()
    root.aws.client("s3").put_object(Bucket=root.bucket, Key="backup/web_analytics/kept", Body=b"kept")
    cloudformation = root.aws.client("cloudformation")
    # The stack itself, because the emulator forgets the policies of a nested one when it deletes that with its parent.
    storage = cloudformation.describe_stack_resource(StackName=root.stack, LogicalResourceId="Storage")
    arn = storage["StackResourceDetail"]["PhysicalResourceId"]

    cloudformation.delete_stack(StackName=arn)
    deadline = time.monotonic() + SECONDS
    while (status := cloudformation.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"]) != "DELETE_COMPLETE":
        assert time.monotonic() < deadline, status

    kept = root.aws.client("s3").get_object(Bucket=root.bucket, Key="backup/web_analytics/kept")["Body"].read()
    table = root.aws.client("dynamodb").describe_table(TableName=root.parameters["TableName"])["Table"]
    topics = [each["TopicArn"] for each in root.aws.client("sns").list_topics()["Topics"]]
    assert (kept, table["TableStatus"]) == (b"kept", "ACTIVE")
    assert [each for each in topics if each.endswith(f"{root.name}-failed")] == []
