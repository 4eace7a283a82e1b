"""The operator's commands on a whole stack, from outside: as a user runs them, and as Lambda does."""

import json
import subprocess
import sys
import time

import boto3
import pytest
from outside import PATIENCE_SECONDS, REPOSITORY, eventually

HEARTBEATS = "SELECT streamed_at_ms IS NULL FROM Demo._ddb2aurora_heartbeat WHERE pipeline = %s AND version MOD %s = %s"
_TEN_TO_THE_40 = 10**40


@pytest.fixture
def ddb2aurora(stack):
    """Give a function that runs a command for one of the stack's pipelines and returns its status and its JSON."""

    def run(command, *arguments, pipeline="web_analytics"):
        environment = {
            **stack.environment,
            "PIPELINES_FOLDER": str(stack.pipelines),
            "PIPELINE": pipeline,
            "DELIVERY_STREAM_NAME": pipeline,
            "AURORA_LOADER_FUNCTION": f"{pipeline}-aurora-loader",
        }
        ran = subprocess.run(
            [sys.executable, "-m", "operator_cli", command, "--json", *arguments],
            env=environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    return run


@pytest.fixture
def functions(stack):
    """A client of the Lambda API that the stack serves."""
    client = boto3.client(
        "lambda",
        endpoint_url=stack.environment["AWS_ENDPOINT_URL_LAMBDA"],
        region_name=stack.environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=stack.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.environment["AWS_SECRET_ACCESS_KEY"],
    )
    yield client
    client.close()


@pytest.mark.parametrize(("pipeline", "skips_the_stream"), [("web_analytics", 1), ("many_types", 0)])
def test_a_heartbeat_goes_through_the_whole_pipeline(stack, ddb2aurora, pipeline, skips_the_stream):
    status, output = ddb2aurora("heartbeat", "--wait", f"{PATIENCE_SECONDS}", pipeline=pipeline)

    found = stack.rows(HEARTBEATS, pipeline, _TEN_TO_THE_40, int(output["heartbeat_id"]))
    assert (status, found) == (0, [(skips_the_stream,)])
    assert output["landed"]["lag_ms"] > 0


def test_an_item_that_is_a_heartbeat_is_no_row(stack, ddb2aurora):
    ddb2aurora("heartbeat", "--wait", f"{PATIENCE_SECONDS}", pipeline="many_types")

    assert stack.rows("SELECT id FROM Demo.ManyTypes WHERE id LIKE %s", "%heartbeat%") == []


def test_an_object_that_nobody_announced_is_loaded_by_a_sweep(stack, page, ddb2aurora):
    page.put(hits=3)
    eventually(page.rows, [("2026-01-05T10:00:00Z", 3)])
    # As if its announcement had been lost: neither the row nor the entry in the ledger is there.
    stack.rows("DELETE FROM Demo.WebAnalytics WHERE page_id = %s", page.page_id)
    stack.rows("DELETE FROM Demo._ddb2aurora_loads WHERE pipeline = 'web_analytics'")

    deadline = time.monotonic() + PATIENCE_SECONDS
    while page.rows() == [] and time.monotonic() < deadline:
        status, output = ddb2aurora("sweep", "--older-than", "1s")

    assert page.rows() == [("2026-01-05T10:00:00Z", 3)]
    assert (status, output["failed"]) == (0, 0)


def test_status_knows_the_newest_heartbeat_and_what_was_loaded(page, ddb2aurora):
    _, beat = ddb2aurora("heartbeat", "--wait", f"{PATIENCE_SECONDS}")
    page.put(hits=1)
    eventually(lambda: len(page.rows()), 1)

    _, output = ddb2aurora("status")

    assert output["heartbeat"]["sent_at_ms"] >= beat["sent_at_ms"]
    assert output["ledger"]["recent"]["rows"] >= 1
    assert output["processed"]["newest_ms"] is not None


def test_a_command_is_run_by_the_operator_s_function(functions):
    event = {"command": "heartbeat", "options": {"wait": f"{PATIENCE_SECONDS}s"}}

    answer = functions.invoke(FunctionName="web_analytics-operator", Payload=json.dumps(event).encode())

    payload = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    assert (payload["command"], payload["exit_code"]) == ("heartbeat", 0)
    assert payload["output"]["landed"]["lag_ms"] > 0


def test_a_command_that_cannot_run_is_a_failed_invocation_that_says_why(functions):
    answer = functions.invoke(FunctionName="web_analytics-operator", Payload=b'{"command": "dance"}')

    payload = json.load(answer["Payload"])
    assert (answer["FunctionError"], payload["errorType"]) == ("Unhandled", "EventError")
    assert payload["errorMessage"].startswith("there is no command 'dance'; there are: ")
