"""
What Lambda answers to an Invoke, apart from running the function: names, limits, errors, and the shape of the answer.

AWS: a function error is no error of the call. It answers 200 with the header X-Amz-Function-Error and the error as its
payload; errors of the call (no such function, throttled, too large) have a status of their own.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from local_aws.functions import Function, FunctionError, Invocation

MAX_EVENT_BYTES: Final = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024, "DryRun": 6 * 1024 * 1024}
"""AWS: a synchronous invocation carries 6 MiB, an asynchronous one 1 MiB."""

_VERSION: Final = "$LATEST"
# AWS: a name, the account and the name, or a whole ARN, each with a version or an alias behind it if one is meant.
_NAME: Final = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)


@dataclass(frozen=True, slots=True)
class Served:
    """A function that can be invoked: in person, and by *later* for an event that nobody waits for."""

    function: Function
    later: Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class CallError(Exception):
    """Lambda refuses the call itself."""

    def __init__(self, status: int, code: str, message: str, **members: str) -> None:
        """Answer *status* with *code* and *message*, and what else the error's shape has."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.members = members

    def answer(self) -> Answer:
        """Return the answer; the model spells the text `Message` in one shape and `message` in the others."""
        text = "Message" if self.code == "ResourceNotFoundException" else "message"
        body = json.dumps({"Type": "User", text: str(self), **self.members}).encode()
        return Answer(self.status, {"x-amzn-ErrorType": self.code, "Content-Type": "application/json"}, body)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of Invoke that is in order."""

    served: Served
    kind: str
    event: Any

    def answer(self) -> Answer:
        """
        Run the function, or put the event into its queue, and return the answer.

        Raises:
            CallError: The function is throttled, or not there.
        """
        if self.kind == "DryRun":
            return Answer(204, {"X-Amz-Executed-Version": _VERSION})
        if self.kind == "Event":
            self.served.later(self.event)
            return Answer(202, {})
        return answer_of(self.served.function.invoke(self.event))


def parse_call(
    name: str, *, qualifier: str | None, kind: str | None, body: bytes, functions: Mapping[str, Served]
) -> Call:
    """
    Return the call of the function *name* (as it stands in the path), or of its version *qualifier*.

    Raises:
        CallError: It is refused.
    """
    match = _NAME.fullmatch(unquote(name))
    if match is None:
        raise CallError(400, "ValidationException", "the function name is none")
    named = match["qualifier"] or qualifier or _VERSION
    if match["qualifier"] and qualifier and match["qualifier"] != qualifier:
        raise CallError(400, "InvalidParameterValueException", "The derived qualifier from the function name differs.")
    served = functions.get(match["name"])
    if served is None or named != _VERSION:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{match['name']}"
        suffix = "" if named == _VERSION else f":{named}"
        raise CallError(404, "ResourceNotFoundException", f"Function not found: {arn}{suffix}")
    kind = kind or "RequestResponse"
    if kind not in MAX_EVENT_BYTES:
        raise CallError(400, "InvalidParameterValueException", f"{kind} is no invocation type")
    limit = MAX_EVENT_BYTES[kind]
    if len(body) > limit:
        text = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        raise CallError(413, "RequestTooLargeException", text)
    return Call(served, kind, _event_in(body))


def _event_in(body: bytes) -> Any:  # noqa: ANN401 - any JSON value is an event
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        text = f"Could not parse request body into json: {error}"
        raise CallError(400, "InvalidRequestContentException", text) from error


def answer_of(invocation: Invocation) -> Answer:
    """
    Return the answer to a synchronous call.

    Raises:
        CallError: The function is throttled, not there, or did not get the event.
    """
    error = invocation.error
    headers = {
        "x-amzn-RequestId": invocation.request_id,
        "X-Amz-Executed-Version": _VERSION,
        "Content-Type": "application/json",
    }
    if error is None:
        return Answer(200, headers, json.dumps(invocation.payload, separators=(",", ":")).encode())
    if error.kind == "Throttled":
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        raise CallError(429, "TooManyRequestsException", "Rate Exceeded.", Reason=reason)
    if error.kind == "NotFound":
        raise CallError(404, "ResourceNotFoundException", error.message)
    if error.error_type == "RequestTooLargeException":
        raise CallError(413, "RequestTooLargeException", error.message)
    # AWS: Unhandled whether the code raised, its process died or its time ran out; the payload tells them apart.
    return Answer(200, {**headers, "X-Amz-Function-Error": "Unhandled"}, _payload_of(error))


def _payload_of(error: FunctionError) -> bytes:
    payload: dict[str, Any] = {"errorMessage": error.message, "errorType": error.error_type}
    if error.error_type not in {"Sandbox.Timedout", "Runtime.ExitError", "Function.ResponseSizeTooLarge"}:
        payload["stackTrace"] = []
    return json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
