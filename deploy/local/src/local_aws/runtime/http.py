"""A function in containers under the Lambda Runtime Interface Emulator."""

import http.client
import json
import queue
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from local_aws.functions import FunctionError, Invocation
from local_aws.runtime import answers

_PATH = "/2015-03-31/functions/function/invocations"
_MARGIN_SECONDS = 5.0
"""How much later than the emulator, which keeps the function's time limit itself, this side gives up."""


class HttpFunction:
    """
    Post events to one container, or to several replicas of it.

    The emulator dies of a second event while it works on one, so each address gets one at a time and a further
    invocation waits. May be called from several threads.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str | Sequence[str],
        timeout_seconds: float = 300,
        region: str = "us-east-1",
        account: str = "000000000000",
    ) -> None:
        self._name = name
        self._arn = f"arn:aws:lambda:{region}:{account}:function:{name}:$LATEST"
        self._timeout_seconds = timeout_seconds
        self._free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for address in [url] if isinstance(url, str) else url:
            self._free.put(address)

    @property
    def name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def arn(self) -> str:
        """The function's ARN, with its version."""
        return self._arn

    def invoke(self, event: Any) -> Invocation:  # noqa: ANN401 - any JSON value is an event
        """Run the function on *event* and wait for its answer. Never raises for what the function did."""
        request_id = str(uuid.uuid4())
        body = answers.encoded(event)
        if len(body) > answers.MAX_REQUEST_BYTES:
            return answers.failed(request_id, answers.too_large_request(len(body)))
        address = self._free.get()
        try:
            status, answer = self._post(address, body)
        except _NoContainerError as error:
            return answers.failed(request_id, answers.throttled(str(error)))
        except TimeoutError:
            return answers.failed(request_id, answers.timed_out(request_id, self._timeout_seconds))
        except (OSError, http.client.HTTPException) as error:
            text = f"RequestId: {request_id} Error: the connection broke ({type(error).__name__})"
            return answers.failed(request_id, FunctionError("Unhandled", "Runtime.ExitError", text))
        finally:
            self._free.put(address)
        return interpret(request_id, status, answer)

    def stop(self) -> None:
        """Do nothing: the containers belong to whoever started them."""

    def _post(self, address: str, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(
            parts.hostname or "localhost", parts.port or 80, timeout=self._timeout_seconds + _MARGIN_SECONDS
        )
        try:
            connection.connect()
        except OSError as error:
            # Not started yet, or gone: its name may be unknown, its address without a host, its port closed.
            why = f"the container {parts.netloc} does not accept connections ({type(error).__name__})"
            raise _NoContainerError(why) from error
        try:
            connection.request("POST", _PATH, body=body, headers={"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class _NoContainerError(Exception):
    """There is nothing to send an event to."""


def interpret(request_id: str, status: int, body: bytes) -> Invocation:
    """
    Return what an answer of the emulator means.

    The emulator answers 200 also when the handler raised or ran out of time: only the body tells.
    """
    text = body.decode("utf-8", "replace")
    if "Task timed out after" in text and not text.lstrip().startswith("{"):
        return answers.failed(request_id, FunctionError("TimedOut", "Sandbox.Timedout", text.strip()))
    error = _error_in(text)
    if error is not None:
        return answers.failed(request_id, error)
    if status != http.client.OK:
        return answers.failed(request_id, FunctionError("Unhandled", "Runtime.ExitError", text.strip()))
    return answers.answered(request_id, body)


def _error_in(text: str) -> FunctionError | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or not {"errorMessage", "errorType"} <= value.keys():
        return None
    kind = "TimedOut" if value["errorType"] == "Sandbox.Timedout" else "Unhandled"
    return FunctionError(kind, str(value["errorType"]), str(value["errorMessage"]))
