"""
Options as a Lambda event gives them, turned into the arguments that the command line parses.

So a command has one parser, one set of defaults and one set of checks, whichever way it is called.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from typer.core import TyperArgument

from ddb2aurora.errors import HaltError


class OptionsError(HaltError):
    """The options of an event are none of the command's."""


def arguments_from(options: Mapping[str, Any], *, command: Any) -> list[str]:  # noqa: ANN401 - see load_command
    """
    Return the arguments that give *command* these *options*, named as on the command line, with - or _.

    true gives a flag and false leaves it out or gives its `--no-` form, a list gives the option once a member, null
    leaves it out. What the command takes without a name is given by its name in the help.

    Raises:
        OptionsError: The command has no such option, or it takes no such value; the error lists those that it has.
    """
    places, names = _places_of(command)
    ahead: list[str] = []
    behind: list[str] = []
    for name, value in options.items():
        spelled = name.replace("_", "-")
        if spelled in names:
            yes, no, takes_value = names[spelled]
            ahead += _option(spelled, value, yes=yes, no=no, takes_value=takes_value)
        elif spelled in places:
            behind += [_text(spelled, member) for member in (value if isinstance(value, list) else [value])]
        else:
            known = ", ".join(sorted({*names, *places}))
            raise OptionsError(f"the command {command.name} has no option {name!r}; it has: {known}")
    return [*ahead, "--", *behind] if behind else ahead


def _places_of(command: Any) -> tuple[set[str], dict[str, tuple[str, str | None, bool]]]:  # noqa: ANN401 - as above
    places: set[str] = set()
    names: dict[str, tuple[str, str | None, bool]] = {}
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            places.add(str(parameter.name).replace("_", "-"))
            continue
        for option in parameter.opts:
            if option.startswith("--"):
                no = parameter.secondary_opts[0] if parameter.secondary_opts else None
                names[option.removeprefix("--")] = (option, no, not parameter.is_flag)
    # The output is always captured as JSON; the others end the process.
    return places, {name: found for name, found in names.items() if name not in ("json", "help")}


def _option(name: str, value: object, *, yes: str, no: str | None, takes_value: bool) -> Iterator[str]:
    if value is None:
        return
    if not takes_value:
        if not isinstance(value, bool):
            raise OptionsError(f"the option {name!r} is a flag: give it true or false")
        if value or no is not None:
            yield yes if value else str(no)
        return
    for member in value if isinstance(value, list) else [value]:
        # In one argument, so that a value which begins with a dash is not taken for an option.
        yield f"{yes}={_text(name, member)}"


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise OptionsError(f"the option {name!r} takes a text or a number, or a list of them")
    return str(value)
