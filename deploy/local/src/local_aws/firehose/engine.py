"""
Keep the delivery streams of one account and region, and run the operations on them.

Role ARNs are accepted and not evaluated: there is no IAM here. A stream is ACTIVE as soon as it is created.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

from local_aws.firehose.configuration import configuration_of, merged
from local_aws.firehose.errors import (
    ConcurrentModificationError,
    LimitExceededError,
    ResourceInUseError,
    ResourceNotFoundError,
)
from local_aws.firehose.journal import StreamJournal, saved_streams
from local_aws.firehose.services import Services
from local_aws.firehose.statistics import Statistics
from local_aws.firehose.stream import MOST_WAITING_BYTES, DeliveryStream
from local_aws.firehose.workers import TRANSFORM_WORKERS, Workers

# AWS: a delivery stream bears 50 tags at most.
MOST_TAGS = 50


@dataclass(slots=True)
class Entry:
    """What is known of a stream: its settings as the caller gave them, and the machinery that follows them."""

    name: str
    arn: str
    settings: dict[str, Any]
    version: int
    created: float
    updated: float | None
    tags: dict[str, str]
    stream: DeliveryStream = field(repr=False)
    workers: Workers = field(repr=False)
    journal: StreamJournal | None = field(repr=False)

    def kept(self) -> dict[str, Any]:
        """Return what the next process needs to go on with this stream."""
        return {
            "settings": self.settings,
            "version": self.version,
            "created": self.created,
            "updated": self.updated,
            "tags": self.tags,
        }


class Engine:
    """All delivery streams."""

    def __init__(
        self,
        services: Services,
        *,
        journal: Path | None = None,
        transform_workers: int = TRANSFORM_WORKERS,
        most_waiting_bytes: int = MOST_WAITING_BYTES,
    ) -> None:
        """
        Go on with the streams that the folder *journal* keeps, if it is given.

        At most *most_waiting_bytes* of undelivered records are held for each stream.
        """
        self._services = services
        self._journal = journal
        self._transform_workers = transform_workers
        self._most_waiting_bytes = most_waiting_bytes
        self._lock = RLock()
        self._entries: dict[str, Entry] = {}
        self._deleted: list[Workers] = []
        if journal is not None:
            journal.mkdir(parents=True, exist_ok=True)
            for name, kept in saved_streams(journal).items():
                self._entries[name] = self._started(name, **kept)

    def create(self, name: str, *, settings: Mapping[str, Any], tags: Mapping[str, str]) -> Entry:
        """
        Make a stream and start it.

        Raises:
            ResourceInUseError: The name is taken.
            InvalidArgumentError: The settings contradict each other or are not supported.
        """
        with self._lock:
            if name in self._entries:
                raise ResourceInUseError(f"Firehose {name} under account {self._services.account} already exists")
            now = self._services.clock()
            entry = self._started(name, settings=dict(settings), version=1, created=now, updated=None, tags=dict(tags))
            self._entries[name] = entry
            self._keep(entry)
            return entry

    def entry(self, name: str) -> Entry:
        """
        Return the stream *name*.

        Raises:
            ResourceNotFoundError: There is none.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise ResourceNotFoundError(f"Firehose {name} under account {self._services.account} not found.")
        return entry

    def names(self) -> list[str]:
        """Return the names of all streams, in order."""
        with self._lock:
            return sorted(self._entries)

    def update(self, name: str, *, version: int, changes: Mapping[str, Any]) -> Entry:
        """
        Merge *changes* into the settings, which must be at *version*, and raise it.

        Raises:
            ResourceNotFoundError: There is no such stream.
            ConcurrentModificationError: The settings have another version.
            InvalidArgumentError: The merged settings contradict each other or are not supported.
        """
        with self._lock:
            entry = self.entry(name)
            if version != entry.version:
                raise ConcurrentModificationError(f"the current version is {entry.version}, not {version}")
            settings = merged(entry.settings, changes)
            configuration = configuration_of(settings)
            entry.settings, entry.version, entry.updated = settings, entry.version + 1, self._services.clock()
            entry.stream.configure(configuration, version=entry.version)
            self._keep(entry)
            return entry

    def tag(self, name: str, *, tags: Mapping[str, str], without: Sequence[str] = ()) -> None:
        """
        Add *tags* to a stream, after removing those *without*.

        Raises:
            ResourceNotFoundError: There is no such stream.
            LimitExceededError: It would bear too many.
        """
        with self._lock:
            entry = self.entry(name)
            changed = {key: value for key, value in entry.tags.items() if key not in without} | dict(tags)
            if len(changed) > MOST_TAGS:
                raise LimitExceededError(f"a delivery stream bears at most {MOST_TAGS} tags")
            entry.tags = changed
            self._keep(entry)

    def delete(self, name: str) -> None:
        """
        Remove a stream and whatever it has not delivered.

        Raises:
            ResourceNotFoundError: There is no such stream.
        """
        with self._lock:
            entry = self.entry(name)
            del self._entries[name]
            entry.stream.stop()
            self._deleted.append(entry.workers)
            entry.stream.discard()

    @property
    def waiting(self) -> int:
        """How many accepted records of all streams are not delivered yet."""
        return sum(entry.stream.waiting for entry in list(self._entries.values()))

    @property
    def drained(self) -> bool:
        """Whether nothing waits."""
        return self.waiting == 0

    def statistics(self) -> dict[str, Statistics]:
        """Return what each stream has counted."""
        return {name: self._entries[name].stream.statistics for name in self.names()}

    def flush(self, *, timeout_seconds: float = 60.0) -> bool:
        """Hurry everything that was accepted until now, and say whether it was delivered in time."""
        deadline = time.monotonic() + timeout_seconds
        delivered = True
        for name in self.names():
            seconds = max(0.0, deadline - time.monotonic())
            delivered = self._entries[name].stream.flush(timeout_seconds=seconds) and delivered
        return delivered

    def stop(self) -> None:
        """Stop all streams; what they have not delivered is lost unless a journal keeps it."""
        with self._lock:
            running = [entry.workers for entry in self._entries.values()]
            for entry in self._entries.values():
                entry.stream.stop()
            for workers in (*running, *self._deleted):
                workers.stop()
            self._deleted.clear()

    def _started(
        self,
        name: str,
        *,
        settings: dict[str, Any],
        version: int,
        created: float,
        updated: float | None,
        tags: dict[str, str],
    ) -> Entry:
        configuration = configuration_of(settings)
        arn = f"arn:aws:firehose:{self._services.region}:{self._services.account}:deliverystream/{name}"
        journal = StreamJournal(self._journal, name) if self._journal is not None else None
        stream = DeliveryStream(
            name,
            arn=arn,
            configuration=configuration,
            version=version,
            services=self._services,
            journal=journal,
            most_waiting_bytes=self._most_waiting_bytes,
        )
        workers = Workers(stream, transform_workers=self._transform_workers)
        return Entry(name, arn, settings, version, created, updated, tags, stream, workers, journal)

    def _keep(self, entry: Entry) -> None:
        if entry.journal is not None:
            entry.journal.save(entry.kept())
