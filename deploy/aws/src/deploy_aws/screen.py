"""What whoever deploys sees while it goes on: on standard error, with colours and a clock where there is a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, RenderableType
from rich.markup import escape

if TYPE_CHECKING:
    from rich.status import Status

_STYLES: Final = {"note": "", "good": "green", "warning": "bold yellow", "bad": "bold red", "title": "bold"}


class Screen:
    """Lines, and what is being done; *left_running* says after Ctrl-C what goes on without us."""

    def __init__(self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Write to *console*, by default standard error."""
        self._console = console or Console(stderr=True, highlight=False)
        self._clock = clock
        self._status: Status | None = None
        self.left_running: str | None = None

    def say(self, line: str, *, kind: str = "note") -> None:
        """Print a line of a *kind*: note, good, warning, bad or title."""
        # A pipe has no width: a line stays a line, so that it can be searched for.
        self._console.print(escape(line), style=_STYLES[kind], soft_wrap=True)

    def show(self, renderable: RenderableType) -> None:
        """Print something with a shape, such as a table."""
        self._console.print(renderable)

    @contextmanager
    def doing(self, what: str, *, meanwhile: str | None = None) -> Iterator[None]:
        """
        Show that *what* is being done for as long as the block lasts.

        *meanwhile* says what AWS goes on with if the block is interrupted; None if nothing does.

        Raises:
            KeyboardInterrupt: Whoever watches pressed Ctrl-C; *left_running* is set by then.
        """
        began = self._clock()
        self.say(what, kind="title")
        try:
            if self._console.is_terminal:
                with self._console.status(escape(what)) as self._status:
                    yield
            else:
                yield
        except KeyboardInterrupt:
            self.left_running = self.left_running or meanwhile
            raise
        finally:
            self._status = None
        self.say(f"  done in {self._clock() - began:.0f} s")

    def now(self, text: str) -> None:
        """Show *text* beside what is being done, where there is a terminal."""
        if self._status is not None:
            self._status.update(escape(text))
