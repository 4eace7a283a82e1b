"""The folder of a stack that a user keeps running: who runs it, its environment, its log."""

import contextlib
import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from local_aws.services.errors import LocalServiceError


class StackFolder:
    """
    One folder, in which at most one stack runs.

    Whoever runs it holds a lock on the file that names its process, so a file that a killed stack left behind, or
    another process that got the same id since, misleads nobody.
    """

    def __init__(self, path: Path) -> None:
        """Use the folder at *path*, which need not be there yet."""
        self._path = path
        self.environment = path / "env"
        self.log = path / "stack.log"
        self.cache = path / "cache"
        self._pid = path / "pid"

    def make(self) -> None:
        """
        Make the folder if it is not there.

        Raises:
            OSError: It cannot be made.
        """
        self._path.mkdir(parents=True, exist_ok=True)

    @property
    def pid(self) -> int | None:
        """The id of the process that runs the stack of this folder, or None when none does."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self._pid.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or "0") or None
        return None

    def is_up_as(self, pid: int) -> bool:
        """Whether the process *pid* runs the stack of this folder, and it carries changes."""
        with contextlib.suppress(OSError):
            return self._pid.read_text() == str(pid) and self.environment.exists()
        return False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """
        Hold the folder for this process; the environment is gone afterwards.

        Raises:
            LocalServiceError: Another process holds it.
        """
        self.make()
        with self._pid.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LocalServiceError(
                    f"a stack is up in {self._path} already; end it, or name another folder"
                ) from error
            self.environment.unlink(missing_ok=True)  # of a stack that was killed
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                self.tidy()

    def tidy(self) -> None:
        """Remove what says that a stack is up."""
        self.environment.unlink(missing_ok=True)
        self._pid.unlink(missing_ok=True)

    def write_environment(self, environment: Mapping[str, str]) -> None:
        """Write *environment* as lines that a shell can read: whole or not at all, and for this user's eyes only."""
        partial = self.environment.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds a password
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
        partial.rename(self.environment)
