"""
Values that tests begin from, each boring until a test says otherwise: `a_change(kind="REMOVE")`.

Items are written in Python values (text, whole numbers, `Decimal`, bytes, booleans, None, maps, lists, sets), not in
DynamoDB JSON. All builders agree on one table: `things`, whose key is `id`, with a number `n` and a text `note`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from ddb2aurora.codec import encode_item
from ddb2aurora.column_types import parse_column_type
from ddb2aurora.envelope import Change
from ddb2aurora.paths import FACTS, parse_path
from ddb2aurora.pipeline import Column, Document, KeyPart, Misfit, Mode, Pipeline, TtlPolicy

Kind = Literal["INSERT", "MODIFY", "REMOVE"]

AN_ITEM: Mapping[str, Any] = {"id": "a", "n": 1, "note": "boring"}
STREAM_EPOCH_MS = 1_767_607_200_000
CHANGED_AT_MS = 1_767_700_000_000
STREAM_LABEL = "2026-01-05T10:00:00.000"
TTL_IDENTITY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def a_column(
    name: str = "n",
    type_: str = "int",
    *,
    source: str | None = None,
    nullable: bool = True,
    on_misfit: Misfit = Misfit.REJECT,
) -> Column:
    """Return the column *name*, which takes its value from *source*, by default the attribute of the same name."""
    source = name if source is None else source
    return Column(
        name=name,
        type=parse_column_type(type_),
        source=source,
        path=() if source in FACTS else parse_path(source),
        nullable=nullable,
        on_misfit=on_misfit,
    )


def a_pipeline(
    *,
    name: str = "things",
    source_table: str = "things",
    source_key: Sequence[str] = ("id",),
    documents: Mapping[str, str] | None = None,
    target_database: str = "demo",
    target_table: str = "Things",
    mode: Mode = "mirror",
    on_ttl_delete: TtlPolicy = "delete",
    max_reject_share: float = 0.1,
    packing: bool = False,
    heartbeat: Sequence[KeyPart] = (),
    columns: Sequence[Column] | None = None,
) -> Pipeline:
    """Return a pipeline; *documents* gives the text of a JSON Schema by attribute."""
    if columns is None:
        columns = (a_column("id", "varchar(100)"), a_column("n", "int"), a_column("note", "text"))
    return Pipeline(
        name=name,
        source_table=source_table,
        source_key=tuple(source_key),
        documents=tuple(Document(attribute, schema) for attribute, schema in (documents or {}).items()),
        target_database=target_database,
        target_table=target_table,
        mode=mode,
        on_ttl_delete=on_ttl_delete,
        max_reject_share=max_reject_share,
        packing=packing,
        heartbeat=tuple(heartbeat),
        columns=tuple(columns),
    )


def a_change(
    *,
    kind: Kind = "INSERT",
    item: Mapping[str, Any] = AN_ITEM,
    key: Sequence[str] = ("id",),
    table: str = "things",
    event_id: str = "event-1",
    changed_at_ms: int | None = CHANGED_AT_MS,
    sequence_number: str | int = "100000000000000000001",
    stream_epoch_ms: int = STREAM_EPOCH_MS,
    by_ttl: bool = False,
) -> Change:
    """Return what happened to *item*, whose attributes *key* are its key; a REMOVE carries no image."""
    image = dynamodb_json(item)
    return Change(
        event=kind,
        event_id=event_id,
        table=table,
        keys={attribute: image[attribute] for attribute in key},
        image=None if kind == "REMOVE" else image,
        changed_at_ms=changed_at_ms,
        sequence_number=str(sequence_number),
        stream_epoch_ms=stream_epoch_ms,
        by_ttl=by_ttl,
    )


def a_stream_record(
    *,
    kind: Kind = "INSERT",
    item: Mapping[str, Any] = AN_ITEM,
    key: Sequence[str] = ("id",),
    table: str = "things",
    event_id: str = "event-1",
    changed_at_ms: int | None = CHANGED_AT_MS,
    sequence_number: str | int = "100000000000000000001",
    stream_label: str = STREAM_LABEL,
    by_ttl: bool = False,
) -> dict[str, Any]:
    """Return one record of the event that Lambda hands to a function for a DynamoDB stream with new images."""
    image = dynamodb_json(item)
    body: dict[str, Any] = {
        "Keys": {attribute: image[attribute] for attribute in key},
        "SequenceNumber": str(sequence_number),
        "SizeBytes": 100,
        "StreamViewType": "NEW_IMAGE",
    }
    if changed_at_ms is not None:
        body["ApproximateCreationDateTime"] = changed_at_ms / 1000
    if kind != "REMOVE":
        body["NewImage"] = image
    record: dict[str, Any] = {
        "eventID": event_id,
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": body,
        "eventSourceARN": f"arn:aws:dynamodb:eu-west-1:111122223333:table/{table}/stream/{stream_label}",
    }
    if by_ttl:
        record["userIdentity"] = dict(TTL_IDENTITY)
    return record


def dynamodb_json(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return *item* in DynamoDB JSON; whole numbers may be written as `int`."""
    return encode_item({name: _exact(value) for name, value in item.items()})


def _exact(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return Decimal(value)
        case dict():
            return {name: _exact(inner) for name, inner in value.items()}
        case list():
            return [_exact(inner) for inner in value]
        case set() | frozenset():
            return frozenset(_exact(inner) for inner in value)
    return value
