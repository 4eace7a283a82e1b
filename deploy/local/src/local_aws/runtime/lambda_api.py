"""A function behind the Lambda API, as whoever invokes on behalf of a service calls it."""

import json
from typing import TYPE_CHECKING, Any

import botocore.exceptions

from local_aws.functions import FunctionError, Invocation
from local_aws.runtime import answers

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaApiFunction:
    """Invoke one function through *client*, whose retries are its own; may be called from several threads."""

    def __init__(self, client: "LambdaClient", *, arn: str) -> None:
        self._client = client
        self._arn = arn

    @property
    def name(self) -> str:
        """The function's name."""
        return self._arn.split(":function:")[1].split(":")[0]

    @property
    def arn(self) -> str:
        """The function's ARN, with its version."""
        return self._arn

    def invoke(self, event: Any) -> Invocation:  # noqa: ANN401 - any JSON value is an event
        """Run the function on *event* and wait for its answer. Never raises for what the function did."""
        try:
            response = self._client.invoke(FunctionName=self._arn, Payload=answers.encoded(event))
            body = response["Payload"].read()
        except botocore.exceptions.ClientError as error:
            return answers.failed(_request_id(error.response), _refusal(error))
        except botocore.exceptions.BotoCoreError as error:
            text = f"the call broke ({type(error).__name__})"
            return answers.failed("", FunctionError("Unhandled", "Runtime.ExitError", text))
        request_id = _request_id(response)
        if not response.get("FunctionError"):
            return answers.answered(request_id, body)
        return answers.failed(request_id, _function_error(body))


def _request_id(response: Any) -> str:  # noqa: ANN401 - each call has a type of its own
    return str(response.get("ResponseMetadata", {}).get("RequestId", ""))


def _refusal(error: botocore.exceptions.ClientError) -> FunctionError:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code == "TooManyRequestsException":
        return answers.throttled(message)
    kind = "NotFound" if code == "ResourceNotFoundException" else "Unhandled"
    return FunctionError(kind, code, message)


def _function_error(body: bytes) -> FunctionError:
    try:
        document = json.loads(body)
        error_type, message = str(document["errorType"]), str(document["errorMessage"])
    except (ValueError, KeyError, TypeError):
        error_type, message = "Unknown", body.decode("utf-8", "replace")
    kind = "TimedOut" if error_type == "Sandbox.Timedout" or "Task timed out after" in message else "Unhandled"
    return FunctionError(kind, error_type, message)
