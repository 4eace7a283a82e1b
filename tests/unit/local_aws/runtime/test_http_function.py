import pytest

from local_aws.functions import FunctionError, Invocation
from local_aws.runtime.http import interpret


def test_a_json_answer_is_the_payload():
    assert interpret("r", 200, b'{"batchItemFailures": []}') == Invocation("r", payload={"batchItemFailures": []})


def test_the_emulator_answers_200_when_the_handler_raised_so_the_body_decides():
    body = b'{"errorMessage":"boom","errorType":"ValueError","requestId":"x","stackTrace":["..."]}'

    assert interpret("r", 200, body) == Invocation("r", error=FunctionError("Unhandled", "ValueError", "boom"))


def test_the_emulator_reports_a_timeout_as_plain_text():
    text = "Task timed out after 3.00 seconds"

    assert interpret("r", 200, text.encode()) == Invocation(
        "r", error=FunctionError("TimedOut", "Sandbox.Timedout", text)
    )


@pytest.mark.parametrize(
    ("body", "error_type", "message"),
    [
        (b"", "Runtime.ExitError", ""),
        (b'{"errorMessage":"exit status 1","errorType":"Runtime.ExitError"}', "Runtime.ExitError", "exit status 1"),
    ],
)
def test_502_means_that_the_process_ended(body, error_type, message):
    assert interpret("r", 502, body) == Invocation("r", error=FunctionError("Unhandled", error_type, message))


def test_an_answer_that_only_mentions_an_error_message_is_a_payload():
    assert interpret("r", 200, b'{"errorMessage": "kept"}') == Invocation("r", payload={"errorMessage": "kept"})
