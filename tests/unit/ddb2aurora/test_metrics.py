import io
import json

import pytest

from ddb2aurora.metrics import METRICS, Metrics, UndeclaredMetricError


def _metrics(stream=None):
    return Metrics(stage="aurora-loader", pipeline="things", clock_ms=lambda: 1_764_000_000_123, stream=stream)


def test_metrics_are_one_line_of_the_embedded_metric_format():
    stream = io.StringIO()

    _metrics(stream).emit(ObjectsLoaded=1, LoadDuration=812.5)

    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue()) == {
        "_aws": {
            "Timestamp": 1_764_000_000_123,
            "CloudWatchMetrics": [
                {
                    "Namespace": "ddb2aurora",
                    "Dimensions": [["Stage", "Pipeline"]],
                    "Metrics": [
                        {"Name": "ObjectsLoaded", "Unit": "Count"},
                        {"Name": "LoadDuration", "Unit": "Milliseconds"},
                    ],
                }
            ],
        },
        "Stage": "aurora-loader",
        "Pipeline": "things",
        "ObjectsLoaded": 1,
        "LoadDuration": 812.5,
    }


def test_each_deployment_measures_in_a_namespace_of_its_own():
    stream = io.StringIO()
    metrics = Metrics(stage="operator", pipeline="things", clock_ms=lambda: 0, namespace="dev-things", stream=stream)

    metrics.emit(HeartbeatAge=1)

    assert [each["Namespace"] for each in json.loads(stream.getvalue())["_aws"]["CloudWatchMetrics"]] == ["dev-things"]


def test_metrics_go_to_standard_output_by_default(capsys):
    _metrics().emit(ObjectsLoaded=1)

    assert json.loads(capsys.readouterr().out)["ObjectsLoaded"] == 1


@pytest.mark.parametrize("name", ["ObjectsLoded", "ChangesReceived"])
def test_a_metric_that_is_not_declared_for_the_stage_is_refused_and_nothing_is_emitted(name):
    stream = io.StringIO()

    with pytest.raises(UndeclaredMetricError, match=f"aurora-loader emits the metric '{name}'; declare it"):
        _metrics(stream).emit(ObjectsLoaded=1, **{name: 1})

    assert stream.getvalue() == ""


def test_every_declared_metric_belongs_to_a_stage_and_says_what_it_means():
    stages = {metric.stage for metric in METRICS.values()}

    assert stages == {"stream-processor", "firehose-transformer", "aurora-loader", "operator"}
    assert all(metric.meaning for metric in METRICS.values())
