"""Why the database refuses a row, in words that never hold a value."""

import re
from typing import Final, NamedTuple

from ddb2aurora.database.schema import Tables
from ddb2aurora.pipeline import Pipeline

_COLUMN: Final = re.compile(r"column [`'](?:[^`']*[`']\.[`'])*(?P<name>[^`']+)[`']", re.IGNORECASE)
_REASONS: Final[dict[int, str]] = {
    1048: "null_not_allowed",
    1263: "null_not_allowed",
    1062: "duplicate_value",
    1216: "foreign_key",
    1217: "foreign_key",
    1451: "foreign_key",
    1452: "foreign_key",
    1264: "out_of_range",
    1690: "out_of_range",
    1265: "inexact_value",
    1406: "too_long",
    1644: "refused_by_trigger",
    **dict.fromkeys((3140, 3141, 3143, 3144, 3157), "not_json"),  # MySQL; MariaDB has a check constraint
    3819: "check_constraint",
    4025: "check_constraint",
}
_OTHER_REASON: Final = "bad_value"


class Refusal(NamedTuple):
    """The *number* of the server's error, 0 when the row never reached it, and the *reason* for people."""

    number: int
    reason: str


def refusal_of(number: int, message: str, *, pipeline: Pipeline, tables: Tables) -> Refusal:
    """Return why a row of *pipeline* was refused with error *number* and the server's *message*."""
    # The server's text quotes the value; only the name of a column of ours is taken from it.
    reason = _REASONS.get(number, _OTHER_REASON)
    match = _COLUMN.search(message)
    # Of a JSON column MySQL gives the name with its table, both in one pair of quotes.
    name = match["name"].removeprefix(f"{tables.staging.name}.") if match else None
    if name in {column.name for column in pipeline.columns}:
        reason = f"{reason} in column {name}"
    return Refusal(number, reason)
