"""The most memory that this process and all its children held at one moment."""

import contextlib
import threading
from types import TracebackType
from typing import Final, Self

import psutil

_LOOK_EVERY_SECONDS: Final = 0.25


class PeakMemory:
    """
    Watch memory from `with` to its end; *bytes_held* is the peak.

    It is the sum of the resident sets, in which pages that processes share count once for each of them: an upper bound.
    """

    def __init__(self) -> None:
        self.bytes_held = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stopping.wait(_LOOK_EVERY_SECONDS):
            held = 0
            for process in (me, *me.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    held += process.memory_info().rss
            self.bytes_held = max(self.bytes_held, held)
