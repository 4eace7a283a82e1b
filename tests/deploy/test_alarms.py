"""Every stage is watched: its function is logged and alarmed, and every alarm leads to somebody and to a page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from template_options import Chosen
from templates import resources, template, template_paths, walk

from ddb2aurora.metrics import METRICS
from operator_cli.registry import COMMANDS

REPOSITORY = Path(__file__).parents[2]
STAGES = sorted(path.parent.name for path in (REPOSITORY / "images").glob("*/Dockerfile"))
ALARMS = {
    name: each["Properties"]
    for path in template_paths()
    for name, each in resources(template(path.stem), "AWS::CloudWatch::Alarm").items()
}
RUNBOOK = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
# Two deployments of an account would hide each other's silence, did they measure in one namespace.
OURS = "the namespace of the deployment"
TOPICS = [{"Ref": "AlarmTopicArn"}], [{"Ref": "AlarmTopicArn"}, {"Ref": "PageTopicArn"}]

each_alarm = pytest.mark.parametrize("alarm", ALARMS.values(), ids=list(ALARMS))


def section(alarm: dict[str, Any]) -> str:
    """Return the part of an alarm's name that says what it watches."""
    return alarm["AlarmName"]["Fn::Sub"].removeprefix("${Name}-")


def text_of(name: str) -> str:
    """Return a section of the runbook, without its heading."""
    return RUNBOOK.partition(f"\n### {name}\n")[2].partition("\n#")[0]


