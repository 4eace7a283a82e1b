"""What needs attention, and what the screen says of it."""

import dataclasses
import io
from datetime import UTC, datetime, timedelta

import pytest
from builders import a_pipeline
from rich.console import Console, Group

from operator_cli.heartbeats import Landing
from operator_cli.overseeing.attention import concerns
from operator_cli.overseeing.cloudwatch import read_cloudwatch
from operator_cli.overseeing.figures import ago, many, size, span
from operator_cli.overseeing.readings import (
    Alarm,
    Counted,
    Kept,
    Ledger,
    Queue,
    Readings,
    Sums,
    Tables,
    Waiting,
    Watched,
)
from operator_cli.overseeing.screen import screen

NOW_MS = 1_767_700_000_000
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
MINUTE_MS = 60_000
QUIET_LEDGER = Ledger(
    recent=Sums(objects=2, rows=9, applied=6, stale=2, deleted=1, rejected=0, bytes=1500),
    recent_newest_change_ms=NOW_MS - 6000,
    recent_lag_ms=1000,
    last_loaded_ms=NOW_MS - 5000,
    ever=Sums(objects=1234, rows=98765, applied=98000, stale=700, deleted=60, rejected=5, bytes=20_000_000),
)


def a_beat(*, sent_ago_ms=MINUTE_MS, lag_ms=1300):
    return Landing(NOW_MS - sent_ago_ms, None, NOW_MS - sent_ago_ms + lag_ms, lag_ms, 1)


def readings(**parts):
    """Return the readings of a pipeline that is well; *parts* say what is not."""
    tables = Tables(
        ledger=parts.pop("ledger", QUIET_LEDGER),
        rejects=parts.pop("rejects", {}),
        tombstones=parts.pop("tombstones", Counted(1)),
        horizon_ms=parts.pop("horizon_ms", 0),
        heartbeat=parts.pop("heartbeat", a_beat()),
    )
    well = {
        "at_ms": NOW_MS,
        "window_seconds": 900,
        "tables": tables,
        "waiting": Waiting(NOW_MS - 5500, 2, 0, None),
        "failed": {},
        "batches": None,
        "backup_ms": NOW_MS - 2000,
        "queue": Queue(0, 0),
        "watched": Watched({}, {}, {}, ()),
    }
    return Readings(**{**well, **parts})


def found(**parts):
    return [tuple(concern) for concern in concerns(readings(**parts), heartbeat_within_ms=15 * MINUTE_MS)]


def test_a_pipeline_that_is_well_needs_no_attention():
    assert found() == []


@pytest.mark.parametrize(
    ("parts", "concern"),
    [
        (
            {"heartbeat": a_beat(sent_ago_ms=16 * MINUTE_MS)},
            (
                "heartbeat",
                "the newest heartbeat that has landed was sent 16 min ago",
                "ddb2aurora heartbeat --wait 2m",
            ),
        ),
        (
            {"waiting": Waiting(NOW_MS, 9, 2, NOW_MS - 20 * MINUTE_MS)},
            ("waiting", "2 objects under processed/ not loaded, the oldest 20 min ago", "ddb2aurora sweep"),
        ),
        (
            {"queue": Queue(0, 1)},
            (
                "failed_events",
                "1 event of objects that the loader failed for good",
                "ddb2aurora redrive --explain",
            ),
        ),
        (
            {"failed": {"oversized": Kept(Counted(5000, more=True), NOW_MS - 3000)}},
            ("failed", "5,000+ objects under failed/…/oversized, the newest 3.0 s ago", "ddb2aurora redrive --explain"),
        ),
        (
            {"batches": Kept(Counted(1), NOW_MS)},
            ("given_up_batches", "1 batch of the stream given up", "ddb2aurora redrive --explain"),
        ),
        (
            {"rejects": {"too_long": 2, "not_json": 1}},
            ("rejects", "3 rows refused by the database, in _ddb2aurora_rejects", "ddb2aurora redrive --explain"),
        ),
        (
            {"watched": Watched({}, {}, {}, (Alarm("p-errors", NOW_MS - 3_600_000, "why"),))},
            ("alarm", "the alarm p-errors was raised 1 h ago", "docs/runbook.md"),
        ),
    ],
)
def test_each_trouble_is_named_with_what_to_do_first(parts, concern):
    assert found(**parts) == [concern]


