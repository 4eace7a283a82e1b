"""Each role may do exactly what is listed here; whoever grants more, or less, changes this list and says why."""

from itertools import chain
from typing import Any

import pytest
from template_options import Chosen
from templates import as_list, resources, template, template_paths

LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]
# Lambda makes the network interfaces of a function with the function's role; a refusal keeps the code from it.
INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
NETWORK = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}

# template, role, options, and what the role may do with them
GRANTS: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("functions", "StreamProcessorRole", {}, [*LOG, "firehose:PutRecordBatch", "s3:PutObject"]),
    ("functions", "FirehoseTransformerRole", {}, LOG),
    ("functions", "FirehoseTransformerRole", {"Packing": "on"}, [*LOG, "s3:PutObject"]),
    ("loader", "AuroraLoaderRole", {}, [*LOG, "rds-db:connect", "sqs:SendMessage"]),
    ("loader", "AuroraLoaderRole", NETWORK, [*LOG, *INTERFACES, "rds-db:connect", "sqs:SendMessage"]),
    ("loader", "AuroraLoaderRole", {"LoadManifest": "on"}, [*LOG, "rds-db:connect", "s3:PutObject", "sqs:SendMessage"]),
    (
        "loader",
        "AuroraLoaderRole",
        {"LoadMode": "local", "DatabaseSecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:loader"},
        [*LOG, "s3:GetObject", "s3:GetObjectVersion", "secretsmanager:GetSecretValue", "sqs:SendMessage"],
    ),
    (
        "pipeline",
        "StreamProcessorReadsStream",
        {},
        [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
            "s3:ListBucket",
            "s3:PutObject",
        ],
    ),
    (
        "pipeline",
        "DeliveryRole",
        {},
        [
            "lambda:GetFunctionConfiguration",
            "lambda:InvokeFunction",
            "logs:PutLogEvents",
            "s3:AbortMultipartUpload",
            "s3:GetBucketLocation",
            "s3:GetObject",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
            "s3:PutObject",
        ],
    ),
    (
        "operations",
        "OperatorRole",
        NETWORK,
        [
            *LOG,
            *INTERFACES,
            "cloudwatch:DescribeAlarms",  # status
            "cloudwatch:GetMetricData",  # status
            "dynamodb:BatchGetItem",  # verify
            "dynamodb:DescribeStream",  # verify --repair
            "dynamodb:DescribeTable",  # verify
            "dynamodb:Scan",  # verify
            "firehose:PutRecord",  # heartbeat
            "lambda:InvokeFunction",  # sweep, redrive
            "rds-db:connect",
            "s3:DeleteObject",  # redrive
            "s3:GetObject",  # redrive, diff-item
            "s3:GetObjectVersion",  # redrive, diff-item
            "s3:ListBucket",  # sweep, redrive
            "s3:ListBucketVersions",  # sweep
            "s3:PutObject",  # redrive
            "sqs:ChangeMessageVisibility",  # redrive
            "sqs:DeleteMessage",  # redrive
            "sqs:GetQueueAttributes",  # status, redrive
            "sqs:ReceiveMessage",  # redrive
            "sqs:SendMessage",  # what a schedule gave up
        ],
    ),
    ("migration", "MigrateRole", NETWORK, [*LOG, *INTERFACES, "secretsmanager:GetSecretValue"]),
    (
        "migration",
        "MigrateRole",
        NETWORK | {"KeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1"},
        [*LOG, *INTERFACES, "kms:Decrypt", "secretsmanager:GetSecretValue"],
    ),
    ("schedules", "ScheduleRole", {}, ["lambda:InvokeFunction", "sqs:SendMessage"]),
]
OURS = {name for name, *_ in GRANTS}


