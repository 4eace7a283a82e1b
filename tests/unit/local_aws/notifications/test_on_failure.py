import uuid

from local_aws.functions import FunctionError, Invocation
from local_aws.notifications.delivery import QueuedEvent
from local_aws.notifications.on_failure import FailedEvent, key_of, record_of

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:loader:$LATEST"
BROKEN = Invocation("9f0d", error=FunctionError("Unhandled", "ValueError", "boom"))


def a_failure(**values):
    event = {"event": {"Records": [{"s3": {}}]}, "queued_at": 0.0, "due": 0.0, "condition": "RetriesExhausted"}
    return FailedEvent(
        event=QueuedEvent(**{**event, "invocations": 3, "last": BROKEN, **values}),
        function_name="loader",
        function_arn=FUNCTION,
        at=1795516200.0,
    )


def test_the_record_holds_the_event_and_the_last_answer():
    assert record_of(a_failure()) == {
        "version": "1.0",
        "timestamp": "2026-11-24T10:30:00.000Z",
        "requestContext": {
            "requestId": "9f0d",
            "functionArn": FUNCTION,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"Records": [{"s3": {}}]},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "boom", "errorType": "ValueError", "stackTrace": []},
    }


def test_an_event_that_never_ran_has_no_answer():
    record = record_of(a_failure(last=None, invocations=0, condition="EventAgeExceeded"))

    assert record.keys() == {"version", "timestamp", "requestContext", "requestPayload"}


def test_the_s3_key_names_function_day_and_moment():
    object_id = uuid.UUID(int=1)

    key = key_of(a_failure(), object_id=object_id)

    assert key == f"aws/lambda/async/loader/2026/11/24/2026-11-24T10.30.00-{object_id}"
