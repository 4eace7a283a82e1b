"""
Heartbeats: changes that say nothing but that they were sent, so that "green but dead" cannot be.

A heartbeat takes the way of every change. Where the pipeline file keeps a key for it (`source.heartbeat`), it is an
item in the source table, and passes the stream as well; otherwise it is put straight into the delivery stream. On its
way it is made of what a change is made of: when it was sent stands in the place of the stream's epoch, its id in that
of the sequence number, so that its version is both. The loader moves it into a table of its own, never into the target.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ddb2aurora.column_types import ColumnType
from ddb2aurora.dialect import Field, Row
from ddb2aurora.envelope import Change
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.version import version_of

ID_ATTRIBUTE: Final = "heartbeat_id"
SENT_AT_ATTRIBUTE: Final = "sent_at_ms"


class Heartbeat(NamedTuple):
    """A heartbeat: its *id*, up to 39 digits, and when it was sent (ms since 1970)."""

    id: int
    sent_at_ms: int

    @property
    def version(self) -> int:
        """What stands for it in the place of a version."""
        return version_of(stream_epoch_ms=self.sent_at_ms, sequence_number=str(self.id))


def heartbeat_change(heartbeat: Heartbeat, *, pipeline: Pipeline) -> Change:
    """Return *heartbeat* as a change that is put straight into the delivery stream."""
    return Change(
        event="HEARTBEAT",
        event_id=f"heartbeat-{heartbeat.id}",
        table=pipeline.source_table,
        keys={},
        image=None,
        changed_at_ms=None,
        sequence_number=str(heartbeat.id),
        stream_epoch_ms=heartbeat.sent_at_ms,
    )


def heartbeat_item(heartbeat: Heartbeat, *, pipeline: Pipeline) -> dict[str, Any]:
    """Return *heartbeat* as an item of the source table, under the key that the pipeline keeps for it."""
    keys = {part.attribute: {part.kind: part.value} for part in pipeline.heartbeat}
    # An id is text: DynamoDB's numbers have 38 digits. The key comes last, so that it stands whatever it is called.
    return {ID_ATTRIBUTE: {"S": str(heartbeat.id)}, SENT_AT_ATTRIBUTE: {"N": str(heartbeat.sent_at_ms)}, **keys}


def heartbeat_in(change: Change) -> Heartbeat:
    """
    Return the heartbeat that *change* is: one of its own kind, or a change of the item that the pipeline keeps for it.

    Raises:
        RejectError: Somebody else wrote that item.
    """
    if change.event == "HEARTBEAT":
        found = {ID_ATTRIBUTE: change.sequence_number, SENT_AT_ATTRIBUTE: str(change.stream_epoch_ms)}
    else:
        image = change.image or {}
        found = {name: _digits(image.get(name)) for name in (ID_ATTRIBUTE, SENT_AT_ATTRIBUTE)}
    try:
        heartbeat = Heartbeat(int(found[ID_ATTRIBUTE]), int(found[SENT_AT_ATTRIBUTE]))
        version_of(stream_epoch_ms=heartbeat.sent_at_ms, sequence_number=str(heartbeat.id))
    except ValueError as error:
        detail = "not a heartbeat, although its key is kept for one"
        raise RejectError(Reason.MALFORMED, pointer="/image", detail=detail) from error
    return heartbeat


def heartbeat_row(heartbeat: Heartbeat, *, pipeline: Pipeline, streamed_at_ms: int | None) -> Row:
    """Return *heartbeat* as a row; *streamed_at_ms* is when it passed the stream, None when it did not."""
    keys = pipeline.key_columns
    # Staging forbids NULL in the key, so something that fits has to stand there; nothing ever reads it.
    fields = tuple(_fitting(column.type) if column in keys else None for column in pipeline.columns)
    return Row(pipeline.shape, "H", heartbeat.version, streamed_at_ms, fields)


def _fitting(column_type: ColumnType) -> Field:
    return "0" if column_type.kind in ("integer", "decimal") else ""


def _digits(attribute: Mapping[str, Any] | None) -> str:
    found = attribute or {}
    text = found.get("S", found.get("N"))
    return text if isinstance(text, str) else ""
