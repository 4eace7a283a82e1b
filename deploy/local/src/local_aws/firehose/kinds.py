"""The kinds of objects that a stream writes."""

from enum import Enum


class Kind(Enum):
    """What an object holds: transformed records, records that failed, or source records."""

    DATA = "data"
    ERRORS = "errors"
    BACKUP = "backup"
