"""What an operator makes of Lambda's answers."""

import io
import json

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from operator_cli.aws import AwsCallError, AwsSetUpError
from operator_cli.invoking import FunctionFailedError, InvokedFunction


class FakeLambda:
    """Answer each call with the next of *answers*: a payload, a failed function's payload, or an error."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.calls = []

    def invoke(self, **call):
        self.calls.append((call["FunctionName"], json.loads(call["Payload"])))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ran(value):
    return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(value).encode())}


def failed(body):
    return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(body)}


def refused(code):
    return ClientError({"Error": {"Code": code, "Message": "it says so"}}, "Invoke")


def invoke(*answers, event=None):
    pauses = []
    client = FakeLambda(*answers)
    function = InvokedFunction(client, name="loader", sleep=pauses.append)
    return function({"a": 1} if event is None else event), client.calls, pauses


def test_what_the_function_answers_is_returned():
    assert invoke(ran({"objects": 1})) == ({"objects": 1}, [("loader", {"a": 1})], [])


def test_a_function_that_failed_says_with_what_and_why():
    with pytest.raises(FunctionFailedError) as caught:
        invoke(failed(b'{"errorMessage": "of another shape", "errorType": "ShapeError", "stackTrace": []}'))

    assert (caught.value.error_type, caught.value.reason) == ("ShapeError", "of another shape")
    assert str(caught.value) == "the function loader failed with ShapeError: of another shape"


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"{}"])
def test_a_function_that_failed_without_a_word_is_a_failure_too(body):
    with pytest.raises(FunctionFailedError, match="failed with an unknown error: it said nothing"):
        invoke(failed(body))


def test_a_throttled_call_is_made_again_after_growing_pauses():
    answer, calls, pauses = invoke(*[refused("TooManyRequestsException")] * 3, ran(1))

    assert (answer, len(calls)) == (1, 4)
    assert [0.25 <= pauses[0] <= 0.5, 0.5 <= pauses[1] <= 1, 1 <= pauses[2] <= 2] == [True] * 3


def test_a_call_that_stays_throttled_is_given_up():
    with pytest.raises(AwsCallError, match="Invoke on function loader failed with TooManyRequestsException"):
        invoke(*[refused("TooManyRequestsException")] * 8)


def test_a_function_that_is_not_there_needs_someone():
    with pytest.raises(AwsSetUpError, match="ResourceNotFoundException"):
        invoke(refused("ResourceNotFoundException"))


def test_an_answer_that_does_not_come_is_not_asked_for_again():
    client = FakeLambda(ReadTimeoutError(endpoint_url="http://x"))

    with pytest.raises(AwsCallError):
        InvokedFunction(client, name="loader", sleep=lambda _: None)({})

    assert len(client.calls) == 1
