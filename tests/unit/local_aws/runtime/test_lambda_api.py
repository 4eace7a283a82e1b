import io

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from local_aws.functions import FunctionError, Invocation
from local_aws.runtime.lambda_api import LambdaApiFunction

ARN = "arn:aws:lambda:us-east-1:000000000000:function:transformer:$LATEST"


class FakeLambda:
    """Answers one invocation with what it was given, or raises it."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = None

    def invoke(self, **arguments):
        self.asked = arguments
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def an_answer(body, **others):
    return {"Payload": io.BytesIO(body), "ResponseMetadata": {"RequestId": "r"}, **others}


def a_refusal(code):
    response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"RequestId": "r"}}
    return ClientError(response, "Invoke")


def test_the_event_goes_to_the_function_of_the_arn():
    client = FakeLambda(an_answer(b"{}"))

    LambdaApiFunction(client, arn=ARN).invoke({"a": "\u00e4"})

    assert client.asked == {"FunctionName": ARN, "Payload": '{"a":"\u00e4"}'.encode()}


def test_a_function_has_the_name_and_the_arn_that_it_was_given():
    function = LambdaApiFunction(FakeLambda(None), arn=ARN)

    assert (function.name, function.arn) == ("transformer", ARN)


@pytest.mark.parametrize(
    ("answer", "invocation"),
    [
        (an_answer(b'{"records": []}'), Invocation("r", payload={"records": []})),
        (
            an_answer(b'{"errorType": "ValueError", "errorMessage": "bad"}', FunctionError="Unhandled"),
            Invocation("r", error=FunctionError("Unhandled", "ValueError", "bad")),
        ),
        (
            an_answer(b'{"errorType": "Sandbox.Timedout", "errorMessage": "late"}', FunctionError="Unhandled"),
            Invocation("r", error=FunctionError("TimedOut", "Sandbox.Timedout", "late")),
        ),
        (
            an_answer(b"no document", FunctionError="Unhandled"),
            Invocation("r", error=FunctionError("Unhandled", "Unknown", "no document")),
        ),
        (
            a_refusal("TooManyRequestsException"),
            Invocation("r", error=FunctionError("Throttled", "TooManyRequestsException", "no")),
        ),
        (
            a_refusal("ResourceNotFoundException"),
            Invocation("r", error=FunctionError("NotFound", "ResourceNotFoundException", "no")),
        ),
        (
            a_refusal("AccessDeniedException"),
            Invocation("r", error=FunctionError("Unhandled", "AccessDeniedException", "no")),
        ),
        (
            ConnectTimeoutError(endpoint_url="http://nowhere"),
            Invocation(
                "", error=FunctionError("Unhandled", "Runtime.ExitError", "the call broke (ConnectTimeoutError)")
            ),
        ),
    ],
    ids=["answer", "error", "timeout", "text", "throttled", "missing", "refused", "broken"],
)
def test_what_lambda_says_is_told_as_by_any_function(answer, invocation):
    assert LambdaApiFunction(FakeLambda(answer), arn=ARN).invoke({}) == invocation
