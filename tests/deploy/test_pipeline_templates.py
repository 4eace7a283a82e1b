"""The flow of a pipeline on AWS: what the stream gives up is kept, and no prefix leads to the wrong stage."""

import json
from itertools import combinations
from typing import Any

import pytest
from template_options import Chosen
from templates import resources, template

from operator_cli.arguments import arguments_from
from operator_cli.registry import COMMANDS, load_command

BUCKET = "arn:aws:s3:::rows"
STREAM = "arn:aws:dynamodb:eu-west-1:111122223333:table/web_analytics/stream/2026-01-05T10:00:00.000"
FLOW = Chosen(
    template("pipeline"),
    PipelineName="web_analytics",
    TargetTable="WebAnalytics",
    BucketName="rows",
    DeliveryStreamName="changes",
    StreamArn=STREAM,
    StreamProcessorFunction="processor",
    FirehoseTransformerFunctionArn="arn:aws:lambda:eu-west-1:111122223333:function:transformer",
)
STORAGE = Chosen(
    template("storage"),
    Name="n",
    PipelineName="web_analytics",
    BucketName="rows",
    LoaderFunctionArn="arn:aws:lambda:eu-west-1:111122223333:function:loader",
    TableName="web_analytics",
)


def properties(chosen: Chosen, name: str) -> dict[str, Any]:
    return chosen.made()[name]["Properties"]


def destination() -> dict[str, Any]:
    return properties(FLOW, "DeliveryStream")["ExtendedS3DestinationConfiguration"]


def prefixes() -> dict[str, str]:
    backup = destination()["S3BackupConfiguration"]
    found = {
        "rows": destination()["Prefix"],
        "errors": destination()["ErrorOutputPrefix"],
        "backup": backup["Prefix"],
        "errors of the backup": backup["ErrorOutputPrefix"],
    }
    return {name: FLOW.value(prefix) for name, prefix in found.items()}


def notifications(kind: str) -> list[str]:
    found = properties(STORAGE, "Bucket")["NotificationConfiguration"][kind]
    return [STORAGE.value(rule["Value"]) for each in found for rule in each["Filter"]["S3Key"]["Rules"]]


def test_the_event_source_mapping_has_every_safety():
    mapping = properties(FLOW, "StreamMapping")
    kept_at = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    plain = {name: each for name, each in mapping.items() if name not in {"DestinationConfig", "MetricsConfig"}}

    assert (FLOW.value(kept_at), mapping["MetricsConfig"]) == (BUCKET, {"Metrics": ["EventCount"]})
    assert {name: FLOW.value(each) for name, each in plain.items()} == {
        "EventSourceArn": STREAM,
        "FunctionName": "processor",
        "Enabled": True,
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 500,
        "MaximumBatchingWindowInSeconds": 1,
        "ParallelizationFactor": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 100,
        "MaximumRecordAgeInSeconds": 43200,
    }


def test_the_mapping_gives_up_before_the_stream_forgets():
    a_day = 24 * 60 * 60

    assert template("pipeline")["Parameters"]["MaximumRecordAgeSeconds"]["Default"] <= a_day / 2


def test_the_mapping_is_made_after_the_right_to_read_and_may_be_held():
    mapping = FLOW.made()["StreamMapping"]
    held = Chosen(template("pipeline"), Flow="off")

    assert mapping["DependsOn"] == "StreamProcessorReadsStream"
    assert held.value(mapping["Properties"]["Enabled"]) is False


def test_objects_are_named_by_pipeline_table_and_hour():
    assert prefixes() == {
        "rows": "processed/web_analytics/WebAnalytics/!{timestamp:yyyy/MM/dd/HH}/",
        "errors": "failed/web_analytics/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
        "backup": "backup/web_analytics/!{timestamp:yyyy/MM/dd/HH}/",
        "errors of the backup": "failed/web_analytics/backup-!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
    }


def test_the_loader_is_told_of_rows_and_of_nothing_else():
    [watched] = notifications("LambdaConfigurations")

    told = {name for name, prefix in prefixes().items() if prefix.startswith(watched)}
    assert (watched, told) == ("processed/web_analytics/", {"rows"})
    assert [
        each for each in ("failed/", "backup/", "manifests/", "replayed/", "aws/") if each.startswith(watched)
    ] == []


def test_whatever_failed_is_announced():
    assert notifications("TopicConfigurations") == ["failed/web_analytics/", "aws/lambda/"]


def test_no_two_notifications_overlap_because_s3_refuses_those():
    watched = notifications("LambdaConfigurations") + notifications("TopicConfigurations")

    assert [
        pair for pair in combinations(watched, 2) if pair[0].startswith(pair[1]) or pair[1].startswith(pair[0])
    ] == []


