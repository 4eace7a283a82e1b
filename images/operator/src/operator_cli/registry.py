"""
The operator's own commands by name, each in a module that is imported when the command is run and not before.

One command's drivers then cost the others nothing: neither on the command line nor when Lambda starts a function.
"""

import importlib
from collections.abc import Mapping
from typing import Any, Final

import typer
from typer.core import TyperGroup

from operator_cli.frame import framed

# In the order in which --help lists them: the name, and the function in its module, which returns a Result.
COMMANDS: Final[Mapping[str, str]] = {
    "plan": "operator_cli.commands.plan:plan",
    "migrate": "operator_cli.commands.migrate:migrate",
    "seed": "operator_cli.commands.seed:seed",
    "backfill": "operator_cli.commands.backfill:backfill",
    "verify": "operator_cli.commands.verify:verify",
    "diff-item": "operator_cli.commands.diff_item:diff_item",
    "redrive": "operator_cli.commands.redrive:redrive",
    "rebuild": "operator_cli.commands.rebuild:rebuild",
    "status": "operator_cli.commands.status:status",
    "heartbeat": "operator_cli.commands.heartbeat:heartbeat",
    "sweep": "operator_cli.commands.sweep:sweep",
    "purge": "operator_cli.commands.purge:purge",
}


def load_command(name: str) -> Any:  # noqa: ANN401 - Typer's command, a class of its own copy of Click
    """Return the command *name*, which is one of `COMMANDS`, ready to parse arguments."""
    module, _, name_there = COMMANDS[name].partition(":")
    function = getattr(importlib.import_module(module), name_there)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name, help=_flowing(function.__doc__ or ""))(framed(function))
    return typer.main.get_command(app)


def _flowing(text: str) -> str:
    """Return *text* with a line for each paragraph: Typer would break the lines of a terminal and ours as well."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


class CommandGroup(TyperGroup):
    """The command line: the operator's own commands, then those that were added to it."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - Typer's own copy of Click's context
        """Return the names of all commands, in the order of the help."""
        return [*COMMANDS, *(name for name in super().list_commands(ctx) if name not in COMMANDS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - as above
        """Return a command; one of ours is imported now."""
        if cmd_name in COMMANDS:
            return load_command(cmd_name)
        return super().get_command(ctx, cmd_name)
