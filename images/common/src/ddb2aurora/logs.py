"""
Structured logs: one JSON object a line, constant messages with fields beside them, so that they group.

    log = get_logger("aurora-loader")
    log.info("object loaded", extra=fields(bucket="b", rows=100))

Values of items and rows never go into a field; a key goes in only as `hash_key(...)`.
"""

import hashlib
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from ddb2aurora.errors import Ddb2AuroraError

_FIELDS: Final = "ddb2aurora_fields"
_OURS: Final = "ddb2aurora"  # the parent of all our loggers


def fields(**values: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - whatever JSON can show
    """Return *values* in the form that a logging call takes as `extra`."""
    return {_FIELDS: values}


def hash_key(key: object) -> str:
    """Return a short hash that stands for a key in logs."""
    return hashlib.sha256(repr(key).encode()).hexdigest()[:16]


class JsonFormatter(logging.Formatter):
    """Format a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as one line of JSON."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name.removeprefix(f"{_OURS}."),
            "message": _text(record),
        }
        # A field never takes the place of what every line has.
        entry = {**entry, **getattr(record, _FIELDS, {}), **entry}
        if record.exc_info and record.exc_info[1]:
            entry["errors"] = [_describe(error) for error in _chain(record.exc_info[1])]
        return json.dumps(entry, default=_shown)


def _text(record: logging.LogRecord) -> str:
    if isinstance(record.msg, BaseException):
        return _message(record.msg)
    if isinstance(record.args, tuple) and any(isinstance(value, BaseException) for value in record.args):
        return str(record.msg) % tuple(_shown(value) for value in record.args)
    return record.getMessage()


def _shown(value: object) -> str:
    return _message(value) if isinstance(value, BaseException) else str(value)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()  # causes may lead in a circle
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__context__ if error.__cause__ is None else error.__cause__


def _message(error: BaseException) -> str:
    # A driver's message may quote the value that it choked on; only our own errors are known not to.
    return str(error) if isinstance(error, Ddb2AuroraError) else "(message withheld)"


def _describe(error: BaseException) -> dict[str, Any]:
    frames = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return {"type": type(error).__name__, "text": _message(error), "frames": frames}


def set_up_logging(*, level: str, stream: TextIO | None = None) -> None:
    """
    Send our log records from *level* on to *stream* (standard output) as JSON, and nowhere else.

    Of other people's records only warnings and errors pass, whatever the level: an SDK's debug log quotes what it
    sends.
    """
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    # The Lambda runtime installs a handler of its own on the root logger; with both, each line would appear twice.
    logging.basicConfig(level=max(logging.WARNING, logging.getLevelName(level)), handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(level)


def get_logger(stage: str) -> logging.Logger:
    """Return the logger of a stage."""
    return logging.getLogger(f"{_OURS}.{stage}")
