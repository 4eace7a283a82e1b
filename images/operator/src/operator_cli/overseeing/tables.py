"""Read what the tables of a pipeline say about it."""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

from collections.abc import Iterable
from typing import Any, Final

from ddb2aurora.database.connection import as_template
from operator_cli.heartbeats import HeartbeatTable
from operator_cli.overseeing.readings import Counted, Ledger, Sums, Tables
from operator_cli.site import Database

# More are not counted one by one: a screen has to be quick.
_MOST_COUNTED: Final = 100_000

_SUMS: Final = "COUNT(*), SUM(rows_in_file), SUM(applied), SUM(stale), SUM(deleted), SUM(rejected), SUM(bytes)"


def _ms(moment: str) -> str:
    return f"TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', {moment}) DIV 1000"


def read_tables(database: Database, *, pipeline: str, window_seconds: int, totals: bool = False) -> Tables:
    """
    Return what the tables say about *pipeline*, with a closer look at the last *window_seconds*.

    The *totals* of the ledger take the longer the more was ever loaded; all else does not.

    Raises:
        pymysql.err.Error: The database did not answer, or there are no such tables.
    """
    connection, tables = database.connection, database.tables
    tombstones, horizon_ms = None, None
    if tables.remembers_deletes:
        ((number,),) = connection.rows(
            f"SELECT COUNT(*) FROM (SELECT 1 FROM {as_template(tables.tombstones.quoted)} LIMIT %s) AS t",
            (_MOST_COUNTED + 1,),
        )
        tombstones = Counted(min(int(number), _MOST_COUNTED), int(number) > _MOST_COUNTED)
        found = connection.rows(
            f"SELECT horizon_ms FROM {as_template(tables.horizons.quoted)} WHERE target_table = %s",
            (tables.target.name,),
        )
        horizon_ms = int(found[0][0]) if found else 0
    rejects = connection.rows(
        f"SELECT reason, COUNT(*) FROM {as_template(tables.rejects.quoted)} WHERE pipeline = %s "
        "GROUP BY reason ORDER BY 2 DESC, 1",
        (pipeline,),
    )
    return Tables(
        ledger=_ledger(database, pipeline=pipeline, window_seconds=window_seconds, totals=totals),
        rejects={reason: int(count) for reason, count in rejects},
        tombstones=tombstones,
        horizon_ms=horizon_ms,
        heartbeat=HeartbeatTable(database, pipeline=pipeline).newest(),
    )


def _ledger(database: Database, *, pipeline: str, window_seconds: int, totals: bool) -> Ledger:
    loads = as_template(database.tables.loads.quoted)
    # Both by the index on the pipeline and this time: sums of all entries take longer with every object.
    ((*sums, newest_change, lag),) = database.connection.rows(
        f"SELECT {_SUMS}, MAX(newest_changed_at_ms), MAX({_ms('loaded_at')} - newest_changed_at_ms) FROM {loads} "
        "WHERE pipeline = %s AND loaded_at >= UTC_TIMESTAMP(6) - INTERVAL %s SECOND",
        (pipeline, window_seconds),
    )
    ((last_loaded,),) = database.connection.rows(
        f"SELECT {_ms('MAX(loaded_at)')} FROM {loads} WHERE pipeline = %s", (pipeline,)
    )
    ever = None
    if totals:
        (all_sums,) = database.connection.rows(f"SELECT {_SUMS} FROM {loads} WHERE pipeline = %s", (pipeline,))
        ever = _sums(all_sums)
    return Ledger(
        recent=_sums(sums),
        recent_newest_change_ms=None if newest_change is None else int(newest_change),
        recent_lag_ms=None if lag is None else max(0, int(lag)),
        last_loaded_ms=None if last_loaded is None else int(last_loaded),
        ever=ever,
    )


def _sums(found: Iterable[Any]) -> Sums:
    """Return what the server *found* for `_SUMS`; the sums of no entries are NULL."""
    return Sums(*(int(count or 0) for count in found))
