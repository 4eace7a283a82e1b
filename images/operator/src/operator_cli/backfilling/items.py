"""
What becomes of an item that is read: a row of version 0, or a failed record that keeps the item with its reason. Pure.

The change that an item is taken for is an INSERT without a stream: epoch 0 and sequence number 0 make version 0, which
every change beats. A failed record carries that change, so that `redrive` maps it again later, and it is still beaten.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from ddb2aurora.dialect import encode_row
from ddb2aurora.envelope import Change, encode_change
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.failed import FailedRecord, encode_failed, failed_key
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Pipeline
from operator_cli.scanning.table import Item

ORIGIN: Final = "backfill"


class ItemMapper:
    """The mapping of items for one pipeline; it keeps nothing and may be shared by threads."""

    def __init__(self, pipeline: Pipeline) -> None:
        """
        Prepare the mapping of *pipeline*.

        Raises:
            SchemaFileError: A JSON Schema of the pipeline cannot be used.
        """
        self.pipeline = pipeline
        self._mapper = Mapper(pipeline)

    def change(self, item: Item, *, at_ms: int) -> Change:
        """Return the change that *item*, which was there at *at_ms*, is taken for."""
        return Change(
            event="INSERT",
            event_id=ORIGIN,
            table=self.pipeline.source_table,
            keys={name: item[name] for name in self.pipeline.source_key},
            image=dict(item),
            changed_at_ms=at_ms,
            sequence_number="0",
            stream_epoch_ms=0,
        )

    def line(self, change: Change) -> bytes:
        """
        Return the encoded row of *change*.

        Raises:
            RejectError: The item can never load.
        """
        try:
            return encode_row(self._mapper.upsert(change))
        except UnicodeEncodeError as error:
            detail = "half of a surrogate pair, which UTF-8 cannot carry"
            raise RejectError(Reason.UNDECODABLE, detail=detail) from error


class Gathering:
    """
    Rows and failed records on their way into one object of each.

    All have the time *at_ms*, which lies before the first of their items was asked for: each item was there at that
    time or later, so whatever deletes it came after that time.
    """

    def __init__(self, mapper: ItemMapper, *, at_ms: int) -> None:
        """Begin with nothing."""
        self._mapper = mapper
        self.at_ms = at_ms
        self.items = 0
        self.reasons: Counter[str] = Counter()
        self.size = 0
        self.rows: list[bytes] = []
        self.failed: list[bytes] = []

    def add(self, items: Iterable[Item]) -> None:
        """Map *items* and keep what comes of each."""
        lines: list[bytes] = []
        for item in items:
            self.items += 1
            change = self._mapper.change(item, at_ms=self.at_ms)
            try:
                lines.append(self._mapper.line(change))
            except RejectError as error:
                self._fail(change, error)
        # A page in one piece: a list of short lines takes half as much again as the lines.
        rows = b"".join(lines)
        self.size += len(rows)
        if rows:
            self.rows.append(rows)

    def failed_key(self) -> str:
        """Return the key of the object of failed records; the same records give the same key."""
        name = hashlib.sha256(b"".join(self.failed)).hexdigest()[:32]
        return failed_key(
            pipeline=self._mapper.pipeline.name, error_type=ORIGIN, at_ms=self.at_ms, name=f"{ORIGIN}-{name}"
        )

    def _fail(self, change: Change, error: RejectError) -> None:
        record = FailedRecord(
            attempts_made=1,
            arrival_timestamp=self.at_ms,
            error_code=error.reason,
            error_message=str(error),
            attempt_ending_timestamp=self.at_ms,
            raw_data=_line_of(change),
        )
        self.reasons[error.reason] += 1
        self.failed.append(encode_failed(record))
        self.size += len(self.failed[-1])


def _line_of(change: Change) -> bytes:
    try:
        return encode_change(change)
    except UnicodeEncodeError:
        # With escapes for what UTF-8 cannot carry; the reader rejects it, and says why.
        return json.dumps(msgspec.to_builtins(change)).encode() + b"\n"
