"""What our code uses of the context object that Lambda hands to a handler."""

from typing import Protocol


class LambdaContext(Protocol):
    """The part of Lambda's context that this project relies on."""

    @property
    def aws_request_id(self) -> str:
        """The id of this invocation."""
        ...

    @property
    def invoked_function_arn(self) -> str:
        """The ARN that was invoked; it holds region and account."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        ...
