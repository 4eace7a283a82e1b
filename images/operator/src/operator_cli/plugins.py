"""
Commands that other installed packages add to `ddb2aurora`.

A package names a function with Typer options under the entry-point group `ddb2aurora.commands`. It is imported only
when its command is run, so it neither slows the start of the others nor breaks them.
"""

from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import typer

from ddb2aurora.errors import HaltError

GROUP: Final = "ddb2aurora.commands"


class PluginError(HaltError):
    """A command of another package cannot be imported."""


def add_plugins(cli: typer.Typer, *, own: Collection[str]) -> None:
    """Add the commands of all installed packages to *cli*, but none that has the name of one of its *own*."""
    for entry in sorted(entry_points(group=GROUP)):
        if entry.name not in own:
            _add(cli, entry)


def _add(cli: typer.Typer, entry: EntryPoint) -> None:
    package = entry.dist.name if entry.dist is not None else entry.module

    # The command's own parser, made when it is run, reads the arguments, --help among them.
    @cli.command(
        entry.name,
        help=f"A command of the package {package}; its --help says more.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    )
    def run(context: typer.Context) -> None:
        try:
            function = entry.load()
        except Exception as error:
            raise PluginError(
                f"the command {entry.name} cannot be imported ({type(error).__name__}: {error}); "
                f"install the package {package} again"
            ) from error
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(entry.name)(function)
        app(args=context.args, prog_name=context.command_path)
