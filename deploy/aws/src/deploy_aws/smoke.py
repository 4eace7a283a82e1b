"""
The smoke test: one item goes all the way to its row, and its delete too.

The item of a pipeline is a file, `deploy/aws/smoke/<pipeline>.json`, in DynamoDB's JSON; `{run}` in it stands for a
number that no other run has. The item is put here, over DynamoDB's API; the row is in a network without a door, so the
operator is asked for it. A pipeline without such a file is tested by a heartbeat: a change that the operator sends
through all stages, and that lands beside the target.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deploy_aws.aws import Clients
from deploy_aws.errors import DeploymentFailedError, DeploymentSettingsError
from deploy_aws.functions import OperatorFailedError, run_operator
from deploy_aws.screen import Screen
from deploy_aws.templates import FOLDER
from deploy_aws.waiting import WaitedTooLongError, Waiter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SMOKE_FOLDER: Final = FOLDER / "smoke"
_RUN: Final = "{run}"
_KEY_TYPES: Final = ("S", "N", "B")
# Lambda ends a function after 15 minutes.
_LONGEST_WAIT_SECONDS: Final = 840
# A network may forget a connection on which nothing has come for six minutes.
_LONGEST_QUESTION_SECONDS: Final = 240


class SmokeError(DeploymentFailedError):
    """A change did not arrive."""


@dataclass(frozen=True, slots=True)
class SmokeTarget:
    """What the smoke test works on."""

    table: str
    key: Sequence[str]
    function: str


def read_smoke_item(pipeline: str, *, run: int, folder: Path = SMOKE_FOLDER) -> Mapping[str, Any] | None:
    """
    Return the item of *pipeline* for this *run*, in DynamoDB's JSON; None where there is no file.

    Raises:
        DeploymentSettingsError: The file holds no item.
    """
    file = folder / f"{pipeline}.json"
    if not file.is_file():
        return None
    try:
        item = json.loads(file.read_text(encoding="utf-8").replace(_RUN, str(run)))
    except ValueError as error:
        raise DeploymentSettingsError(f"{file} is no item: {error}") from error
    if not isinstance(item, dict) or not all(isinstance(value, dict) and len(value) == 1 for value in item.values()):
        raise DeploymentSettingsError(f'{file} is no item: its form is {{"id": {{"S": "smoke-{_RUN}"}}, …}}')
    return item


class Smoke:
    """Run the smoke test, tell *screen* how it goes."""

    def __init__(self, clients: Clients, *, screen: Screen, waiter: Waiter, seconds: float = 600) -> None:
        """Give each of the ways, there and back, *seconds*."""
        self._clients = clients
        self._screen = screen
        self._waiter = waiter
        self._seconds = seconds

    def put_and_delete(self, target: SmokeTarget, item: Mapping[str, Any]) -> None:
        """
        Put *item*, wait for its row, delete it, wait until the row is gone.

        The item is deleted whatever happens.

        Raises:
            SmokeError: The row did not come, or did not go, in time; the text says where the change is stuck.
            DeploymentSettingsError: The item lacks a key attribute.
            ClientError: The table or the function refuses.
        """
        key = _key_of(item, target.key)
        table: DynamoDBClient = self._clients.dynamodb
        options = {"key": [f"{name}={next(iter(value.values()))}" for name, value in key.items()]}
        hint = f"the smoke item in {target.table} is left there if this is cut short; delete it, or let it be replaced"
        with self._screen.doing("smoke test: one item on its way into the database", meanwhile=hint):
            table.put_item(TableName=target.table, Item=dict(item))
            try:
                self._await(target.function, options, there=True)
            finally:
                table.delete_item(TableName=target.table, Key=dict(key))
        with self._screen.doing("smoke test: its delete on the way"):
            self._await(target.function, options, there=False)

    def heartbeat(self, function: str) -> None:
        """
        Send a heartbeat and wait until it has landed.

        Raises:
            SmokeError: It did not land in time.
            ClientError: The function refuses.
        """
        with self._screen.doing("smoke test: a heartbeat on its way through all stages"):
            run_operator(
                self._clients.functions, function, "heartbeat", {"wait": min(int(self._seconds), _LONGEST_WAIT_SECONDS)}
            )

    def _await(self, function: str, options: Mapping[str, Any], *, there: bool) -> None:
        seconds = max(1, min(round(self._seconds), _LONGEST_QUESTION_SECONDS))
        asked = {**options, "history": False, "wait": f"{seconds}s"}

        def agreed() -> bool | None:
            found = self._difference(function, asked)
            self._screen.now(f"so far: {found.get('verdict')}")
            return True if found.get("verdict") == "equal" and found.get("item_exists") is there else None

        try:
            self._waiter.until(agreed, seconds=self._seconds, what="the smoke test")
        except WaitedTooLongError:
            found = self._difference(function, options)
            raise SmokeError(
                f"the row of the smoke item has not {'come' if there else 'gone'} in {self._seconds / 60:g} minutes: "
                f"{found.get('verdict')}, {found.get('explanation')}; docs/runbook.md says what to look at"
            ) from None

    def _difference(self, function: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return run_operator(self._clients.functions, function, "diff-item", options)
        except OperatorFailedError as error:
            # A difference ends with this status, and the answer has what was found. Any other error is one.
            _, marked, output = error.answer.partition("diff-item ended with status 1: ")
            if not marked:
                raise
            return dict(json.loads(output))


def _key_of(item: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    missing = [name for name in names if name not in item or next(iter(item[name])) not in _KEY_TYPES]
    if missing:
        raise DeploymentSettingsError(f"the smoke item lacks its key: {', '.join(missing)}")
    return {name: item[name] for name in names}
