"""
The switch: loaders are held off for a moment, the shadow takes in what they did last, and the tables change names.

See docs/decisions/rebuild.md for why nothing is lost, whatever a loader is doing at that moment.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pymysql

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.errors import Verdict, verdict_on
from ddb2aurora.database.schema import Tables
from ddb2aurora.errors import RetryError
from operator_cli.rebuilding.shadow import rename_statement

# Loaders wait for 10 s before they begin again; a RENAME that waits makes every new reader of the table wait.
_LOCK_WAIT_SECONDS: Final = 3
_MOST_TRIES: Final = 10
_PAUSE_SECONDS: Final = 2.0


class TargetBusyError(RetryError):
    """The target is in use for so long that it cannot be renamed now."""


def switch(
    fence: DatabaseConnection,
    renaming: DatabaseConnection,
    live: Tables,
    *,
    shadow: Tables,
    old: Tables,
    catch_up: Callable[[], bool],
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """
    Hold loaders off by *fence*, *catch_up* with what they did, and rename over *renaming*; return whether it was done.

    It is not done when *catch_up* says that the shadow lacks something. Each try lets the loaders go on in between.

    Raises:
        TargetBusyError: Loads, or readers of the target, did not end in any try.
        pymysql.err.Error: The database refused it.
    """
    renaming.run(f"SET SESSION lock_wait_timeout = {_LOCK_WAIT_SECONDS}")
    fence.run(f"SET SESSION innodb_lock_wait_timeout = {_LOCK_WAIT_SECONDS}")
    for attempt in range(_MOST_TRIES):
        if attempt:
            pause(_PAUSE_SECONDS)
        try:
            with _held_off(fence, live):
                if not catch_up():
                    return False
                renaming.run(rename_statement(live, shadow=shadow, old=old))
                return True
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.RETRY:
                raise
            failure = error
    raise TargetBusyError(
        f"{live.target.name} was in use each time it was to be renamed; find the transaction that does not end in "
        "information_schema.INNODB_TRX, end it, and run ddb2aurora rebuild again: it goes on from here"
    ) from failure


@contextmanager
def _held_off(fence: DatabaseConnection, live: Tables) -> Iterator[None]:
    """Keep every loader from the target: each holds this row shared from its beginning to its end."""
    if not live.remembers_deletes:
        # An event log has no such row; see the decision for what takes its place.
        yield
        return
    fence.run("START TRANSACTION")
    try:
        fence.rows(
            f"SELECT horizon_ms FROM {as_template(live.horizons.quoted)} WHERE target_table = %s FOR UPDATE",
            (live.target.name,),
        )
        yield
    finally:
        with contextlib.suppress(pymysql.err.Error, OSError):  # the lock ends with the connection at the latest
            fence.run("ROLLBACK")
