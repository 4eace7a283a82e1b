"""The delivery stream of a template, as the stand-in for Data Firehose is to be told of it."""

import copy
from collections.abc import Mapping
from typing import Any

from templates import template

# What the stand-in does not do; Firehose's own log of what it could not deliver.
NOT_CARRIED = ("CloudWatchLoggingOptions",)


def destination(resource: str, *, values: Mapping[str, str]) -> dict[str, Any]:
    """
    Return the S3 destination of a delivery stream of pipeline.yaml, with *values* of parameters and attributes.

    Raises:
        KeyError: A value is missing.
    """
    properties = template("pipeline")["Resources"][resource]["Properties"]["ExtendedS3DestinationConfiguration"]
    found = resolved(copy.deepcopy(properties), values)
    for place in (found, found["S3BackupConfiguration"]):
        for name in NOT_CARRIED:
            del place[name]
        # The API takes numbers where a template takes text too.
        place["BufferingHints"] = {name: int(value) for name, value in place["BufferingHints"].items()}
    return found


def resolved(value: Any, values: Mapping[str, str]) -> Any:
    """
    Return *value* with its references to parameters, resources and their attributes (`Name.Attribute`) replaced.

    Raises:
        KeyError: A value is missing, or a function is used that is not known here.
    """
    if isinstance(value, list):
        return [resolved(each, values) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return values[value["Ref"]]
    if set(value) == {"Fn::GetAtt"}:
        return values[".".join(value["Fn::GetAtt"])]
    if set(value) == {"Fn::Sub"}:
        text = value["Fn::Sub"]
        for name, replacement in values.items():
            text = text.replace(f"${{{name}}}", replacement)
        if "${" in text:
            raise KeyError(text)
        return text
    if any(name.startswith("Fn::") for name in value):
        raise KeyError(str(value))
    return {name: resolved(each, values) for name, each in value.items()}
