import pytest

from local_aws.functions import FunctionError
from local_aws.runtime.in_process import CallableFunction


def test_events_and_results_are_copies_as_after_a_journey_as_json():
    seen = []

    def handler(event, _context):
        seen.append(event)
        return event

    event = {"list": [1, {"a": "é"}]}

    payload = CallableFunction(name="sample", handler=handler).invoke(event).payload

    assert payload == event == seen[0]
    assert payload is not event
    assert payload["list"] is not seen[0]["list"]


def test_an_exception_is_an_unhandled_error():
    def handler(_event, _context):
        raise KeyError("missing")

    error = CallableFunction(name="sample", handler=handler).invoke({}).error

    assert error == FunctionError("Unhandled", "KeyError", "'missing'")


def test_a_result_that_is_not_json_is_an_error():
    error = CallableFunction(name="sample", handler=lambda _event, _context: b"\xff").invoke({}).error

    assert error is not None
    assert error.error_type == "InvalidResponse"


@pytest.mark.parametrize("name", ["one", "two"])
def test_the_arn_names_the_function_and_its_version(name):
    function = CallableFunction(name=name, handler=lambda event, _context: event)

    assert function.arn == f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"
