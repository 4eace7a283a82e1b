"""The messages that S3 puts on a queue, as the events that a function gets."""

import json
from typing import Any


class UnknownMessageError(Exception):
    """A message is not one that S3 sends."""


def events_in(body: str) -> tuple[dict[str, Any], ...]:
    """
    Return the events of one message: each record is an event of its own.

    The test event that S3 sends when a configuration is saved is not for functions: no event.

    Raises:
        UnknownMessageError: S3 sends no such message.
    """
    try:
        message = json.loads(body)
    except ValueError as error:
        raise UnknownMessageError("the message is not JSON") from error
    if not isinstance(message, dict):
        raise UnknownMessageError("the message is not an object")
    if message.get("Event") == "s3:TestEvent":
        return ()
    records = message.get("Records")
    if not isinstance(records, list):
        raise UnknownMessageError("the message has no records")
    return tuple({"Records": [record]} for record in records)
