"""
Who may work on a target: one at a time for each kind of work, by a named lock of the server.

The lock ends with its connection, however that ends, so one that was killed keeps nobody out for long.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.errors import RetryError


@dataclass(frozen=True, slots=True)
class Work:
    """
    A kind of work that is done by one at a time: "repair".

    *participle* says what is done to a target ("repaired"); *error* is raised where somebody else does it.
    """

    name: str
    participle: str
    error: type[RetryError]


def take_turn(connection: DatabaseConnection, work: Work, *, target: str, wait_seconds: int = 0) -> None:
    """
    Be the only one who does *work* on *target* from here on, until *connection* ends; see `alone`.

    Somebody else who does it is waited for *wait_seconds*.

    Raises:
        RetryError: The error of *work*: somebody else does it still.
        pymysql.err.Error: The database did not answer.
    """
    ((got,),) = connection.rows("SELECT GET_LOCK(%s, %s)", (_name(work, target), wait_seconds))
    if got != 1:
        raise work.error(f"{target} is being {work.participle} by somebody else; wait until that ends")


@contextmanager
def alone(connection: DatabaseConnection, work: Work, *, target: str) -> Iterator[None]:
    """
    Be the only one who does *work* on *target* while the block lasts.

    If *connection* is lost, so is the right to go on.

    Raises:
        RetryError: The error of *work*: somebody else does it.
        pymysql.err.Error: The database did not answer.
    """
    take_turn(connection, work, target=target)
    try:
        yield
    finally:
        # With a connection that is closed the lock is gone already.
        if connection.open:
            connection.rows("SELECT RELEASE_LOCK(%s)", (_name(work, target),))


def _name(work: Work, target: str) -> str:
    # MySQL: names of locks have at most 64 characters.
    return f"ddb2aurora.{work.name}.{hashlib.sha256(target.encode()).hexdigest()[:32]}"
