"""Run today's transform over changes that failed. Pure: the same code as the transformer's, and no service."""

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from ddb2aurora.dialect import MalformedLineError, Row, decode_row, encode_row
from ddb2aurora.envelope import Change, decode_change, lines_of
from ddb2aurora.errors import RejectError
from ddb2aurora.mapping import Mapper
from ddb2aurora.version import epoch_of

BEYOND_HORIZON: Final = "beyond_horizon"
MALFORMED_LINE: Final = "malformed_line"
_NO_KEY: Final = "-"


class Examined(NamedTuple):
    """
    One failed change: its *line*, and what becomes of it today.

    Either its encoded *row*, or a *reason* with its *detail*, or neither: the pipeline leaves no trace of it. *key* is
    a hash of the item's key.
    """

    line: bytes
    key: str
    row: bytes | None = None
    reason: str | None = None
    detail: str = ""


def examine(raw: bytes, mapper: Mapper, *, horizon_ms: int) -> Iterator[Examined]:
    """
    Yield what becomes today of each change in *raw*: one line, or the lines of a packed record.

    The loader refuses an object that holds a change older than *horizon_ms*, and with it the others.
    """
    for line in lines_of(raw):
        key = _NO_KEY
        try:
            change = decode_change(line)
            key = hash_of(change)
            row = mapper.row(change)
            encoded = None if row is None else encode_row(row)
        except RejectError as error:
            yield Examined(line, key, reason=error.reason, detail=str(error))
            continue
        except UnicodeEncodeError:
            yield Examined(line, key, reason="undecodable", detail="half of a surrogate pair, which UTF-8 cannot carry")
            continue
        if row is not None and is_beyond(row, horizon_ms=horizon_ms):
            yield Examined(line, key, reason=BEYOND_HORIZON, detail=_beyond())
        else:
            yield Examined(line, key, row=encoded)


def examine_row(line: bytes, *, horizon_ms: int) -> Examined:
    """Return what may become of one row that the database refused."""
    key = hashlib.sha256(line).hexdigest()[:12]
    try:
        row = decode_row(line)
    except MalformedLineError as error:
        return Examined(line, key, reason=MALFORMED_LINE, detail=f"{MALFORMED_LINE}: {error}")
    if is_beyond(row, horizon_ms=horizon_ms):
        return Examined(line, key, reason=BEYOND_HORIZON, detail=_beyond())
    return Examined(line, key, row=line if line.endswith(b"\n") else line + b"\n")


def is_beyond(row: Row, *, horizon_ms: int) -> bool:
    """Return whether *row* is older than the deletes that its target remembers, by the loader's own rule."""
    at_ms = epoch_of(row.version) if row.changed_at_ms is None else row.changed_at_ms
    return at_ms < horizon_ms


def hash_of(change: Change) -> str:
    """Return a short hash of the key of *change*, to tell items apart without showing them."""
    return hashlib.sha256(msgspec.json.encode(change.keys, order="sorted")).hexdigest()[:12]


def _beyond() -> str:
    return f"{BEYOND_HORIZON}: older deletes were purged, so it could bring a deleted row back; backfill the item"
