"""What a stand-in calls: a Lambda function, however it is run."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class FunctionError:
    """
    How an invocation went wrong.

    *kind* is `Unhandled` (the handler raised, or its process died), `TimedOut`, `Throttled` (no free place to run) or
    `NotFound`. *error_type* and *message* are what the runtime reports.
    """

    kind: str
    error_type: str
    message: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """The answer to one synchronous invocation: a JSON *payload*, or an *error*."""

    request_id: str
    payload: Any = None
    error: FunctionError | None = None


class Function(Protocol):
    """A function that can be invoked; may be called from several threads at once."""

    @property
    def name(self) -> str:
        """The function's name."""
        ...

    @property
    def arn(self) -> str:
        """The function's ARN, with the version or alias that is invoked."""
        ...

    def invoke(self, event: Any) -> Invocation:  # noqa: ANN401 - any JSON value is an event
        """Run the function on *event* and wait for its answer. Never raises for what the function did."""
        ...
