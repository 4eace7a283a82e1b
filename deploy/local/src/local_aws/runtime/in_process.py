"""A function inside the calling process, for tests of what calls functions."""

import time
import uuid
from typing import Any

from local_aws.functions import FunctionError, Invocation
from local_aws.runtime import answers
from local_aws.runtime.marshalling import Handler, call, context_of

_TIMEOUT_MS = 300_000


class CallableFunction:
    """Call *handler* directly; events and results still travel as JSON text, so nothing is shared by accident."""

    def __init__(self, *, name: str, handler: Handler) -> None:
        self._name = name
        self._handler = handler

    @property
    def name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def arn(self) -> str:
        """The function's ARN, with its version."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self._name}:$LATEST"

    def invoke(self, event: Any) -> Invocation:  # noqa: ANN401 - any JSON value is an event
        """Run the function on *event* and wait for its answer. Never raises for what the function did."""
        request_id = str(uuid.uuid4())
        body = answers.encoded(event)
        if len(body) > answers.MAX_REQUEST_BYTES:
            return answers.failed(request_id, answers.too_large_request(len(body)))
        deadline_ms = int(time.time() * 1000) + _TIMEOUT_MS
        context = context_of(request_id, arn=self.arn.removesuffix(":$LATEST"), deadline_ms=deadline_ms)
        result = call(self._handler, body, context)
        if isinstance(result, FunctionError):
            return answers.failed(request_id, result)
        return answers.answered(request_id, result)
