"""Each function's image answers captured events, confined as on Lambda: read-only, unprivileged, without network."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from containers import (
    AURORA_LOADER,
    BASE,
    FIREHOSE_TRANSFORMER,
    FUNCTIONS,
    STREAM_PROCESSOR,
    Function,
    Sandbox,
    Stage,
    docker,
)

HERE = Path(__file__).parent
EPOCH = "1767225600000"
SEQUENCE = "100000000000000000000000000000000000000"


def captured(name: str) -> Any:
    return json.loads((HERE / "events" / f"{name}.json").read_text(encoding="utf-8"))


def beside_a_firehose(sandbox: Sandbox) -> tuple[Function, str]:
    """Return the stream-processor, and the container of a delivery stream in the same network namespace."""
    script = f"{HERE / 'fake_firehose.py'}:/fake.py:ro"
    firehose = sandbox.run(BASE, "python3", "/fake.py", options=["--volume", script])
    sandbox.await_port(firehose, 4573)
    return sandbox.function(STREAM_PROCESSOR, options=["--network", f"container:{firehose}"]), firehose


def test_the_transformer_makes_a_row_of_each_record_and_fails_each_bad_one_alone(sandbox: Sandbox):
    function = sandbox.function(FIREHOSE_TRANSFORMER)

    answer = function.invoke(captured("firehose-transformation"))

    upsert = (
        f"292561d60f2d,U,{EPOCH}{SEQUENCE}1,1767225601000,page-1,2026-01-01T00:00:00Z,1767225601000,7,"
        '2026-01-01T00:00:00+00:00,2026-01-01T00:44:21+00:00,"the \\"North\\""\n'
    )
    delete = f"292561d60f2d,D,{EPOCH}{SEQUENCE}3,1767225603000,page-2,2026-01-01T00:00:00Z,\\N,\\N,\\N,\\N,\\N\n"
    assert [
        (record["recordId"], record["result"], base64.b64decode(record["data"]).decode())
        for record in answer["records"]
    ] == [
        ("record-1", "Ok", upsert),
        ("record-2", "Ok", delete),
        ("record-3", "ProcessingFailed", ""),
        ("record-4", "ProcessingFailed", ""),
    ]


@pytest.mark.parametrize(
    ("stage", "event"),
    [(FIREHOSE_TRANSFORMER, "firehose-transformation"), (STREAM_PROCESSOR, "dynamodb-stream")],
    ids=str,
)
def test_a_function_answers_the_same_when_it_is_asked_again(sandbox: Sandbox, stage, event):
    # From the second event on, it reads and writes JSON otherwise than the runtime does by itself.
    function = sandbox.function(stage) if stage == FIREHOSE_TRANSFORMER else beside_a_firehose(sandbox)[0]

    answers = [function.invoke(captured(event)) for _ in range(3)]

    assert answers == [answers[0]] * 3
    assert "errorType" not in answers[0]


def test_the_transformer_logs_why_a_record_failed_and_no_value_of_it(sandbox: Sandbox):
    function = sandbox.function(FIREHOSE_TRANSFORMER)

    function.invoke(captured("firehose-transformation"))

    logged = [json.loads(line) for line in function.log.splitlines() if '"records rejected"' in line]
    assert sorted(record_id for line in logged for record_id in line["record_ids"]) == ["record-3", "record-4"]
    assert "not a number" not in function.log


def test_the_stream_processor_forwards_every_change_and_reports_no_failure(sandbox: Sandbox):
    function, firehose = beside_a_firehose(sandbox)

    answer = function.invoke(captured("dynamodb-stream"))

    forwarded = [json.loads(line) for line in docker("logs", firehose).splitlines()]
    assert answer == {"batchItemFailures": []}
    assert [(change["event"], change["sequence"]) for change in forwarded] == [
        ("INSERT", f"{SEQUENCE}1"),
        ("MODIFY", f"{SEQUENCE}2"),
        ("REMOVE", f"{SEQUENCE}3"),
    ]


def test_the_stream_processor_reports_the_first_change_that_nobody_took(sandbox: Sandbox):
    function = sandbox.function(STREAM_PROCESSOR, settings={"AWS_LAMBDA_FUNCTION_TIMEOUT": "10"})

    answer = function.invoke(captured("dynamodb-stream"))

    assert answer == {"batchItemFailures": [{"itemIdentifier": f"{SEQUENCE}1"}]}


def test_the_loader_ignores_the_event_that_S3_sends_when_it_is_set_up(sandbox: Sandbox):  # noqa: N802 - S3 is a name
    function = sandbox.function(AURORA_LOADER)

    answer = function.invoke({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "a-bucket"})

    assert answer == {"objects": 0}


def test_the_loader_fails_an_event_whose_object_it_cannot_load_and_names_both_object_and_reason(sandbox: Sandbox):
    function = sandbox.function(AURORA_LOADER)

    answer = function.invoke(captured("s3-notification"))

    assert answer["errorType"] == "LoadFailedError"
    assert "s3://a-bucket/processed/web_analytics/WebAnalytics/2026/01/01/00/" in answer["errorMessage"]
    assert "a+b.csv is not loaded" in answer["errorMessage"]
    assert "connecting failed on 127.0.0.1:3306" in answer["errorMessage"]


@pytest.mark.parametrize("stage", FUNCTIONS, ids=lambda stage: stage.name)
def test_a_malformed_event_is_refused_with_what_mends_it_and_the_next_one_is_answered(sandbox: Sandbox, stage: Stage):
    function = sandbox.function(stage)

    answers = [function.invoke({"not": "an event"}) for _ in range(2)]

    assert [answer["errorType"] for answer in answers] == ["EventShapeError", "EventShapeError"]
    assert any(
        hint in answers[0]["errorMessage"] for hint in ("connect this function to", "let a delivery stream call")
    )


@pytest.mark.parametrize(
    ("stage", "settings", "message"),
    [
        (
            FIREHOSE_TRANSFORMER,
            {"PIPELINE": None},
            "bad settings:\n  PIPELINE is missing: set it to the name of a pipeline",
        ),
        (
            FIREHOSE_TRANSFORMER,
            {"PIPELINE": "orders"},
            (
                "no pipeline 'orders' in /opt/ddb2aurora/pipelines; there are: web_analytics. "
                "Set PIPELINE to one of them, or add pipelines/orders.yaml and build again"
            ),
        ),
        (
            STREAM_PROCESSOR,
            {"DELIVERY_STREAM_NAME": None, "BUCKET_NAME": None},
            (
                "bad settings:\n  DELIVERY_STREAM_NAME is missing: set it to the name of the delivery stream\n"
                "  BUCKET_NAME is missing: set it to the bucket that holds processed/ and failed/"
            ),
        ),
        (
            AURORA_LOADER,
            {"DB_TLS": None},
            (
                "bad settings:\n  DB_CA_FILE: there is no file '/opt/ddb2aurora/rds-global-bundle.pem': "
                "set it to the bundle of certificates to trust"
            ),
        ),
        (
            AURORA_LOADER,
            {"DB_HOST": "db.example.com"},
            "bad settings:\n  DB_TLS is 'off' but 'db.example.com' is not on this machine: set DB_TLS to verify",
        ),
    ],
    ids=["no pipeline", "unknown pipeline", "several at once", "no certificates", "TLS off far away"],
)
def test_a_mistake_in_the_environment_is_told_in_one_clear_text(
    sandbox: Sandbox, stage: Stage, settings: dict[str, str | None], message: str
):
    function = sandbox.function(stage, settings=settings)

    answer = function.invoke({})

    assert answer["errorMessage"] == message


@pytest.mark.parametrize("stage", FUNCTIONS, ids=lambda stage: stage.name)
def test_a_function_runs_as_whatever_user_it_is_given(sandbox: Sandbox, stage: Stage):
    function = sandbox.function(stage, options=["--user", "12345:12345"])

    answer = function.invoke({})

    assert answer["errorType"] == "EventShapeError"
