"""
Forget deletes that are so old that nothing older than them will be loaded any more; the horizon makes that true.

The order is the proof: first the horizon is raised and committed, then tombstones go. See `database.horizon`.

Times are compared, not versions, whose time is that of the stream. Of a change and a later one of the same item,
DynamoDB's times do not fall, but they are approximate: whole seconds, rounded down. So a tombstone goes only when its
delete happened, and was loaded, a minute before the horizon; whatever that delete beats is then older than the horizon.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

import pymysql

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.errors import Verdict, as_our_error, verdict_on
from ddb2aurora.database.horizon import raise_horizon
from ddb2aurora.database.schema import Tables, tables_of
from ddb2aurora.database.server import Server
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, DELETED_AT_COLUMN, SOFT_CHANGED_AT_COLUMN, quote_name

_T = TypeVar("_T")

SLACK_MS: Final = 60_000
_BATCH_ROWS: Final = 1000
_MAX_TRIES: Final = 5
# Loaders that come while this waits for those before them wait as well, and 10 s at most.
_LOCK_WAIT_SECONDS: Final = 3
_DELETED_AT = quote_name(DELETED_AT_COLUMN)
_CHANGED_AT = quote_name(CHANGED_AT_COLUMN)
_SOFT_CHANGED_AT = quote_name(SOFT_CHANGED_AT_COLUMN)


class NothingToPurgeError(HaltError):
    """The pipeline's target remembers no deletes."""


class Purged(NamedTuple):
    """How many *tombstones* went, and the *horizon_ms* of the target (ms since 1970) from now on."""

    tombstones: int
    horizon_ms: int


def purge(
    connection: DatabaseConnection, pipeline: Pipeline, *, server: Server, database: str, older_than_ms: int
) -> Purged:
    """
    Forget the deletes of *pipeline*'s target that are older than *older_than_ms*; no older change is loaded any more.

    Raises:
        NothingToPurgeError: The target is an event log.
        HorizonMissingError: The target was not migrated.
        DatabaseHaltError: The server refuses, for want of a privilege for instance.
        DatabaseRetryError: The server cannot do it now; what was done stays done, and it may be begun again.
    """
    if pipeline.mode == "append":
        raise NothingToPurgeError(f"pipeline {pipeline.name} writes an event log, which remembers no deletes apart")
    tables = tables_of(pipeline, database=database, key_collation=server.key_collation)
    try:
        connection.run(f"SET SESSION innodb_lock_wait_timeout = {_LOCK_WAIT_SECONDS}")
        ((now_ms,),) = connection.rows(
            "SELECT TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', UTC_TIMESTAMP(6)) DIV 1000"
        )
        cutoff_ms = max(0, int(now_ms) - older_than_ms)
        horizon_ms = _patiently(lambda: raise_horizon(connection, tables, horizon_ms=cutoff_ms))
        gone = 0
        while batch := _patiently(lambda: _forget_some(connection, tables, before_ms=cutoff_ms - SLACK_MS)):
            gone += batch
    except pymysql.err.Error as error:
        raise as_our_error(error, operation="purging", where=f"{database}.{tables.tombstones.name}") from error
    return Purged(gone, horizon_ms)


def _forget_some(connection: DatabaseConnection, tables: Tables, *, before_ms: int) -> int:
    # Each batch is a transaction of its own, so that loaders wait for no more than one.
    return connection.run(
        f"DELETE FROM {as_template(tables.tombstones.quoted)} "
        f"WHERE {_DELETED_AT} < TIMESTAMPADD(MICROSECOND, %s, TIMESTAMP'1970-01-01 00:00:00') "
        # A delete that claims to be of the future would not be older than the horizon; it stays.
        f"AND COALESCE({_CHANGED_AT}, 0) < %s AND COALESCE({_SOFT_CHANGED_AT}, 0) < %s "
        f"ORDER BY {_DELETED_AT} LIMIT %s",
        (before_ms * 1000, before_ms, before_ms, _BATCH_ROWS),
    ).affected


def _patiently(step: Callable[[], _T]) -> _T:
    """Do *step*, again when a loader stood in its way."""
    for _ in range(_MAX_TRIES - 1):
        try:
            return step()
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.RETRY:
                raise
    return step()
