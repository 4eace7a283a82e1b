"""The entry point: settings, the one App of an execution environment, and what happens at import."""

import logging

import boto3
import pytest
from builders import a_pipeline

from ddb2aurora.pipeline import UnknownPipelineError, dump_pipeline
from ddb2aurora.settings import SettingsError
from stream_processor.handler import app, handler
from stream_processor.settings import Settings


class Context:
    aws_request_id = "request-1"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:111122223333:function:stream-processor"

    def get_remaining_time_in_millis(self):
        return 60_000


@pytest.fixture
def environment(tmp_path, monkeypatch):
    (tmp_path / "things.json").write_bytes(dump_pipeline(a_pipeline()))
    variables = {
        "PIPELINE": "things",
        "PIPELINES_FOLDER": str(tmp_path),
        "DELIVERY_STREAM_NAME": "changes",
        "BUCKET_NAME": "lake",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    root, ours = logging.getLogger(), logging.getLogger("ddb2aurora")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    # The handler takes the root logger for itself; the test runner wants it back.
    root.handlers = []
    app.cache_clear()
    yield monkeypatch
    app.cache_clear()
    root.handlers = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.mark.usefixtures("environment")
def test_the_handler_answers_and_uses_one_app_for_all_invocations(capsys):
    answers = [handler({"Records": []}, Context()) for _ in range(2)]

    assert answers == [{"batchItemFailures": []}] * 2
    assert app() is app()
    assert capsys.readouterr().out.count('"Pipeline": "things"') == 2


def test_a_start_that_failed_is_tried_again_by_the_next_invocation(environment):
    environment.setenv("PIPELINE", "others")

    with pytest.raises(UnknownPipelineError, match="there are: things"):
        handler({"Records": []}, Context())
    environment.setenv("PIPELINE", "things")

    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}


def test_all_missing_settings_are_named_together():
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"LOG_LEVEL": "LOUD"})

    assert str(caught.value) == (
        "bad settings:\n"
        "  PIPELINE is missing: set it to the name of a pipeline\n"
        "  DELIVERY_STREAM_NAME is missing: set it to the name of the delivery stream\n"
        "  BUCKET_NAME is missing: set it to the bucket that holds processed/ and failed/\n"
        "  LOG_LEVEL is 'LOUD': set it to the lowest level to log, one of INFO, DEBUG, WARNING, ERROR"
    )