@pytest.mark.parametrize(
    "parts",
    [
        {"heartbeat": None},
        {"heartbeat": a_beat(sent_ago_ms=15 * MINUTE_MS)},
        {"queue": "not known: set LOADER_FAILURES_QUEUE_URL"},
        {"watched": "not available: CloudWatch: no"},
        {"tombstones": None, "horizon_ms": None},
    ],
)
def test_what_is_not_known_or_still_in_time_is_no_trouble(parts):
    assert found(**parts) == []


def shown(width, **parts):
    read = readings(**parts)
    output = io.StringIO()
    console = Console(file=output, width=width, highlight=False)
    pending = tuple(concerns(read, heartbeat_within_ms=15 * MINUTE_MS))
    console.print(Group(*screen(read, pending, pipeline=a_pipeline())))
    return [line.rstrip() for line in output.getvalue().splitlines()]


TROUBLED = {
    "ledger": dataclasses.replace(QUIET_LEDGER, recent=dataclasses.replace(QUIET_LEDGER.recent, rejected=3)),
    "rejects": {"too_long": 2, "not_json": 1},
    "failed": {"processing-failed": Kept(Counted(2), NOW_MS), "oversized": Kept(Counted(1), NOW_MS)},
    "queue": Queue(1, 0),
    "waiting": Waiting(NOW_MS, 9, 2, NOW_MS - 20 * MINUTE_MS),
    "watched": Watched(
        {"ChangesReceived": 1204.0, "ChangesFailed": 3.0, "RecordsTransformed": 1200.0},
        {"IteratorAge": 400.0, "DeliveryToS3.DataFreshness": 5.0},
        {"ChangesReceived": NOW_MS - 60_000},
        (),
    ),
}


def test_the_screen_of_a_pipeline_that_is_well():
    assert shown(100) == [
        "things  things → demo.Things, mirror",
        "2026-01-06 11:46:40 UTC, the last 15 min",
        "",
        "stage                 last seen  passed         lag    trouble",
        "stream-processor      –          –              –",
        "delivery stream       2.0 s ago  –              –",
        "firehose-transformer  5.5 s ago  –              –",
        "aurora-loader         5.0 s ago  9 rows, 0.0/s  1.0 s",
        "heartbeat             58 s ago   –              1.3 s",
        "",
        "loaded         2 objects (1.5 kB), 9 rows since 2026-01-06 11:31:40:",
        "               6 applied, 2 stale, 1 deleted, 0 rejected",
        "loaded ever    1,234 objects (20 MB), 98,765 rows:",
        "               98,000 applied, 700 stale, 60 deleted, 5 rejected",
        "newest change  6.0 s ago, of what was loaded since 2026-01-06 11:31:40",
        "tombstones     1, nothing purged yet",
        "failure queue  0 waiting, 0 being worked on",
        "CloudWatch     alarms raised: 0",
        "",
        "all is well",
    ]


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (1234, "1,234 rows")])
def test_one_of_something_is_no_more(number, text):
    assert many(number, "row") == text


def test_the_screen_of_a_pipeline_in_trouble_says_where_it_is():
    lines = shown(120, **TROUBLED)

    assert lines[4:9] == [
        "stream-processor      1 min ago  1,204 changes  0.4 s  3 failed, 1 oversized",
        "delivery stream       2.0 s ago  –              5.0 s",
        "firehose-transformer  0.0 s ago  1,200 rows     –      2 rejected",
        "aurora-loader         5.0 s ago  9 rows, 0.0/s  1.0 s  2 waiting, 3 rejected, 1 event given up",
        "heartbeat             58 s ago   –              1.3 s",
    ]
    assert [line.split("  ")[0] for line in lines[-6:]] == [
        "needs attention",
        "✗ 2 objects under processed/ not loaded, the oldest 20 min ago",
        "✗ 1 event of objects that the loader failed for good",
        "✗ 2 objects under failed/…/processing-failed, the newest 0.0 s ago ddb2aurora redrive --explain",
        "✗ 1 object under failed/…/oversized, the newest 0.0 s ago",
        "✗ 3 rows refused by the database, in _ddb2aurora_rejects",
    ]


