"""Up to where each shard is done, in memory and optionally in a file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock


class Checkpoints:
    """Remember checkpoints of one stream; with a *path*, also over a restart. Safe to share between threads."""

    def __init__(self, *, stream_arn: str, path: Path | None = None) -> None:
        """Read *path* if it is there and speaks of the same stream."""
        self._stream_arn = stream_arn
        self._path = path
        self._lock = Lock()
        self._sequences: dict[str, str] = {}
        self._finished: set[str] = set()
        if path is not None and path.exists():
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["stream_arn"] == stream_arn:
                self._sequences = dict(stored["sequences"])
                self._finished = set(stored["finished"])

    @property
    def finished(self) -> frozenset[str]:
        """The shards that are worked through to their end."""
        with self._lock:
            return frozenset(self._finished)

    @property
    def sequences(self) -> Mapping[str, str]:
        """The last sequence number of each shard up to which everything is done."""
        with self._lock:
            return dict(self._sequences)

    @property
    def empty(self) -> bool:
        """Whether nothing has been read of the stream yet, as far as is known."""
        with self._lock:
            return not self._sequences and not self._finished

    def moved(self, shard_id: str, sequence: str) -> None:
        """Say that everything in the shard up to *sequence* is done."""
        with self._lock:
            self._sequences[shard_id] = sequence
            self._save()

    def finish(self, shard_id: str) -> None:
        """Say that everything in the shard is done and nothing will follow."""
        with self._lock:
            self._finished.add(shard_id)
            self._sequences.pop(shard_id, None)
            self._save()

    def _save(self) -> None:
        if self._path is None:
            return
        content = {
            "stream_arn": self._stream_arn,
            "sequences": self._sequences,
            "finished": sorted(self._finished),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(self._path)
