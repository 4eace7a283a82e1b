"""The entry point: the App, what its log and metrics may hold, and the settings."""

import io
import json
import logging
from typing import Any

import pytest
from builders import a_change, a_pipeline

from ddb2aurora.logs import JsonFormatter, get_logger
from ddb2aurora.mapping import Mapper
from ddb2aurora.metrics import Metrics
from ddb2aurora.pipeline import dump_pipeline
from ddb2aurora.settings import SettingsError
from firehose_transformer.app import App
from firehose_transformer.handler import app, handler
from firehose_transformer.row_lines import RowLines
from firehose_transformer.settings import Settings

NOW_MS = 1_767_790_000_000


class DefectiveMapper(Mapper):
    """Fails as no row_lines should, and quotes a value while it does."""

    def row(self, change: Any) -> Any:
        raise ZeroDivisionError(f"cannot divide {change.image}")


class Running:
    """An App, and what it wrote."""

    def __init__(self, row_lines, quarantine=None):
        self._metrics = io.StringIO()
        metrics = Metrics(stage="firehose-transformer", pipeline="things", clock_ms=lambda: 1, stream=self._metrics)
        self.quarantine = quarantine
        self._app = App(row_lines, metrics, quarantine, pipeline="things")

    def handle(self, event):
        return self._app.handle(event, now_ms=NOW_MS)

    @property
    def metrics(self):
        [line] = self._metrics.getvalue().splitlines()
        return {name: value for name, value in json.loads(line).items() if name != "_aws"}


@pytest.fixture
def log():
    """Everything that the stage logs, as its formatter writes it."""
    text = io.StringIO()
    writer = logging.StreamHandler(text)
    writer.setFormatter(JsonFormatter())
    logger = get_logger("firehose-transformer")
    logger.addHandler(writer)
    yield text
    logger.removeHandler(writer)


def entries(log):
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_what_came_in_is_counted_as_transformed_or_rejected(make, row_lines):
    running = Running(row_lines)

    running.handle(make.event(make.record(make.change(), "1"), make.record(b"bad", "2"), make.record(b"", "3")))

    assert running.metrics == {
        "Stage": "firehose-transformer",
        "Pipeline": "things",
        "RecordsReceived": 3,
        "ChangesUnpacked": 3,
        "RecordsTransformed": 1,
        "RecordsRejected": 2,
        "RecordsDropped": 0,
    }


def test_a_rejection_is_logged_with_id_reason_place_and_rule_and_without_the_value(make, row_lines, log):
    secret = make.record(make.change(id="secret", text="secret", payload='{"Hits": "secret"}'), "7")

    Running(row_lines).handle(make.event(secret))

    [entry] = entries(log)
    assert {name: entry[name] for name in ("message", "record_ids", "lines", "reason", "pointer", "detail")} == {
        "message": "records rejected",
        "record_ids": ["7"],
        "lines": [1],
        "reason": "schema_violation",
        "pointer": "/payload/Hits",
        "detail": "breaks /properties/Hits/type",
    }
    assert "errors" not in entry
    assert "secret" not in log.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        {"id": "secret too long for its column"},
        {"n": "secret"},
        {"text": "secret" * 500},
        {"text": {"secret"}},
        {"payload": "secret"},
        {"payload": ["secret"]},
        {"payload": '{"Hits": 7.5, "secret": "secret"}'},
        {"payload": '{"secret": "secret"}'},
        {"payload": '"secret"'},
    ],
)
def test_no_value_of_an_item_reaches_the_log(make, row_lines, log, members):
    Running(row_lines).handle(make.event(make.record(make.change(**members))))

    assert len(entries(log)) == 1
    assert "secret" not in log.getvalue()


def test_a_defect_is_logged_with_its_place_in_the_code_and_without_its_message(make, log):
    running = Running(RowLines(make.pipeline, mapper=DefectiveMapper(make.pipeline)))

    answer = running.handle(make.event(make.record(make.change(id="secret"))))

    [entry] = entries(log)
    [error] = entry["errors"]
    assert answer == {"records": [{"recordId": "record-1", "result": "ProcessingFailed", "data": ""}]}
    assert (entry["reason"], entry["detail"], error["type"]) == ("unexpected", "ZeroDivisionError", "ZeroDivisionError")
    assert "in row" in error["frames"][-1]
    assert "secret" not in log.getvalue()


@pytest.fixture
def environment(make, tmp_path, monkeypatch):
    (tmp_path / "things.json").write_bytes(dump_pipeline(make.pipeline))
    monkeypatch.setenv("PIPELINE", "things")
    monkeypatch.setenv("PIPELINES_FOLDER", str(tmp_path))
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    root, ours = logging.getLogger(), logging.getLogger("ddb2aurora")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    # The handler takes the root logger for itself; the test runner wants it back.
    root.handlers = []
    app.cache_clear()
    yield
    app.cache_clear()
    root.handlers = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.mark.usefixtures("environment")
def test_the_handler_answers_with_the_pipeline_of_its_settings_and_one_app(make, capsys):
    event = make.event(make.record(a_change(kind="REMOVE")))

    answers = [handler(event, None) for _ in range(2)]

    assert [record["result"] for answer in answers for record in answer["records"]] == ["Ok", "Ok"]
    assert app() is app()
    assert capsys.readouterr().out.count('"RecordsTransformed": 1') == 2


def test_all_missing_settings_are_named_together():
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"LOG_LEVEL": "LOUD"})

    assert str(caught.value) == (
        "bad settings:\n"
        "  PIPELINE is missing: set it to the name of a pipeline\n"
        "  LOG_LEVEL is 'LOUD': set it to the lowest level to log, one of INFO, DEBUG, WARNING, ERROR"
    )


def settings(**more):
    return Settings.from_env({"PIPELINE": "things"} | more)


def test_a_pipeline_that_packs_needs_a_bucket():
    with pytest.raises(SettingsError) as caught:
        settings().bucket_of(a_pipeline(packing=True))

    assert str(caught.value) == (
        "bad settings:\n  BUCKET_NAME is missing: pipeline things has packing: on, so set it to the bucket that holds "
        "processed/ and failed/"
    )


def test_a_pipeline_that_does_not_pack_needs_no_bucket_and_uses_the_one_that_is_there():
    plain = a_pipeline(packing=False)

    assert [settings().bucket_of(plain), settings(BUCKET_NAME="lake").bucket_of(plain)] == [None, "lake"]


def test_a_delete_that_the_policy_ignores_is_dropped_and_counted(make):
    running = Running(RowLines(a_pipeline(on_ttl_delete="keep")))
    kept = a_change(kind="REMOVE", by_ttl=True)

    answer = running.handle(make.event(make.record(kept, "1")))

    assert answer == {"records": [{"recordId": "1", "result": "Dropped", "data": ""}]}
    assert running.metrics["RecordsDropped"] == 1