def statements_of(name: str, role: str, options: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a role's policies, or of a policy, under these options."""
    content = template(name)
    chosen = Chosen(content, **options)
    properties = content["Resources"][role]["Properties"]
    policies = properties.get("Policies", [properties])
    found = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    return [statement for each in found if (statement := picked(each, chosen)) is not None]


def picked(statement: Any, chosen: Chosen) -> dict[str, Any] | None:
    """Return a statement, the one that its condition picks, or None."""
    if statement == {"Ref": "AWS::NoValue"}:
        return None
    if "Fn::If" not in statement:
        return statement
    condition, this, other = statement["Fn::If"]
    return picked(this if chosen.holds(condition) else other, chosen)


def allowed(name: str, role: str, options: dict[str, Any]) -> set[str]:
    return {
        action
        for each in statements_of(name, role, options)
        if each["Effect"] == "Allow"
        for action in as_list(each["Action"])
    }


def actions_in(statement: Any) -> set[str]:
    """Return the actions that a statement allows, whichever way its condition picks."""
    if "Fn::If" in statement:
        return set().union(*(actions_in(each) for each in statement["Fn::If"][1:] if each != {"Ref": "AWS::NoValue"}))
    action = statement["Action"]
    found = action["Fn::If"][1:] if "Fn::If" in action else [action]
    return {text for each in found for text in as_list(each)}


@pytest.mark.parametrize(
    ("name", "role", "options", "actions"),
    GRANTS,
    ids=[f"{role} {' '.join(options)}" for _, role, options, _ in GRANTS],
)
def test_a_role_may_do_what_is_listed_and_nothing_else(
    name: str, role: str, options: dict[str, Any], actions: list[str]
):
    assert sorted(allowed(name, role, options)) == sorted(actions)


def test_the_endpoints_let_through_what_the_functions_in_the_network_may_do_and_no_more():
    policies = [
        found["Properties"]["PolicyDocument"]["Statement"]
        for found in template("endpoints")["Resources"].values()
        if "PolicyDocument" in found["Properties"]
    ]
    through = {action for statement in chain.from_iterable(policies) for action in actions_in(statement)}
    granted = {
        action
        for name, role, options in (
            ("loader", "AuroraLoaderRole", NETWORK | {"LoadManifest": "on"}),
            ("loader", "AuroraLoaderRole", NETWORK | {"LoadMode": "local"}),
            ("migration", "MigrateRole", NETWORK),
            ("operations", "OperatorRole", NETWORK),
            ("operations", "OperatorRole", NETWORK | {"HeartbeatHashKey": "heartbeat"}),
        )
        for action in allowed(name, role, options)
    }

    # Lambda itself sends what it gave up, keeps logs and makes interfaces; the database is in the network.
    by_lambda = {*LOG, *INTERFACES, "sqs:SendMessage", "rds-db:connect"}
    assert granted - through - by_lambda == set()
    # Aurora's role and the bastion reach S3 as well.
    assert {action for action in through - granted if not action.startswith("s3:")} == set()


def test_the_operator_writes_its_heartbeat_into_the_table_only_where_the_pipeline_file_says_so():
    beats = allowed("operations", "OperatorRole", {"HeartbeatHashKey": "heartbeat"})
    other = allowed("operations", "OperatorRole", {})

    assert (beats - other, other - beats) == ({"dynamodb:PutItem"}, {"firehose:PutRecord"})


def test_the_operator_writes_no_item_of_the_table_but_the_heartbeat():
    writes = [
        each
        for each in statements_of("operations", "OperatorRole", {"HeartbeatHashKey": "heartbeat"})
        if "dynamodb:PutItem" in as_list(each["Action"])
    ]

    assert [each["Condition"] for each in writes] == [
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [{"Ref": "HeartbeatHashKey"}]}}
    ]


def test_every_role_of_these_templates_is_listed():
    listed = {(name, role) for name, role, *_ in GRANTS}
    made = {
        (name, role)
        for name in OURS
        for role in resources(template(name), "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    }

    assert made == listed


def test_no_role_has_a_policy_of_somebody_else():
    managed = [
        f"{path.stem}.{role}"
        for path in template_paths()
        if path.stem in OURS
        for role, each in resources(template(path.stem), "AWS::IAM::Role").items()
        if "ManagedPolicyArns" in each["Properties"]
    ]

    assert managed == []


@pytest.mark.parametrize("name", sorted(OURS))
def test_only_what_knows_no_resource_is_granted_on_all(name: str):
    options = NETWORK if "SubnetIds" in template(name)["Parameters"] else {}
    roles = [role for listed, role, *_ in GRANTS if listed == name]

    on_all = {
        action
        for role in roles
        for each in statements_of(name, role, options)
        if each["Effect"] == "Allow" and "*" in as_list(each["Resource"])
        for action in as_list(each["Action"])
    }

    assert sorted(on_all - set(INTERFACES) - {"cloudwatch:GetMetricData"}) == []


@pytest.mark.parametrize(
    ("name", "role", "function"),
    [
        ("loader", "AuroraLoaderRole", "aurora-loader"),
        ("operations", "OperatorRole", "operator"),
        ("migration", "MigrateRole", "migrate"),
    ],
)
def test_the_code_of_a_function_in_the_network_makes_no_interfaces_itself(name: str, role: str, function: str):
    [refusal] = [each for each in statements_of(name, role, NETWORK) if each["Effect"] == "Deny"]

    chosen = Chosen(template(name), Name="n", **NETWORK)
    assert sorted(refusal["Action"]) == INTERFACES
    assert chosen.value(refusal["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]) == (
        f"arn:aws:lambda:eu-west-1:111122223333:function:n-{function}"
    )
