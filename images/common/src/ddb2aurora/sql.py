"""Names in SQL: one function that quotes them, and the names of our own tables and columns beside the user's."""

import re

LOADS_TABLE = "_ddb2aurora_loads"
REJECTS_TABLE = "_ddb2aurora_rejects"
HORIZONS_TABLE = "_ddb2aurora_horizons"
HEARTBEATS_TABLE = "_ddb2aurora_heartbeat"
SHAPES_TABLE = "_ddb2aurora_shapes"
VERIFY_TABLE = "_ddb2aurora_verify"
VERIFY_RUNS_TABLE = "_ddb2aurora_verify_runs"
BACKFILLS_TABLE = "_ddb2aurora_backfills"
BACKFILL_OBJECTS_TABLE = "_ddb2aurora_backfill_objects"
REBUILDS_TABLE = "_ddb2aurora_rebuilds"
REBUILD_OBJECTS_TABLE = "_ddb2aurora_rebuild_objects"
VERSION_COLUMN = "_version"
CHANGED_AT_COLUMN = "_changed_at_ms"
DELETED_AT_COLUMN = "_deleted_at"
SOFT_VERSION_COLUMN = "_soft_version"
SOFT_CHANGED_AT_COLUMN = "_soft_changed_at_ms"
_MAX_NAME_CHARACTERS = 64  # MySQL: identifiers of tables and columns
# MySQL: a quoted identifier holds the characters of the Basic Multilingual Plane, but not NUL.
_ALLOWED = re.compile("[\u0001-\ud7ff\ue000-\uffff]*")


def quote_name(*parts: str) -> str:
    """
    Return the quoted, dot-separated name of a database object.

    Raises:
        ValueError: A part is empty, too long for MySQL, or holds a character that no identifier may hold.
    """
    for part in parts:
        if not part or len(part) > _MAX_NAME_CHARACTERS or part != part.rstrip() or not _ALLOWED.fullmatch(part):
            raise ValueError(
                f"{part!r} is no name that MySQL accepts (1 to {_MAX_NAME_CHARACTERS} characters up to U+FFFF, "
                "no trailing blank)"
            )
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def tombstones_table(table: str) -> str:
    """Return the name of the table that remembers the deletes of *table*."""
    return f"{table}__tombstones"