def measured(alarm: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return namespace, name and dimensions of each metric of an alarm."""
    single = [alarm] if "MetricName" in alarm else []
    several = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    return [
        (
            OURS if each["Namespace"] == {"Ref": "Name"} else each["Namespace"],
            each["MetricName"],
            {pair["Name"]: pair["Value"] for pair in each["Dimensions"]},
        )
        for each in single + several
    ]


def functions_of(stage: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return the functions that run the image of a stage: the template, its content, the function."""
    parameter = "".join(word.capitalize() for word in stage.split("-")) + "Image"
    return [
        (path.stem, content, each["Properties"])
        for path in template_paths()
        for content in [template(path.stem)]
        for each in resources(content, "AWS::Lambda::Function").values()
        if each["Properties"]["Code"] == {"ImageUri": {"Ref": parameter}}
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_every_image_has_a_function_with_its_name_its_log_and_its_alarms(stage: str):
    names = []
    for name, content, function in functions_of(stage):
        chosen = Chosen(content, Name="n")
        names.append(chosen.value(function["FunctionName"]))
        log = content["Resources"][function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert (name, log["Type"]) == (name, "AWS::Logs::LogGroup")
        assert chosen.value(log["Properties"]["LogGroupName"]) == f"/aws/lambda/{names[-1]}"

    assert names == {"operator": ["n-migrate", "n-operator"]}.get(stage, [f"n-{stage}"])
    watched = {
        metric
        for alarm in ALARMS.values()
        for _, metric, dimensions in measured(alarm)
        if dimensions.get("FunctionName") == {"Fn::Sub": f"${{Name}}-{stage}"}
    }
    assert watched >= {"Errors", "Throttles", "Duration"}


@pytest.mark.parametrize("stage", STAGES)
def test_an_alarm_on_duration_speaks_before_the_function_times_out(stage: str):
    [timeout] = {function["Timeout"] for _, _, function in functions_of(stage) if "migrate" not in str(function)}

    thresholds = [
        alarm["Threshold"]
        for alarm in ALARMS.values()
        if measured(alarm) == [("AWS/Lambda", "Duration", {"FunctionName": {"Fn::Sub": f"${{Name}}-{stage}"}})]
    ]
    assert thresholds == [timeout * 1000 * 4 / 5]


@pytest.mark.parametrize("image", ["stream-processor", "firehose-transformer", "aurora-loader"])
def test_a_stage_starts_as_its_image_says_and_only_the_operator_is_told_how(image: str):
    [(_, _, function)] = functions_of(image)

    assert "ImageConfig" not in function


def test_the_operator_runs_as_a_function_by_its_handler():
    configurations = [function["ImageConfig"] for _, _, function in functions_of("operator")]

    entry = {"EntryPoint": ["python3", "-m", "awslambdaric"], "Command": ["operator_cli.handler.handler"]}
    assert configurations == [entry, entry]


def test_what_is_alarmed_on_covers_the_path():
    found = {(namespace, metric) for alarm in ALARMS.values() for namespace, metric, _ in measured(alarm)}

    assert found >= {
        ("AWS/Lambda", "IteratorAge"),
        ("AWS/Lambda", "DroppedEventCount"),
        ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount"),
        ("AWS/Lambda", "DestinationDeliveryFailures"),
        ("AWS/Lambda", "AsyncEventAge"),
        ("AWS/Lambda", "AsyncEventsDropped"),
        ("AWS/Firehose", "ThrottledRecords"),
        ("AWS/Firehose", "BytesPerSecondLimit"),
        ("AWS/Firehose", "ExecuteProcessing.Success"),
        ("AWS/Firehose", "DeliveryToS3.DataFreshness"),
        ("AWS/Firehose", "DeliveryToS3.Success"),
        ("AWS/Firehose", "BackupToS3.Success"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/RDS", "FreeLocalStorage"),
        ("AWS/RDS", "ACUUtilization"),
        ("AWS/RDS", "DatabaseConnections"),
        ("AWS/RDS", "Deadlocks"),
        ("AWS/RDS", "BlockedTransactions"),
        ("AWS/RDS", "CPUUtilization"),
        ("AWS/RDS", "FreeableMemory"),
        (OURS, "RecordsRejected"),
        (OURS, "ObjectsFailed"),
        (OURS, "RowsRejected"),
        (OURS, "LoadLag"),
        (OURS, "HeartbeatAge"),
        (OURS, "ObjectsMissed"),
    }


@each_alarm
def test_an_alarm_tells_somebody_when_it_comes_and_when_it_goes(alarm: dict[str, Any]):
    assert alarm["AlarmActions"] in TOPICS
    assert alarm["OKActions"] == alarm["AlarmActions"]


@each_alarm
def test_an_alarm_says_what_missing_data_means(alarm: dict[str, Any]):
    # Nothing is measured while nothing flows; the heartbeat always flows.
    expected = "breaching" if section(alarm) == "heartbeat-late" else "notBreaching"

    assert alarm["TreatMissingData"] == expected


@each_alarm
def test_an_alarm_names_its_section_of_the_runbook(alarm: dict[str, Any]):
    assert alarm["AlarmDescription"].endswith(f" - docs/runbook.md#{section(alarm)}")


@each_alarm
def test_the_runbook_says_of_an_alarm_what_to_do_first_and_when_to_call_for_more(alarm: dict[str, Any]):
    text = text_of(section(alarm))

    assert re.search(r"\bFirst\b", text)
    assert re.search(r"\b[Ee]scalate\b", text)


@each_alarm
def test_the_runbook_marks_what_pages(alarm: dict[str, Any]):
    assert text_of(section(alarm)).startswith("**Page.**") == (alarm["AlarmActions"] == TOPICS[1])


@each_alarm
def test_a_metric_of_ours_is_declared_for_the_stage_that_the_alarm_names(alarm: dict[str, Any]):
    ours = [(name, dimensions) for namespace, name, dimensions in measured(alarm) if namespace == OURS]

    assert [name for name, dimensions in ours if METRICS[name].stage != dimensions["Stage"]] == []
    assert [name for name, dimensions in ours if dimensions.get("Pipeline") != {"Ref": "PipelineName"}] == []


@each_alarm
def test_an_alarm_is_on_a_metric_of_a_service_or_of_this_deployment_alone(alarm: dict[str, Any]):
    assert [name for name, _, _ in measured(alarm) if name != OURS and not name.startswith("AWS/")] == []


def test_functions_measure_in_the_namespace_that_alarms_watch():
    given = {
        (template_name, name): each["Properties"]["Environment"]["Variables"].get("METRICS_NAMESPACE")
        for template_name in ("functions", "loader", "operations")
        for name, each in resources(template(template_name), "AWS::Lambda::Function").items()
    }

    assert given == {function: {"Ref": "Name"} for function in given}


def test_the_runbook_has_no_section_without_an_alarm():
    assert sorted(re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE)) == sorted(map(section, ALARMS.values()))


def test_links_inside_the_runbook_lead_to_a_section():
    sections = set(re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE))

    assert set(re.findall(r"\(#([^)]+)\)", RUNBOOK)) - sections == set()


def test_commands_that_the_runbook_names_are_the_operators():
    named = set(re.findall(r'\{"command": "([a-z-]+)"', RUNBOOK))

    assert named - set(COMMANDS) == set()


def test_no_heartbeat_is_missed_while_nothing_flows():
    content = template("alarms-operations")
    actions = content["Resources"]["HeartbeatLateAlarm"]["Properties"]["ActionsEnabled"]

    assert [Chosen(content, Flow=flow).value(actions) for flow in ("on", "off")] == [True, False]


def dashboard() -> dict[str, Any]:
    content = template("dashboard")
    text, own = content["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    given = {"Name": "n", "PipelineName": "p", "TableName": "t", "DeliveryStreamName": "d", "ClusterId": "c"}
    return json.loads(Chosen(content, **given).value({"Fn::Sub": [text, dict.fromkeys(own, "legend")]}))


def test_the_dashboard_shows_the_lag_of_each_stage_from_left_to_right():
    lags = [each for each in dashboard()["widgets"] if "lag" in each["properties"].get("title", "")]

    assert [(each["x"], each["properties"]["title"]) for each in sorted(lags, key=lambda each: each["x"])] == [
        (0, "1 stream: lag"),
        (6, "2 delivery: lag"),
        (12, "3 load: lag"),
        (18, "whole path: lag"),
    ]


def test_the_dashboard_shows_metrics_of_ours_that_are_declared():
    named = set()
    for widget in dashboard()["widgets"]:
        row: list[Any] = []
        for metric in widget["properties"].get("metrics", []):
            texts = [each for each in metric if isinstance(each, str)]
            # A dot repeats what stood there in the row above.
            row = [row[at] if each == "." else each for at, each in enumerate(texts)]
            if row and row[0] == "n":
                named.add((row[1], row[3]))

    assert {(name, stage) for name, stage in named if METRICS[name].stage != stage} == set()
    assert ("LoadLag", "aurora-loader") in named


def test_no_widget_lies_on_another():
    cells = [
        (x, y)
        for each in dashboard()["widgets"]
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_every_topic_of_alarms_lets_alarms_of_this_pipeline_speak():
    content = template("topics")
    policies = [
        statement
        for _, statement in walk(content["Resources"]["AlarmTopicsPolicy"])
        if isinstance(statement, dict) and "Sid" in statement
    ]

    assert [each["Resource"] for each in policies] == [[{"Ref": "AlarmTopic"}, {"Ref": "PageTopic"}]]
