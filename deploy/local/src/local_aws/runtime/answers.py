"""What Lambda itself says about an invocation, apart from the function's own words."""

import json
from typing import Any

from local_aws.functions import FunctionError, Invocation

MAX_REQUEST_BYTES = 6 * 1024 * 1024
"""Lambda accepts 6 MiB in a synchronous invocation."""

MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
"""Lambda accepts 6 MiB and 100 bytes in an answer."""


def encoded(event: Any) -> bytes:  # noqa: ANN401 - any JSON value is an event
    """Return *event* as the JSON text that is sent to a function."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def answered(request_id: str, body: bytes) -> Invocation:
    """Return the invocation whose answer is the JSON text *body*, unless Lambda would not pass it on."""
    if len(body) > MAX_RESPONSE_BYTES:
        return failed(request_id, too_large_response(len(body)))
    try:
        return Invocation(request_id, payload=json.loads(body))
    except ValueError as error:
        return failed(request_id, FunctionError("Unhandled", "InvalidResponse", f"the answer is not JSON: {error}"))


def failed(request_id: str, error: FunctionError) -> Invocation:
    """Return the invocation that ended with *error*."""
    return Invocation(request_id, error=error)


def timed_out(request_id: str, timeout_seconds: float) -> FunctionError:
    """Return what Lambda says of a function that took too long."""
    text = f"RequestId: {request_id} Error: Task timed out after {timeout_seconds:.2f} seconds"
    return FunctionError("TimedOut", "Sandbox.Timedout", text)


def process_ended(request_id: str, status: int) -> FunctionError:
    """Return what Lambda says of a function whose process ended with *status* (negative: by that signal)."""
    how = f"exit status {status}" if status >= 0 else {-9: "signal: killed"}.get(status, f"signal: {-status}")
    text = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
    return FunctionError("Unhandled", "Runtime.ExitError", text)


def too_large_request(size_bytes: int) -> FunctionError:
    """Return what Lambda says of an event that is too large to be taken."""
    text = f"{size_bytes} bytes are more than the {MAX_REQUEST_BYTES} that a RequestResponse invocation may carry"
    return FunctionError("Unhandled", "RequestTooLargeException", text)


def too_large_response(size_bytes: int) -> FunctionError:
    """Return what Lambda says of an answer that is too large to be passed on."""
    limit = f"exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    text = f"Response payload size ({size_bytes} bytes) {limit}"
    return FunctionError("Unhandled", "Function.ResponseSizeTooLarge", text)


def throttled(message: str) -> FunctionError:
    """Return what Lambda says when no place to run is free."""
    return FunctionError("Throttled", "TooManyRequestsException", message)
