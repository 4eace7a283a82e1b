"""What Lambda answers to an Invoke; each test names the rule of AWS that it pins."""

import json

import pytest

from local_aws.functions import FunctionError, Invocation
from local_aws.lambda_api.invoke import Answer, CallError, Served, parse_call

ARN = "arn:aws:lambda:us-east-1:000000000000:function:loader"
MIB = 1024 * 1024


class FakeFunction:
    """A function that answers the event itself, or what it is told to."""

    name = "loader"
    arn = f"{ARN}:$LATEST"

    def __init__(self, *, error=None):
        self._error = error
        self.events = []

    def invoke(self, event):
        self.events.append(event)
        return Invocation("a-request", payload=event, error=self._error)


class World:
    def __init__(self, *, error=None):
        self.function = FakeFunction(error=error)
        self.queued = []

    def invoke(self, name="loader", *, qualifier=None, kind=None, body=b"{}"):
        served = Served(self.function, self.queued.append)
        call = parse_call(name, qualifier=qualifier, kind=kind, body=body, functions={"loader": served})
        return call.answer()

    def refused(self, name="loader", **more):
        with pytest.raises(CallError) as caught:
            self.invoke(name, **more)
        answer = caught.value.answer()
        return answer.status, answer.headers["x-amzn-ErrorType"], json.loads(answer.body)


# AWS: FunctionName is a name, a partial ARN or an ARN, each with a version or an alias behind it.
@pytest.mark.parametrize(
    "name",
    [
        "loader",
        "loader:$LATEST",
        "000000000000:function:loader",
        "function:loader",
        ARN,
        f"{ARN}:$LATEST",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aloader",
    ],
)
def test_a_function_has_many_names(name):
    assert World().invoke(name, body=b'{"a": 1}').body == b'{"a":1}'


def test_the_answer_to_a_call_that_waits_is_the_function_s():
    # AWS: RequestResponse is the default; 200, the payload, and the version that ran.
    headers = {"x-amzn-RequestId": "a-request", "X-Amz-Executed-Version": "$LATEST", "Content-Type": "application/json"}

    assert World().invoke(body=b'["x"]') == Answer(200, headers, b'["x"]')


def test_no_payload_is_an_empty_event():
    world = World()

    world.invoke(body=b"")

    assert world.function.events == [{}]


def test_an_event_that_nobody_waits_for_is_queued_and_answered_at_once():
    # AWS: 202 for Event, without a body; the function runs later.
    world = World()

    answer = world.invoke(kind="Event", body=b'{"a": 1}')

    assert (answer, world.queued, world.function.events) == (Answer(202, {}), [{"a": 1}], [])


def test_a_dry_run_runs_nothing():
    # AWS: 204 for DryRun.
    world = World()

    assert (world.invoke(kind="DryRun").status, world.function.events, world.queued) == (204, [], [])


@pytest.mark.parametrize(
    ("error", "payload"),
    [
        (
            FunctionError("Unhandled", "ValueError", "no ü"),
            {"errorMessage": "no ü", "errorType": "ValueError", "stackTrace": []},
        ),
        (
            FunctionError("TimedOut", "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
            {"errorMessage": "Task timed out after 3.00 seconds", "errorType": "Sandbox.Timedout"},
        ),
        (
            FunctionError("Unhandled", "Runtime.ExitError", "signal: killed"),
            {"errorMessage": "signal: killed", "errorType": "Runtime.ExitError"},
        ),
        (
            FunctionError("Unhandled", "Function.ResponseSizeTooLarge", "too large"),
            {"errorMessage": "too large", "errorType": "Function.ResponseSizeTooLarge"},
        ),
    ],
)
def test_a_function_that_fails_is_no_failed_call(error, payload):
    # AWS: 200 with X-Amz-Function-Error, the error as payload.
    answer = World(error=error).invoke()

    assert (answer.status, answer.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert json.loads(answer.body) == payload


def test_no_place_to_run_is_a_throttled_call():
    # AWS: 429 TooManyRequestsException, with its reason.
    throttled = FunctionError("Throttled", "TooManyRequestsException", "Rate Exceeded.")

    assert World(error=throttled).refused() == (
        429,
        "TooManyRequestsException",
        {
            "Type": "User",
            "message": "Rate Exceeded.",
            "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        },
    )


@pytest.mark.parametrize(
    ("name", "qualifier", "arn"),
    [
        ("nobody", None, "arn:aws:lambda:us-east-1:000000000000:function:nobody"),
        ("loader:live", None, f"{ARN}:live"),
        ("loader", "7", f"{ARN}:7"),
    ],
)
def test_a_function_or_version_that_is_not_there_is_404(name, qualifier, arn):
    # AWS: 404 ResourceNotFoundException; its text is in `Message`, with a capital.
    assert World().refused(name, qualifier=qualifier) == (
        404,
        "ResourceNotFoundException",
        {"Type": "User", "Message": f"Function not found: {arn}"},
    )


def test_two_qualifiers_that_differ_are_a_mistake():
    assert World().refused("loader:$LATEST", qualifier="live")[:2] == (400, "InvalidParameterValueException")


def test_a_name_that_no_function_can_have_is_a_mistake():
    assert World().refused("lo ader")[:2] == (400, "ValidationException")


def test_an_invocation_type_that_is_none_is_a_mistake():
    assert World().refused(kind="Soon")[:2] == (400, "InvalidParameterValueException")


def test_a_body_that_is_not_json_is_a_mistake():
    assert World().refused(body=b"{")[:2] == (400, "InvalidRequestContentException")


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6 * MIB), ("Event", MIB)])
def test_a_payload_has_a_limit(kind, limit):
    # AWS: 6 MB in a synchronous call, 1 MB in an asynchronous one; 413 beyond.
    fitting, beyond = b'"' + b"x" * (limit - 2) + b'"', b'"' + b"x" * (limit - 1) + b'"'

    assert World().invoke(kind=kind, body=fitting).status in {200, 202}
    assert World().refused(kind=kind, body=beyond)[:2] == (413, "RequestTooLargeException")
