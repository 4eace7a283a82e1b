"""Call the operator as a function, inside the network where the database is reached."""

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from deploy_aws.errors import DeploymentFailedError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_LONGEST_LOG: Final = 2000


class OperatorFailedError(DeploymentFailedError):
    """A command of the operator failed; *answer* is the text of its error."""

    def __init__(self, text: str, *, answer: str) -> None:
        """Say *text*, and keep the function's own *answer*."""
        super().__init__(text)
        self.answer = answer


def run_operator(
    functions: "LambdaClient", function: str, command: str, options: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """
    Run a *command* of the operator in *function* and return its output.

    Raises:
        OperatorFailedError: It failed, or did not end in time; the text has its error and the end of its log.
        ClientError: Lambda refuses to run it.
    """
    event = {"command": command, "options": dict(options or {})}
    answer = functions.invoke(FunctionName=function, Payload=json.dumps(event).encode(), LogType="Tail")
    body = answer["Payload"].read()
    if answer.get("FunctionError"):
        error = _error_text(body)
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")[-_LONGEST_LOG:].strip()
        raise OperatorFailedError(
            f"{command} failed in {function}: {error}" + (f"\n{log}" if log else ""), answer=error
        )
    try:
        output = json.loads(body)["output"]
    except (ValueError, KeyError, TypeError) as error:
        raise DeploymentFailedError(f"{function} answered {command} with something else than an output") from error
    return dict(output)


def _error_text(body: bytes) -> str:
    try:
        return str(json.loads(body)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")
