"""What the loader answers and tells for each way that the loads of an event can end."""

import io
import json

import pytest

from aurora_loader.app import App, ObjectsFailedError
from aurora_loader.events import EventShapeError
from aurora_loader.heartbeats import Landed
from aurora_loader.load import LoadFailedError, Outcome
from ddb2aurora.errors import HaltError
from ddb2aurora.metrics import Metrics

LOADED = Outcome(rows=10, applied=4, stale=3, deleted=2, rejected=1, newest_changed_at_ms=1_000)


class FakeLoader:
    """Answer by the name of the object."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def load(self, ref, *, time):  # noqa: ARG002 - the loader's signature
        self.asked.append(ref.key)
        answer = self.answers.get(ref.key, LOADED)
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeContext:
    aws_request_id = "request"
    invoked_function_arn = "arn"

    def get_remaining_time_in_millis(self):
        return 60_000


def an_event(*keys):
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "awsRegion": "eu-west-1",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "b"}, "object": {"key": key}},
            }
            for key in keys
        ]
    }


def a_queue_of(*keys):
    return {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": f"m-{key}", "body": json.dumps(an_event(key)) if key else "broken"}
            for key in keys
        ]
    }


def handle(loader, event):
    stream = io.StringIO()
    metrics = Metrics(stage="aurora-loader", pipeline="things", clock_ms=lambda: 0, stream=stream)
    try:
        return App(loader, metrics).handle(event, FakeContext(), now_ms=3_000), stream
    except Exception as error:  # noqa: BLE001 - handed to the test, which looks at it
        return error, stream


def emitted(stream):
    totals = {}
    for line in stream.getvalue().splitlines():
        for name, value in json.loads(line).items():
            if isinstance(value, int):
                totals[name] = totals.get(name, 0) + value
    return totals


def test_all_objects_are_loaded_and_told_of():
    loader = FakeLoader(again=Outcome(repeated=True))

    answer, stream = handle(loader, an_event("a", "again", "b"))

    totals = emitted(stream)
    durations = (totals.pop("LoadDuration"), totals.pop("LoadLag"))
    assert answer == {"objects": 3}
    assert loader.asked == ["a", "again", "b"]
    assert totals == {
        "ObjectsReceived": 3,
        "ObjectsLoaded": 2,
        "ObjectsRepeated": 1,
        "RowsInObjects": 20,
        "RowsApplied": 8,
        "RowsStale": 6,
        "RowsDeleted": 4,
        "RowsRejected": 2,
    }
    assert durations[0] < 2_000
    assert 4_000 <= durations[1] < 6_000


def test_heartbeats_are_told_of_beside_the_rows():
    beat = Outcome(landed=Landed(2, newest_sent_at_ms=1_000))

    _, stream = handle(FakeLoader(beat=beat), an_event("beat"))

    totals = emitted(stream)
    lag_ms = totals["HeartbeatLag"]
    assert (totals["ObjectsLoaded"], totals["RowsInObjects"], totals["HeartbeatsLoaded"]) == (1, 0, 2)
    assert 2_000 <= lag_ms < 3_000


def test_an_object_without_heartbeats_says_nothing_about_them():
    _, stream = handle(FakeLoader(), an_event("a"))

    assert not {"HeartbeatsLoaded", "HeartbeatLag"} & emitted(stream).keys()


@pytest.mark.parametrize("error", [LoadFailedError("busy"), ZeroDivisionError("unforeseen")])
def test_an_object_that_fails_stops_no_other_and_is_raised_at_the_end(error):
    loader = FakeLoader(bad=error)

    answer, stream = handle(loader, an_event("a", "bad", "b"))

    assert isinstance(answer, ObjectsFailedError)
    assert loader.asked == ["a", "bad", "b"]
    assert emitted(stream)["ObjectsFailed"] == 1
    assert emitted(stream)["ObjectsLoaded"] == 2


def test_a_queue_hears_which_messages_to_deliver_again():
    loader = FakeLoader(bad=LoadFailedError("busy"))

    answer, _ = handle(loader, a_queue_of("a", "bad", "", "b"))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-bad"}, {"itemIdentifier": "m-"}]}
    assert loader.asked == ["a", "bad", "b"]


def test_a_queue_whose_messages_all_loaded_hears_of_no_failure():
    answer, _ = handle(FakeLoader(), a_queue_of("a"))

    assert answer == {"batchItemFailures": []}


@pytest.mark.parametrize("make_event", [an_event, a_queue_of])
def test_what_someone_has_to_mend_is_raised_after_the_others_were_loaded(make_event):
    halt = HaltError("mend it")
    loader = FakeLoader(bad=halt)

    answer, _ = handle(loader, make_event("bad", "b"))

    assert answer is halt
    assert loader.asked == ["bad", "b"]


def test_an_event_of_no_known_shape_is_raised():
    answer, _ = handle(FakeLoader(), {"hello": "world"})

    assert isinstance(answer, EventShapeError)


def test_a_test_event_is_success():
    answer, _ = handle(FakeLoader(), {"Event": "s3:TestEvent"})

    assert answer == {"objects": 0}