def test_the_bucket_is_made_after_the_rights_that_its_notifications_need():
    bucket = STORAGE.made()["Bucket"]
    permission = properties(STORAGE, "LoaderPermission")

    assert bucket["DependsOn"] == ["LoaderPermission", "FailedTopicPolicy"]
    assert (STORAGE.value(permission["SourceArn"]), STORAGE.value(permission["SourceAccount"])) == (
        BUCKET,
        "111122223333",
    )


def test_what_failed_never_expires_and_what_passed_does():
    rules = properties(STORAGE, "Bucket")["LifecycleConfiguration"]["Rules"]

    expiring = {
        STORAGE.value(rule["Prefix"]): STORAGE.value(rule["ExpirationInDays"]) for rule in rules if "Prefix" in rule
    }
    assert expiring == {
        "processed/web_analytics/": 30,
        "backup/web_analytics/": 365,
        "replayed/": 30,
        "manifests/web_analytics/": 1,
    }


def test_rows_are_not_compressed_and_the_backup_is():
    backup = destination()["S3BackupConfiguration"]

    assert (destination()["CompressionFormat"], destination()["S3BackupMode"], backup["CompressionFormat"]) == (
        "UNCOMPRESSED",
        "Enabled",
        "GZIP",
    )


def test_firehose_transforms_by_a_qualified_function_and_retries():
    [processor] = destination()["ProcessingConfiguration"]["Processors"]

    given = {each["ParameterName"]: each["ParameterValue"] for each in processor["Parameters"]}
    role = given.pop("RoleArn")
    assert role == {"Fn::GetAtt": ["DeliveryRole", "Arn"]}
    assert {name: str(FLOW.value(each)) for name, each in given.items()} == {
        "LambdaArn": "arn:aws:lambda:eu-west-1:111122223333:function:transformer:$LATEST",
        "NumberOfRetries": "3",
        "BufferSizeInMBs": "1",
        "BufferIntervalInSeconds": "10",
    }


@pytest.mark.parametrize("where", ["rows", "backup"])
def test_firehose_logs_into_a_group_and_a_stream_that_are_there(where: str):
    logging = destination() if where == "rows" else destination()["S3BackupConfiguration"]

    options = logging["CloudWatchLoggingOptions"]
    stream = {"rows": "DeliveryLogStream", "backup": "BackupLogStream"}[where]
    assert options == {"Enabled": True, "LogGroupName": {"Ref": "DeliveryLogs"}, "LogStreamName": {"Ref": stream}}
    assert {"DeliveryLogs", stream} <= FLOW.made().keys()


def test_what_the_loader_gives_up_goes_to_a_queue_that_keeps_it_for_two_weeks():
    loader = template("loader")["Resources"]

    assert loader["AuroraLoaderInvocations"]["Properties"] == {
        "FunctionName": {"Ref": "AuroraLoaderFunction"},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 6 * 60 * 60,
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["LoaderFailures", "Arn"]}}},
    }
    assert loader["LoaderFailures"]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 60 * 60


def test_a_table_that_is_there_is_left_alone():
    existing = Chosen(template("storage"), TableName="")

    assert STORAGE.made().keys() - existing.made().keys() == {"Table"}


@pytest.mark.parametrize(
    ("range_key", "names"), [("", ["page_id"]), ("activity_dt", ["page_id", "activity_dt"])], ids=["hash", "both"]
)
def test_the_table_has_the_key_and_the_stream_that_the_pipeline_needs(range_key: str, names: list[str]):
    chosen = Chosen(template("storage"), TableName="t", RangeKeyName=range_key)

    table = properties(chosen, "Table")
    keys = [each for each in chosen.value(table["KeySchema"]) if each is not None]
    assert [chosen.value(each["AttributeName"]) for each in keys] == names
    assert (table["StreamSpecification"], table["DeletionProtectionEnabled"]) == ({"StreamViewType": "NEW_IMAGE"}, True)


GOOD = {
    "Environment": "dev",
    "PipelineName": "web_analytics",
    "TemplateUrl": "https://s3.example/templates/1",
    "StreamProcessorImage": "i",
    "FirehoseTransformerImage": "i",
    "AuroraLoaderImage": "i",
    "OperatorImage": "i",
    "TargetTable": "WebAnalytics",
    "TableName": "web_analytics",
}
CLUSTER = {
    "ExistingVpcId": "vpc-1",
    "ExistingSubnetIds": "subnet-1,subnet-2",
    "ExistingClusterId": "orders",
    "ExistingEndpoint": "orders.example",
    "ExistingClusterResourceId": "cluster-ABC",
    "ExistingSecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders",
}


