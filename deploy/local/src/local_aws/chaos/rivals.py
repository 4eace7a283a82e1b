"""
Attacks on the running database server: killed connections, locks that loaders wait for, deadlocks, restarts, crashes.

Each is brought about whenever its fault is behind its pace, and counted only when it hit a loader.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import pymysql

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name
from local_aws.faults import Faults
from local_aws.services.database import DatabaseServer
from local_aws.services.errors import LocalServiceError

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

_LOG = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 3.0
# InnoDB shows what it found last to whoever asks again within 0.1 s.
_LOOK_EVERY_SECONDS: Final = 0.11
_HOLD_SECONDS: Final = 0.3
# Few enough that a loader usually holds another hot row before it comes to one of these.
_HELD_ROWS: Final = 10
_DEADLOCK: Final = 1213
_SCRATCH: Final = quote_name("ddb2aurora_chaos")


class Rivals:
    """Attack *database* in threads of their own, from `with` to its end; the server runs afterwards."""

    def __init__(
        self, database: DatabaseServer, pipeline: Pipeline, faults: Faults, *, hot_keys: Sequence[tuple[str, ...]]
    ) -> None:
        """Fight over the rows of *hot_keys* in the target of *pipeline*."""
        self._database = database
        self._name = pipeline.target_database
        self._target = quote_name(pipeline.target_database, pipeline.target_table)
        self._where = " AND ".join(f"{quote_name(column.name)} = %s" for column in pipeline.key_columns)
        self._hot_keys = tuple(hot_keys)
        self._faults = faults
        self._stopping = threading.Event()
        self._failure: LocalServiceError | None = None
        attacks: tuple[Mapping[str, Callable[[], None]], ...] = (
            {"database.restart": self._restart, "database.crash": self._crash},
            {"database.kill_connection": self._kill_connection, "database.lock_wait": self._lock_wait},
            {"database.deadlock": self._deadlock},
        )
        self._threads = [
            threading.Thread(target=self._attack, args=(some,), name="chaos rival", daemon=True) for some in attacks
        ]

    def __enter__(self) -> Self:
        """Begin to attack."""
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {_SCRATCH}")
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {_SCRATCH}.weight (n INT) ENGINE = MEMORY")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """
        End the attacks, and wait for those that run.

        Raises:
            LocalServiceError: The server did not come back from one of them.
        """
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _attack(self, attacks: Mapping[str, Callable[[], None]]) -> None:
        while not self._stopping.wait(_PAUSE_SECONDS):
            due = [name for name in attacks if self._faults.behind(name)]
            if due:
                name = self._faults.choice(due)
                try:
                    attacks[name]()
                except (pymysql.err.Error, OSError) as error:
                    # Another thread may have the server down at this moment.
                    _LOG.info("attack broke off", extra={"fault": name, "error": repr(error)})
                except LocalServiceError as error:
                    self._failure = error
                    return

    def _restart(self) -> None:
        self._database.restart()
        self._faults.struck("database.restart")

    def _crash(self) -> None:
        self._database.kill()
        self._database.start()
        self._faults.struck("database.crash")

    def _kill_connection(self) -> None:
        """Kill a loader at work, or else one that rests between two loads."""
        with self._connected() as connection, connection.cursor() as cursor:
            for _ in self._moments():
                # The loader has selected the target's database; whoever only looks has not.
                cursor.execute(
                    "SELECT ID, COMMAND FROM information_schema.PROCESSLIST WHERE DB = %s AND ID <> CONNECTION_ID()",
                    (self._name,),
                )
                loaders = cursor.fetchall()
                busy = [number for number, command in loaders if command == "Query"]
                if busy:
                    break
            victims = busy or [number for number, _ in loaders]
            if victims:
                cursor.execute("KILL %s", (self._faults.choice(victims),))
                self._faults.struck("database.kill_connection")

    def _lock_wait(self) -> None:
        """Hold some hot rows until a loader waits for one, and some time longer."""
        with self._rival() as cursor:
            if self._lock(cursor, self._mixed_keys()[:_HELD_ROWS]) and self._someone_waits():
                self._faults.struck("database.lock_wait")
                self._stopping.wait(_HOLD_SECONDS)

    def _deadlock(self) -> None:
        """Hold some hot rows until a loader waits for one, then want the others, of which the loader holds some."""
        keys = self._mixed_keys()
        before = self._deadlocks()
        lost = 0
        with self._rival() as cursor:
            # The server ends the transaction that has changed less. One that has changed a table without
            # transactions always counts as the heavier, so it is the loader that has to survive.
            cursor.execute(f"INSERT INTO {_SCRATCH}.weight VALUES (1)")  # noqa: S608 - a name of ours
            if not self._lock(cursor, keys[:_HELD_ROWS]) or not self._someone_waits():
                return
            try:
                self._lock(cursor, keys[_HELD_ROWS:])
            except pymysql.err.OperationalError as error:
                if error.args[0] != _DEADLOCK:
                    raise
                lost = 1
        if self._deadlocks() - before - lost > 0:
            self._faults.struck("database.deadlock")

    def _mixed_keys(self) -> list[tuple[str, ...]]:
        keys = list(self._hot_keys)
        self._faults.shuffle(keys)
        return keys

    def _lock(self, cursor: "Cursor", keys: Sequence[tuple[str, ...]]) -> int:
        """Lock the rows of *keys*, one after the other, and return how many there are."""
        statement = f"SELECT 1 FROM {self._target} WHERE {self._where} FOR UPDATE"  # noqa: S608 - quoted
        return sum(cursor.execute(statement, key) for key in keys)

    def _someone_waits(self) -> bool:
        with self._connected() as connection, connection.cursor() as cursor:
            for _ in self._moments():
                cursor.execute("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'")
                if (cursor.fetchone() or (0,))[0]:
                    return True
        return False

    def _deadlocks(self) -> int:
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT `COUNT` FROM information_schema.INNODB_METRICS WHERE `NAME` = 'lock_deadlocks'")
            return int((cursor.fetchone() or (0,))[0])

    def _moments(self) -> Iterator[None]:
        """Yield now and again until patience is over."""
        for _ in range(round(_PATIENCE_SECONDS / _LOOK_EVERY_SECONDS)):
            yield
            if self._stopping.wait(_LOOK_EVERY_SECONDS):
                return

    @contextlib.contextmanager
    def _rival(self) -> Iterator["Cursor"]:
        """Give a session in a transaction, which is rolled back in the end."""
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 5")
            # Without gap locks: a row that is not there is nobody's.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("START TRANSACTION")
            yield cursor

    @contextlib.contextmanager
    def _connected(self) -> Iterator["Connection[Any]"]:
        connection = self._database.connect(autocommit=True)
        try:
            yield connection
        finally:
            with contextlib.suppress(pymysql.err.Error, OSError):
                connection.close()