@pytest.mark.parametrize(
    "parts", [{}, TROUBLED, {"queue": "not known: set X", "watched": "not available: " + "x" * 90}]
)
def test_nothing_is_cut_off_at_80_columns(parts):
    lines = shown(80, **parts)

    assert max(map(len, lines)) <= 80
    assert not any("…" in line and "failed/…/" not in line for line in lines)


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(-5, "0.0 s"), (400, "0.4 s"), (9_949, "9.9 s"), (59_999, "59 s"), (60_000, "1 min"), (7_200_000, "2 h")],
)
def test_a_duration_has_one_unit(duration_ms, text):
    assert span(duration_ms) == text


def test_what_never_was_has_no_age():
    assert (ago(None, now_ms=5), ago(0, now_ms=172_800_000)) == ("never", "2 d ago")


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (12_345_678, "12 MB"), (5 * 10**15, "5000.0 TB")]
)
def test_a_size_has_one_unit(number, text):
    assert size(number) == text


PAGES = {
    "get_metric_data": [
        {
            "MetricDataResults": [
                {"Id": "m_ChangesReceived", "Timestamps": [NOW, NOW - timedelta(minutes=1)], "Values": [0.0, 5.0]},
                {"Id": "m_IteratorAge", "Timestamps": [NOW, NOW - timedelta(minutes=1)], "Values": [3.0, 9.0]},
            ]
        },
        {"MetricDataResults": [{"Id": "m_ChangesReceived", "Timestamps": [NOW - timedelta(5)], "Values": [2.0]}]},
    ],
    "describe_alarms": [
        {
            "MetricAlarms": [
                {"AlarmName": "dev-things-errors", "StateUpdatedTimestamp": NOW, "StateReason": "too many"}
            ],
            "CompositeAlarms": [],
        }
    ],
}


class FakeCloudWatch:
    def __init__(self):
        self.asked = {}
        self.pages = PAGES

    def get_paginator(self, operation):
        def paginate(**arguments):
            self.asked[operation] = arguments
            return self.pages[operation]

        return type("Paginator", (), {"paginate": staticmethod(paginate)})


def test_what_cloudwatch_has_is_summed_over_its_pages_and_its_raised_alarms_are_those_of_the_deployment():
    client = FakeCloudWatch()

    watched = read_cloudwatch(
        client,
        namespace="dev-things",
        pipeline="things",
        stream_processor="arn:aws:lambda:eu-west-1:111122223333:function:dev-things-stream-processor:live",
        delivery_stream="dev-things",
        start=NOW - timedelta(minutes=15),
        end=NOW,
    )

    assert watched == Watched(
        sums={"ChangesReceived": 7.0},
        maxima={"IteratorAge": 9.0},
        seen_ms={"ChangesReceived": NOW_MS - 60_000},
        alarms=(Alarm("dev-things-errors", NOW_MS, "too many"),),
    )
    assert client.asked["describe_alarms"] == {"StateValue": "ALARM", "AlarmNamePrefix": "dev-things-"}
    queries = {query["Id"]: query["MetricStat"] for query in client.asked["get_metric_data"]["MetricDataQueries"]}
    assert queries["m_IteratorAge"]["Metric"]["Dimensions"] == [
        {"Name": "FunctionName", "Value": "dev-things-stream-processor"}
    ]
    assert queries["m_ChangesReceived"] == {
        "Metric": {
            "Namespace": "dev-things",
            "MetricName": "ChangesReceived",
            "Dimensions": [{"Name": "Stage", "Value": "stream-processor"}, {"Name": "Pipeline", "Value": "things"}],
        },
        "Period": 60,
        "Stat": "Sum",
    }


def test_without_names_only_our_own_metrics_are_asked_for():
    client = FakeCloudWatch()

    read_cloudwatch(
        client,
        namespace="ddb2aurora",
        pipeline="things",
        stream_processor=None,
        delivery_stream=None,
        start=NOW - timedelta(9),
        end=NOW,
    )

    queries = client.asked["get_metric_data"]["MetricDataQueries"]
    assert {query["MetricStat"]["Metric"]["Namespace"] for query in queries} == {"ddb2aurora"}
    assert {query["MetricStat"]["Period"] for query in queries} == {540}
    assert "describe_alarms" not in client.asked
