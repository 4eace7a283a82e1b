"""
Heartbeats out of staging into a table of their own, in the transaction of the object that brought them.

They are gone from staging before anything is applied, so no statement of a mode has to know them. An object without any
pays nothing: how many there are is known from the count of what was staged.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from dataclasses import dataclass
from typing import Final

from ddb2aurora.database.applying.staged import Staged
from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.schema import Tables
from ddb2aurora.dialect import OPERATION_COLUMN
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, VERSION_COLUMN, quote_name
from ddb2aurora.version import SEQUENCE_DIGITS

_IS_HEARTBEAT: Final = f"{quote_name(OPERATION_COLUMN)} = 'H'"
_VERSION: Final = quote_name(VERSION_COLUMN)
_CHANGED_AT: Final = quote_name(CHANGED_AT_COLUMN)
# What epoch_of does.
_SENT_AT_MS: Final = f"CAST({_VERSION} DIV {10**SEQUENCE_DIGITS} AS SIGNED)"
_NOW_MS: Final = "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', UTC_TIMESTAMP(6)) DIV 1000"


@dataclass(frozen=True, slots=True)
class Landed:
    """How many heartbeats landed, and when the newest of them was sent (ms since 1970)."""

    count: int = 0
    newest_sent_at_ms: int | None = None

    def __add__(self, other: "Landed") -> "Landed":
        times = [time for time in (self.newest_sent_at_ms, other.newest_sent_at_ms) if time is not None]
        return Landed(self.count + other.count, max(times, default=None))


NONE_LANDED: Final = Landed()


def land_heartbeats(connection: DatabaseConnection, staged: Staged, *, tables: Tables, pipeline: Pipeline) -> Landed:
    """
    Move the heartbeats among what is *staged* into their table; one that is there already stays as it is.

    Raises:
        pymysql.err.Error: The transaction cannot go on.
    """
    if not staged.heartbeats:
        return NONE_LANDED
    staging, heartbeats = tables.staging.quoted, as_template(tables.heartbeats.quoted)
    ((newest,),) = connection.rows(f"SELECT MAX({_SENT_AT_MS}) FROM {staging} WHERE {_IS_HEARTBEAT}")
    connection.run(
        f"INSERT INTO {heartbeats} (pipeline, version, sent_at_ms, streamed_at_ms, loaded_at, lag_ms) "
        f"SELECT %s, {_VERSION}, {_SENT_AT_MS}, {_CHANGED_AT}, "
        # The clock of whoever sent it may run ahead.
        f"UTC_TIMESTAMP(6), GREATEST(0, {_NOW_MS} - {_SENT_AT_MS}) "
        f"FROM {as_template(staging)} WHERE {_IS_HEARTBEAT} ON DUPLICATE KEY UPDATE version = {heartbeats}.version",
        (pipeline.name,),
    )
    connection.run(f"DELETE FROM {staging} WHERE {_IS_HEARTBEAT}")
    return Landed(staged.heartbeats, int(newest))
