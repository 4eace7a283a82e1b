"""
Invoke the functions of a pipeline, and tell from the answer what became of the event.

AWS: a function that raised is no failed call. The call answers 200 with FunctionError set, and the payload says what
was raised; only a call that never reached the function raises in the SDK.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

from ddb2aurora.errors import RetryError
from operator_cli.aws import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# AWS: 429 when no place to run is free; the others are Lambda's own troubles, or a database's network not ready yet.
_PASSING: Final = frozenset(
    ("TooManyRequestsException", "ServiceException", "EC2ThrottledException", "ENINotReadyException")
)
_MOST_TRIES: Final = 8
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 20.0


class FunctionFailedError(RetryError):
    """
    A function ran and failed, or its process did.

    *error_type* is the name of what it raised, *reason* its text, without the wording around it.
    """

    def __init__(self, function: str, error_type: str, reason: str) -> None:
        """Say that *function* failed with *error_type* for a *reason*."""
        super().__init__(f"the function {function} failed with {error_type}: {reason}")
        self.error_type = error_type
        self.reason = reason


class Invoke(Protocol):
    """Run a function on an event and wait for it."""

    def __call__(self, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the function answers
        """
        Return the function's answer to *event*.

        Raises:
            FunctionFailedError: The function failed.
        """
        ...


class InvokedFunction:
    """A function of Lambda's, invoked and waited for; several threads may use it at once."""

    def __init__(self, client: "LambdaClient", *, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Invoke the function *name* (or its ARN) by *client*; *sleep* makes the pauses while it is throttled."""
        self._client = client
        self._name = name
        self._sleep = sleep

    def __call__(self, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the function answers
        """
        Run the function on *event*, again while Lambda has no place for it, and return its answer.

        Raises:
            FunctionFailedError: The function failed.
            AwsSetUpError: It cannot be invoked before someone acts: it is not there, or it is not allowed.
            AwsCallError: Lambda did not run it now, or the answer was lost.
        """
        body = json.dumps(event, ensure_ascii=False).encode()
        with aws_errors(where=f"function {self._name}"):
            answer = self._patiently(body)
            payload = answer["Payload"].read()
        try:
            value = json.loads(payload or b"null")
        except ValueError:
            value = None
        if "FunctionError" in answer:
            raise _failure(self._name, value)
        return value

    def _patiently(self, body: bytes) -> Any:  # noqa: ANN401 - the SDK's answer
        for attempt in range(1, _MOST_TRIES):
            try:
                return self._client.invoke(FunctionName=self._name, Payload=body)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _PASSING:
                    raise
            pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            self._sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads retries, keeps no secret
        return self._client.invoke(FunctionName=self._name, Payload=body)


def _failure(name: str, payload: object) -> FunctionFailedError:
    told = payload if isinstance(payload, dict) else {}
    return FunctionFailedError(
        name, str(told.get("errorType") or "an unknown error"), str(told.get("errorMessage") or "it said nothing")
    )
