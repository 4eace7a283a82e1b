"""Take an environment down: its data stays, with its whereabouts told, unless it is asked for too."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy_aws.aws import Clients
from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.inventory import Holding, holdings, left_behind
from deploy_aws.parameters import Environment
from deploy_aws.removal import Removal
from deploy_aws.screen import Screen
from deploy_aws.stacks import Stack, Stacks
from deploy_aws.waiting import Waiter


@dataclass(frozen=True, slots=True)
class Kept:
    """What is still there after an environment was taken down."""

    things: tuple[str, ...]
    bootstrap: str | None

    def as_json(self) -> Mapping[str, Any]:
        """Return it in values that JSON has."""
        return {"kept": list(self.things), "bootstrap_stack": self.bootstrap}


class Destruction:
    """Take one environment down."""

    def __init__(
        self,
        environment: Environment,
        clients: Clients,
        *,
        screen: Screen,
        waiter: Waiter,
        confirm: Callable[[str], bool],
    ) -> None:
        """Take *environment* down; *confirm* is asked with a word that has to be typed."""
        self._environment = environment
        self._clients = clients
        self._screen = screen
        self._confirm = confirm
        self._stacks = Stacks(clients.cloudformation, waiter=waiter, screen=screen)
        self._removal = Removal(clients, screen=screen, waiter=waiter)

    def run(self, *, data: bool, leave_failed: bool = False) -> Kept:
        """
        Delete the root stack; with *data* also what outlives it, and the bootstrap stack with the images.

        With *leave_failed* what CloudFormation cannot delete is left behind. Returns what is still there.

        Raises:
            DeploymentSettingsError: Nobody confirmed it.
            DeploymentFailedError: Something is still there that should not be; the same command goes on.
            ClientError: AWS refuses.
        """
        name, bootstrap_name = self._environment.stack, self._environment.bootstrap_stack
        root, bootstrap = self._stacks.find(name), self._stacks.find(bootstrap_name)
        held = holdings(self._clients.cloudformation, root.id) if root else ()
        before = self._left_behind(name)
        if root is None and not (data and (bootstrap or before)):
            self._screen.say(f"there is no stack {name}", kind="good")
            return self._kept(bootstrap)
        self._announce(held, before if data else (), data=data)
        if not self._confirm(name):
            raise DeploymentSettingsError("not confirmed: nothing was changed")
        if root is not None:
            self._delete_root(root, held, data=data, leave_failed=leave_failed)
        if data:
            self._remove_data(bootstrap)
            bootstrap = self._stacks.find(bootstrap_name)
        return self._kept(bootstrap)

    def _announce(self, held: tuple[Holding, ...], before: tuple[Holding, ...], *, data: bool) -> None:
        self._screen.say(f"{self._environment.stack}: {len(held)} resources are taken down", kind="title")
        staying = [*(holding for holding in held if holding.stays), *before]
        what = "and these, with ALL THEIR DATA, together with every image" if data else "these stay"
        if staying:
            self._screen.say(f"{what}:", kind="bad" if data else "note")
        for line in (line for holding in staying for line in self._lines(holding)):
            self._screen.say(f"  {line}")

    def _delete_root(self, root: Stack, held: tuple[Holding, ...], *, data: bool, leave_failed: bool) -> None:
        if root.protected:
            self._clients.cloudformation.update_termination_protection(
                StackName=root.id, EnableTerminationProtection=False
            )
            self._screen.say(f"  termination protection lifted: {root.name}", kind="warning")
        for holding in held:
            # What CloudFormation is going to delete itself, be it after a snapshot.
            if data or holding.on_delete in {"Delete", "Snapshot"}:
                self._removal.unprotect(holding)
        self._stacks.delete(root, force=leave_failed and root.status == "DELETE_FAILED")

    def _remove_data(self, bootstrap: Stack | None) -> None:
        client = self._clients.cloudformation
        for holding in self._left_behind(self._environment.stack):
            self._remove(holding)
        if bootstrap is not None:
            if bootstrap.protected:
                client.update_termination_protection(StackName=bootstrap.id, EnableTerminationProtection=False)
            self._stacks.delete(bootstrap)
        for holding in self._left_behind(self._environment.bootstrap_stack):
            self._remove(holding)

    def _remove(self, holding: Holding) -> None:
        if self._removal.can_remove(holding):
            self._removal.unprotect(holding)
            self._removal.remove(holding)
        else:
            self._screen.say(f"  {holding} is left: remove it by hand", kind="warning")

    def _kept(self, bootstrap: Stack | None) -> Kept:
        staying = self._left_behind(self._environment.stack)
        return Kept(
            things=tuple(line for holding in staying for line in self._lines(holding)),
            bootstrap=bootstrap.name if bootstrap else None,
        )

    def _lines(self, holding: Holding) -> Iterator[str]:
        snapshots = self._removal.snapshots(holding)
        if holding.on_delete != "Snapshot" or not snapshots:
            yield str(holding)
        yield from (f"snapshot {snapshot} of {holding.type} {holding.id}" for snapshot in snapshots)

    def _left_behind(self, name: str) -> tuple[Holding, ...]:
        # CloudFormation remembers what it left, not what became of it since.
        found = left_behind(self._clients.cloudformation, name)
        return tuple(holding for holding in found if self._removal.is_there(holding))
