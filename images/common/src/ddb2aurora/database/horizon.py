"""
The horizon of a target: the time before which its deletes may be forgotten, so that no older change may load any more.

A loader reads it under a shared lock that it keeps until its transaction ends; `purge` raises it in a transaction of
its own, before the first tombstone goes. So purge waits for every loader that read the lower horizon, and every loader
after them reads the higher one: whoever may miss a tombstone knows what it may no longer load.

The row has to be there before the first purge, since what is not there cannot be locked without a gap: `migrate` makes
it. Nothing compares versions here: they hold the time of the stream, not that of the change.
"""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.schema import Tables
from ddb2aurora.errors import HaltError


class HorizonMissingError(HaltError):
    """No horizon is noted for a target."""


def read_horizon(connection: DatabaseConnection, tables: Tables) -> int:
    """
    Return the horizon (ms since 1970) and lock it until the transaction ends; 0 when nothing was purged yet.

    Raises:
        HorizonMissingError: Nothing is noted of the target.
        pymysql.err.Error: The transaction cannot go on.
    """
    found = connection.rows(
        f"SELECT horizon_ms FROM {as_template(tables.horizons.quoted)} WHERE target_table = %s LOCK IN SHARE MODE",
        (tables.target.name,),
    )
    if not found:
        raise HorizonMissingError(
            f"{tables.horizons.name} does not know the table {tables.target.name}; run ddb2aurora migrate"
        )
    return int(found[0][0])


def note_target(connection: DatabaseConnection, tables: Tables) -> None:
    """
    Note that nothing of the target was purged, unless something is noted of it.

    Raises:
        pymysql.err.Error: The server refused it.
    """
    connection.run(
        f"INSERT INTO {as_template(tables.horizons.quoted)} (target_table) VALUES (%s) "
        "ON DUPLICATE KEY UPDATE horizon_ms = horizon_ms",
        (tables.target.name,),
    )


def raise_horizon(connection: DatabaseConnection, tables: Tables, *, horizon_ms: int) -> int:
    """
    Raise the horizon to *horizon_ms* as soon as no loader holds it, and return it; it is never lowered.

    Raises:
        HorizonMissingError: Nothing is noted of the target.
        pymysql.err.Error: The server refused it, or loaders held it for too long.
    """
    connection.run(
        f"UPDATE {as_template(tables.horizons.quoted)} SET horizon_ms = GREATEST(horizon_ms, %s), "
        "purged_at = UTC_TIMESTAMP(6) WHERE target_table = %s",
        (horizon_ms, tables.target.name),
    )
    return read_horizon(connection, tables)