@pytest.mark.parametrize(
    ("given", "refusals"),
    [
        ({}, []),
        ({"ExistingTableName": "web_analytics", "ExistingStreamArn": STREAM}, []),
        (CLUSTER, []),
        (
            {"ExistingTableName": "other", "ExistingStreamArn": STREAM},
            ["ExistingTableName is not the table of the pipeline file; changes of another are refused"],
        ),
        (
            {"ExistingTableName": "web_analytics"},
            ["an existing table comes with ExistingStreamArn, and no other table does"],
        ),
        ({"ExistingStreamArn": STREAM}, ["an existing table comes with ExistingStreamArn, and no other table does"]),
        ({"ExistingVpcId": "vpc-1"}, ["an existing network comes with ExistingSubnetIds, and no other network does"]),
        (
            CLUSTER | {"ExistingVpcId": "", "ExistingSubnetIds": ""},
            ["an existing cluster is in an existing network - give ExistingVpcId"],
        ),
        (
            CLUSTER | {"ExistingClusterResourceId": ""},
            ["an existing cluster needs ExistingClusterResourceId, which the right to log in names"],
        ),
    ],
)
def test_options_that_cannot_go_together_are_refused_before_anything_is_made(given: dict, refusals: list[str]):
    assert Chosen(template("root"), **GOOD | given).refusals() == refusals


@pytest.mark.parametrize(
    ("given", "refusals"),
    [
        ({"DatabaseResourceId": "cluster-ABC"}, []),
        ({}, ["give DatabaseResourceId to log in by IAM, or DatabaseSecretArn, and not both"]),
        (
            {"DatabaseResourceId": "cluster-ABC", "LoadManifest": "on", "LoadMode": "local"},
            ["LoadManifest is on, but only Aurora reads manifests - set LoadMode to s3"],
        ),
    ],
)
def test_a_loader_that_cannot_work_is_refused(given: dict, refusals: list[str]):
    good = {
        "Name": "n1",
        "PipelineName": "web_analytics",
        "AuroraLoaderImage": "registry.example/aurora-loader@sha256:" + "0" * 64,
        "BucketName": "rows",
        "DatabaseHost": "db.example",
    }

    assert Chosen(template("loader"), **good | given).refusals() == refusals


@pytest.mark.parametrize("image", ["registry.example/aurora-loader:latest", "aurora-loader", "x@sha256:abc"])
def test_an_image_that_may_change_under_its_name_is_refused(image: str):
    chosen = Chosen(template("loader"), AuroraLoaderImage=image)

    assert [each for each in chosen.refusals() if each.startswith("AuroraLoaderImage")] == [
        "AuroraLoaderImage: an image by its digest, so that what was tested is what runs"
    ]


def test_a_command_of_a_schedule_is_json_and_one_that_the_operator_knows():
    content = template("schedules")
    chosen = Chosen(content)
    events = [
        json.loads(chosen.value(each["Properties"]["Target"]["Input"]))
        for each in resources(content, "AWS::Scheduler::Schedule").values()
    ]

    assert [each["command"] for each in events if each["command"] not in COMMANDS] == []
    assert events == [
        {"command": "sweep", "options": {"older_than": "15m", "since": "2d", "within": "12m"}},
        {"command": "sweep", "options": {"older_than": "15m", "within": "12m"}},
        {"command": "heartbeat"},
        {"command": "purge", "options": {"older_than": "30d"}},
    ]


def test_schedules_rest_while_nothing_flows():
    content = template("schedules")
    states = {
        flow: {
            Chosen(content, Flow=flow).value(each["Properties"]["State"])
            for each in resources(content, "AWS::Scheduler::Schedule").values()
        }
        for flow in ("on", "off")
    }

    assert states == {"on": {"ENABLED"}, "off": {"DISABLED"}}


def test_a_schedule_that_fails_leaves_a_message():
    dead_letters = [
        each["Properties"]["Target"]["DeadLetterConfig"]
        for each in resources(template("schedules"), "AWS::Scheduler::Schedule").values()
    ]

    assert dead_letters == [{"Arn": {"Ref": "ScheduleFailuresQueueArn"}}] * 4


@pytest.mark.parametrize(("mode", "purges"), [("mirror", True), ("soft_delete", True), ("append", False)])
def test_an_event_log_is_not_purged_because_that_would_fail_every_day(mode: str, purges: bool):
    assert ("PurgeSchedule" in Chosen(template("schedules"), TargetMode=mode).made()) == purges


def test_a_scheduled_command_has_options_that_the_command_knows():
    content = template("schedules")
    events = [
        json.loads(Chosen(content).value(each["Properties"]["Target"]["Input"]))
        for each in resources(content, "AWS::Scheduler::Schedule").values()
    ]

    for event in events:
        command = load_command(event["command"])
        arguments = arguments_from(event.get("options", {}), command=command)
        # It is parsed, and not run.
        assert command.make_context(event["command"], arguments).params != {}


def test_deletes_are_not_forgotten_before_the_objects_that_could_bring_older_changes():
    days = template("storage")["Parameters"]["ProcessedDays"]["Default"]

    assert template("schedules")["Parameters"]["TombstoneAge"]["Default"] == f"{days}d"
