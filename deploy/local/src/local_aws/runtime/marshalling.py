"""Events in and results out, by the very code that Lambda's Python runtime uses."""

import traceback
from typing import Any, Protocol

from awslambdaric.lambda_context import LambdaContext  # type: ignore[import-untyped]  # the package carries no types
from awslambdaric.lambda_runtime_exception import FaultException  # type: ignore[import-untyped]  # as above
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller  # type: ignore[import-untyped]  # as above

from local_aws.functions import FunctionError


class Handler(Protocol):
    """What a function's code is, to the runtime."""

    def __call__(self, event: Any, context: Any, /) -> Any:  # noqa: ANN401 - any JSON value is an event or a result
        """Handle one event."""
        ...


def context_of(request_id: str, *, arn: str, deadline_ms: int) -> Any:  # noqa: ANN401 - the runtime's untyped class
    """Return the context object of one invocation; names and sizes come from the environment, as on Lambda."""
    return LambdaContext(request_id, None, None, deadline_ms, arn)


def call(handler: Handler, event: bytes, context: Any) -> bytes | FunctionError:  # noqa: ANN401 - as above
    """
    Run *handler* on the JSON text *event* and return its result as JSON text, or how it failed.

    A failure is also printed with its traceback, as the runtime does.
    """
    marshaller = LambdaMarshaller()
    try:
        result, _ = marshaller.marshal_response(handler(marshaller.unmarshal_request(event), context))
    except FaultException as fault:
        return reported(fault.exception_type, fault.msg)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is the answer of its invocation
        return reported(type(error).__name__, str(error), error)
    return result if isinstance(result, bytes) else str(result).encode("utf-8", "surrogatepass")


def reported(error_type: str, message: str, error: BaseException | None = None) -> FunctionError:
    """Print a failure to the log of the function, and return it."""
    trace = "".join(traceback.format_tb(error.__traceback__)) if error is not None else ""
    print(f"[ERROR] {error_type}: {message}\nTraceback (most recent call last):\n{trace}", end="", flush=True)  # noqa: T201 - the output of a function is its log
    return FunctionError("Unhandled", error_type, message)
