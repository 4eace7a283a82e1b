"""Where unique names come from; tests hand in predictable ones."""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

_ALPHABET = string.ascii_letters + string.digits


def _uuid() -> str:
    return str(uuid4())


def _random_string() -> str:
    # Firehose's random-string expression has eleven characters.
    return "".join(secrets.choice(_ALPHABET) for _ in range(11))


@dataclass(frozen=True, slots=True)
class Ids:
    """Make UUIDs, and the random strings of prefixes."""

    uuid: Callable[[], str] = _uuid
    random_string: Callable[[], str] = _random_string
