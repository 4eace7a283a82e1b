"""The stream-processor as one object: events, answers, metrics, and what its log may hold."""

import io
import json
import logging

import pytest
from builders import a_pipeline, a_stream_record

from ddb2aurora.errors import HaltError
from ddb2aurora.logs import JsonFormatter, get_logger
from ddb2aurora.metrics import Metrics
from stream_processor.app import App, EventShapeError, UnexpectedError
from stream_processor.delivery import Refused

NOW_MS = 1_767_790_000_000


class Running:
    """An App with fakes around it, and what it wrote."""

    def __init__(self, make, stream, *, seconds=60.0):
        self.stream = stream
        self.time = make.time(seconds)
        self.quarantine = make.quarantine()
        self._metrics = io.StringIO()
        metrics = Metrics(stage="stream-processor", pipeline="things", clock_ms=lambda: NOW_MS, stream=self._metrics)
        self._app = App(a_pipeline(), stream, self.quarantine, metrics, sleep=self.time.sleep, random=lambda: 0.5)

    def handle(self, event):
        return self._app.handle(event, self.time, now_ms=NOW_MS)

    @property
    def metrics(self):
        [line] = self._metrics.getvalue().splitlines()
        return {name: value for name, value in json.loads(line).items() if name != "_aws"}


@pytest.fixture
def log():
    """Everything that the stage logs, as its formatter writes it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonFormatter())
    logger = get_logger("stream-processor")
    logger.addHandler(handler)
    yield text
    logger.removeHandler(handler)


def entries(log):
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_event_is_forwarded_counted_and_answered(make, log):
    running = Running(make, make.stream())

    answer = running.handle({"Records": [a_stream_record(), a_stream_record(sequence_number=2)]})

    assert answer == {"batchItemFailures": []}
    assert running.metrics == {
        "Stage": "stream-processor",
        "Pipeline": "things",
        "ChangesReceived": 2,
        "ChangesForwarded": 2,
        "ChangesFailed": 0,
        "ChangesOversized": 0,
        "ChangesMalformed": 0,
        "RecordsForwarded": 2,
        "RecordsRefused": 0,
        "BytesBilled": 2 * 5120,
    }
    assert log.getvalue() == ""


def test_refused_records_are_counted_and_logged_with_the_codes_of_firehose(make, log):
    running = Running(make, make.stream({0: "InternalFailure"}, Refused("ReadTimeoutError")))

    answer = running.handle({"Records": [a_stream_record()]})

    assert answer == {"batchItemFailures": []}
    assert running.metrics["RecordsRefused"] == 2
    [entry] = entries(log)
    assert entry["message"] == "records refused by Firehose"
    assert (entry["refused"], entry["codes"]) == (2, ["InternalFailure", "ReadTimeoutError"])


def test_five_seconds_are_kept_for_the_answer(make, log):
    running = Running(make, make.stream(), seconds=5.0)

    answer = running.handle({"Records": [a_stream_record(sequence_number=4), a_stream_record(sequence_number=3)]})

    assert running.stream.calls == []
    assert answer == {"batchItemFailures": [{"itemIdentifier": "3"}]}
    assert running.metrics["ChangesFailed"] == 2
    assert [(entry["message"], entry["failed"]) for entry in entries(log)] == [
        ("changes left for the stream to deliver again", 2)
    ]


def test_pauses_end_before_the_function_does(make):
    running = Running(make, make.dead_stream(), seconds=20.0)

    answer = running.handle({"Records": [a_stream_record(sequence_number=3)]})

    assert answer == {"batchItemFailures": [{"itemIdentifier": "3"}]}
    assert sum(running.time.pauses) < 15.0
    assert running.time.seconds > 5.0


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": {}}, {"detail": {}}])
def test_an_event_of_another_kind_halts_and_says_what_to_connect(make, event):
    with pytest.raises(EventShapeError, match="connect this function to a DynamoDB stream"):
        Running(make, make.stream()).handle(event)


def test_an_error_that_halts_fails_the_invocation_so_that_the_whole_batch_is_delivered_again(make):
    with pytest.raises(HaltError, match="no such stream"):
        Running(make, make.stream(HaltError("no such stream"))).handle({"Records": [a_stream_record()]})


def test_the_unforeseen_fails_the_invocation_and_its_message_reaches_no_log(make, log):
    running = Running(make, make.stream(ZeroDivisionError("secret value")))

    with pytest.raises(UnexpectedError) as caught:
        running.handle({"Records": [a_stream_record()]})

    assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__
    assert "secret" not in log.getvalue()
    [entry] = entries(log)
    assert entry["message"] == "batch failed unexpectedly"
    assert entry["errors"][0]["type"] == "ZeroDivisionError"


def test_no_value_of_an_item_reaches_the_log_or_the_metrics(make, log, capsys):
    huge = a_stream_record(item={"id": "secret", "note": "secret" * 200_000})
    broken = a_stream_record(item={"id": "secret"}) | {"eventName": "ARCHIVE"}

    Running(make, make.stream()).handle({"Records": [huge, broken, a_stream_record(item={"id": "secret"})]})

    assert [entry["reason"] for entry in entries(log)] == ["oversized", "malformed"]
    assert "secret" not in log.getvalue() + "".join(capsys.readouterr())
