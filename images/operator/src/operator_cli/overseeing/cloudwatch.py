"""Read what CloudWatch has about a pipeline: the metrics of its stages, and its alarms that are raised."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ddb2aurora.metrics import METRICS
from operator_cli.overseeing.readings import Alarm, Watched

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_SUMS: Final = (
    "ChangesReceived",
    "ChangesForwarded",
    "ChangesFailed",
    "ChangesOversized",
    "ChangesMalformed",
    "RecordsRefused",
    "RecordsTransformed",
    "RecordsRejected",
    "ObjectsFailed",
    "LoadsRetried",
)
_MOST_POINTS: Final = 1440
ITERATOR_AGE: Final = "IteratorAge"
FRESHNESS: Final = "DeliveryToS3.DataFreshness"


def read_cloudwatch(
    client: "CloudWatchClient",
    *,
    namespace: str,
    pipeline: str,
    stream_processor: str | None,
    delivery_stream: str | None,
    start: datetime,
    end: datetime,
) -> Watched:
    """
    Return the metrics of the time from *start* to *end*, and the alarms that are raised now.

    Our own metrics are in *namespace*. Names that are not known leave their metrics out. The alarms of a deployment
    begin with its delivery stream's name.

    Raises:
        ClientError: CloudWatch refused, or this is none.
        BotoCoreError: It was not reached.
    """
    # A point a minute, as long as that gives no more than a day has.
    period = 60 * math.ceil((end - start).total_seconds() / 60 / _MOST_POINTS)
    queries = [
        *_queries_of_ours(namespace, pipeline, period=period),
        *_queries(stream_processor, delivery_stream, period=period),
    ]
    found: dict[str, list[tuple[datetime, float]]] = {}
    pages = client.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, StartTime=start, EndTime=end)
    for page in pages:
        for result in page["MetricDataResults"]:
            points = zip(result.get("Timestamps", []), result.get("Values", []), strict=True)
            found.setdefault(result["Id"], []).extend(points)
    points_of = {name: found.get(_id(name), []) for name in (*_SUMS, ITERATOR_AGE, FRESHNESS)}
    return Watched(
        sums={name: sum(value for _, value in points_of[name]) for name in _SUMS if points_of[name]},
        maxima={
            name: max(value for _, value in points_of[name]) for name in (ITERATOR_AGE, FRESHNESS) if points_of[name]
        },
        seen_ms={
            name: round(max(moments).timestamp() * 1000)
            for name in _SUMS
            if (moments := [moment for moment, value in points_of[name] if value])
        },
        alarms=tuple(_alarms(client, delivery_stream)),
    )


def _queries_of_ours(namespace: str, pipeline: str, *, period: int) -> Iterator[Any]:
    for name in _SUMS:
        dimensions = {"Stage": METRICS[name].stage, "Pipeline": pipeline}
        yield _query(name, namespace, dimensions, stat="Sum", period=period)


def _queries(stream_processor: str | None, delivery_stream: str | None, *, period: int) -> Iterator[Any]:
    if stream_processor is not None:
        # A function's metrics bear its bare name, whatever it is invoked by.
        name = stream_processor.split(":function:")[-1].partition(":")[0]
        yield _query(ITERATOR_AGE, "AWS/Lambda", {"FunctionName": name}, stat="Maximum", period=period)
    if delivery_stream is not None:
        yield _query(FRESHNESS, "AWS/Firehose", {"DeliveryStreamName": delivery_stream}, stat="Maximum", period=period)


def _query(name: str, namespace: str, dimensions: dict[str, str], *, stat: str, period: int) -> Any:  # noqa: ANN401 - the SDK's shape
    return {
        "Id": _id(name),
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": part, "Value": value} for part, value in dimensions.items()],
            },
            "Period": period,
            "Stat": stat,
        },
    }


def _id(name: str) -> str:
    # AWS: an id begins with a small letter, and has letters, digits and underscores.
    return "m_" + name.replace(".", "_")


def _alarms(client: "CloudWatchClient", delivery_stream: str | None) -> Iterator[Alarm]:
    if delivery_stream is None:
        return
    pages = client.get_paginator("describe_alarms").paginate(StateValue="ALARM", AlarmNamePrefix=f"{delivery_stream}-")
    for page in pages:
        for found in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])):
            since_ms = round(found["StateUpdatedTimestamp"].timestamp() * 1000)
            yield Alarm(found["AlarmName"], since_ms, found.get("StateReason", ""))
