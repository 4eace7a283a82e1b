"""Progress of long work, on standard error; none where nobody watches, such as in Lambda."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def progress() -> "Progress":
    """Return a progress display to be used in a `with`; add a task with its total, None while it is not known."""
    from rich.console import Console  # noqa: PLC0415 - kept out of the start of commands that show none
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
