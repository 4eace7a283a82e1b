"""Builders of transformation events."""

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from builders import a_change, a_column, a_pipeline

from ddb2aurora.envelope import Change, encode_change
from firehose_transformer.row_lines import RowLines

SCHEMA = '{"type": "object", "required": ["Hits"], "properties": {"Hits": {"type": "integer"}}}'
PIPELINE = a_pipeline(
    documents={"payload": SCHEMA},
    columns=[
        a_column("id", "varchar(10)"),
        a_column("hits", "int", source="payload.Hits"),
        a_column("n", "int", nullable=False),
        a_column("text", "varchar(1000)"),
    ],
)


def _change(**members: Any) -> Change:
    """Return a change that fits the pipeline of this folder; *members* are attributes of its item."""
    return a_change(item={"id": "a", "n": 1, "payload": '{"Hits": 7}', "text": "plain"} | members)


def _record(content: Change | bytes, record_id: str = "record-1") -> dict[str, Any]:
    data = content if isinstance(content, bytes) else encode_change(content)
    return {
        "recordId": record_id,
        "approximateArrivalTimestamp": 1_764_000_000_123,
        "data": base64.b64encode(data).decode(),
    }


def _event(*records: dict[str, Any]) -> dict[str, Any]:
    return {
        "invocationId": "invocation-1",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/changes",
        "region": "eu-west-1",
        "records": list(records),
    }


@pytest.fixture
def make() -> SimpleNamespace:
    """The builders of this folder, by name."""
    return SimpleNamespace(change=_change, record=_record, event=_event, pipeline=PIPELINE)


@pytest.fixture(scope="session")
def row_lines() -> RowLines:
    """The mapping of the pipeline of this folder."""
    return RowLines(PIPELINE)
