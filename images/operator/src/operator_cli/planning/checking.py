"""What a pipeline would reject of the items that are read, and why: the mapping of the transformer, run on each."""

import re
from dataclasses import dataclass, field
from typing import Final

from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.logs import hash_key
from ddb2aurora.pipeline import Pipeline
from operator_cli.backfilling.items import ItemMapper
from operator_cli.scanning.table import Item

_MOST_BREACHES: Final = 200
_MOST_SAMPLES: Final = 3
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


@dataclass(slots=True)
class Breach:
    """One rule that items break: *reason*, the place in the item, what it says, how many break it, and some hashes."""

    reason: Reason
    pointer: str
    detail: str
    count: int = 0
    key_hashes: list[str] = field(default_factory=list)


class Trial:
    """What one pipeline makes of items; it keeps counts and a few hashes of keys."""

    def __init__(self, pipeline: Pipeline, *, at_ms: int) -> None:
        """
        Try items on *pipeline* as if they were inserted at *at_ms*.

        Raises:
            SchemaFileError: A JSON Schema of the pipeline cannot be used.
        """
        self.pipeline = pipeline
        self.items = 0
        self.rejected = 0
        self._mapper = ItemMapper(pipeline)
        self._at_ms = at_ms
        self._found: dict[tuple[str, str, str], Breach] = {}

    def add(self, item: Item) -> None:
        """Try *item*."""
        self.items += 1
        try:
            self._mapper.line(self._mapper.change(item, at_ms=self._at_ms))
        except RejectError as error:
            self.rejected += 1
            breach = self._breach(error)
            breach.count += 1
            if len(breach.key_hashes) < _MOST_SAMPLES:
                keys = {name: item.get(name) for name in self.pipeline.source_key}
                breach.key_hashes.append(hash_key(sorted(keys.items())))

    @property
    def breaches(self) -> list[Breach]:
        """The rules that were broken, the most broken first."""
        return sorted(self._found.values(), key=lambda breach: -breach.count)

    def _breach(self, error: RejectError) -> Breach:
        # The elements of a list are one place.
        pointer = _INDEX.sub("/*", error.pointer)
        key = (error.reason, pointer, error.detail)
        if key not in self._found and len(self._found) >= _MOST_BREACHES:
            key = (error.reason, "", "one of many more rules")
        return self._found.setdefault(key, Breach(error.reason, key[1], key[2]))
