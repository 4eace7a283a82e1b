"""
Faults of a database as its clients meet them: broken connections, refused statements, lost answers to a COMMIT.

A proxy is where they can be aimed: before the server hears a COMMIT, after it has committed, at a write.
"""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from typing import Final

from ddb2aurora.sql import LOADS_TABLE
from local_aws.aurora.errors import AuroraError
from local_aws.faults import Faults

_FIRST_VALUE: Final = re.compile(r"VALUES\s*\([^']*'(?:[^'\\]|\\.|'')*'", re.DOTALL | re.IGNORECASE)
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "COMMIT")
_ENDS: Final = ("COMMIT", "ROLLBACK")
_READ_ONLY_SECONDS: Final = 0.4
SLOW_SECONDS: Final = 0.6
# What a server says when it is asked to write after a failover made it a reader.
_READ_ONLY: Final = (
    1290,
    "The MySQL server is running with the --read-only option so it cannot execute this statement",
)
# InnoDB undoes the one statement that waited and leaves the transaction open; so does a refusal by the proxy.
_LOCK_TIMEOUT: Final = (1205, "Lock wait timeout exceeded; try restarting transaction")


class Blow(Enum):
    """What happens to a statement instead of its passing."""

    BREAK = "the connection breaks before the server hears the statement"
    SWALLOW_ANSWER = "the server executes the statement, and the connection breaks before the answer"
    SLOW = "the server executes the statement, and takes its time before it hears the next one"


class Scene:
    """What the sessions of one proxy share: the faults, a spell of being read-only, and who loads what."""

    def __init__(self, faults: Faults, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Inject *faults*."""
        self._faults = faults
        self._clock = clock
        self._read_only_until = 0.0
        self._loading: defaultdict[int, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def meet(self, session: int, sql: str) -> Blow | None:
        """
        Say what happens to *sql* of *session*; None: it passes.

        Raises:
            AuroraError: The server is to answer with this error instead.
        """
        faults = self._faults
        begins = sql.lstrip()[:8].upper()
        opens_entry = begins.startswith("INSERT") and LOADS_TABLE in sql
        self._note(session, _object_in(sql) if opens_entry else None, ends=sql.strip().upper() in _ENDS)
        if faults.strikes("database.drop_connection"):
            return Blow.BREAK
        if begins.startswith(_WRITES):
            if opens_entry and faults.strikes("database.read_only"):
                self._read_only_until = self._clock() + _READ_ONLY_SECONDS
            if self._clock() < self._read_only_until:
                raise AuroraError(*_READ_ONLY)
        if opens_entry and self._is_slow():
            return Blow.SLOW
        if begins.startswith("COMMIT"):
            if faults.strikes("database.lose_commit"):
                return Blow.BREAK
            return Blow.SWALLOW_ANSWER if faults.strikes("database.lose_commit_answer") else None
        if begins.startswith(_WRITES) and faults.strikes("database.lock_timeout"):
            raise AuroraError(*_LOCK_TIMEOUT)
        return None

    def leave(self, session: int) -> None:
        """Say that *session* has ended."""
        self._note(session, None, ends=True)

    def _is_slow(self) -> bool:
        if self._faults.strikes("database.slow"):
            return True
        # Whoever stays longer in a transaction is more likely to be met there.
        if self._faults.behind("loader.same_object"):
            self._faults.struck("database.slow")
            return True
        return False

    def _note(self, session: int, opened: str | None, *, ends: bool) -> None:
        """Keep who has opened which object's ledger entry, and count two of them at the same one."""
        with self._lock:
            if ends:
                self._loading.pop(session, None)
            if opened is None:
                return
            if any(opened in objects for other, objects in self._loading.items() if other != session):
                self._faults.struck("loader.same_object")
            self._loading[session].add(opened)


def _object_in(sql: str) -> str:
    """Return the identity of the object whose entry *sql* writes: the first value, which the driver puts in."""
    found = _FIRST_VALUE.search(sql)
    return found[0] if found else sql
