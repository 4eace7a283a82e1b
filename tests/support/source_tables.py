"""A DynamoDB table of the key that a pipeline reads."""

from typing import Any

from ddb2aurora.pipeline import Pipeline

_KEY_TYPES = {"integer": "N", "decimal": "N", "varbinary": "B"}


def make_source_table(dynamodb: Any, pipeline: Pipeline, *, stream: bool = True) -> None:
    """Make the source table of *pipeline*, with a *stream* of new images or with none."""
    arguments: dict[str, Any] = {}
    if stream:
        arguments = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}}
    dynamodb.create_table(
        TableName=pipeline.source_table,
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(pipeline.source_key, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[
            {"AttributeName": column.source, "AttributeType": _KEY_TYPES.get(column.type.kind, "S")}
            for column in pipeline.key_columns
        ],
        BillingMode="PAY_PER_REQUEST",
        **arguments,
    )
