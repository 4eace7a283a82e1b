"""What was read about a pipeline: plain values, with every time in ms since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from operator_cli.heartbeats import Landing

# A reading that could not be had, and why.
Unavailable: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of some entries of a ledger, or of all."""

    objects: int
    rows: int
    applied: int
    stale: int
    deleted: int
    rejected: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ledger says of the window that is looked at (*recent*), and when something was loaded last."""

    recent: Sums
    recent_newest_change_ms: int | None
    recent_lag_ms: int | None
    """The longest time from the newest change of an object to its load, of those in the window."""
    last_loaded_ms: int | None
    """However long ago that was."""
    ever: Sums | None = None
    """The sums of everything that was ever loaded; None where they were not asked for."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A count that stopped at a limit: then there are *more*."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"


@dataclass(frozen=True, slots=True)
class Tables:
    """What the tables of a pipeline hold."""

    ledger: Ledger
    rejects: Mapping[str, int]
    """How many rows were refused, by reason."""
    tombstones: Counted | None
    """None for an event log, which remembers no deletes."""
    horizon_ms: int | None
    heartbeat: Landing | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Objects that keep failures of one kind."""

    objects: Counted
    newest_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Objects under processed/: the *newest* there is, and those of the time looked back that the ledger lacks."""

    newest_ms: int | None
    looked_at: int
    waiting: int
    oldest_waiting_ms: int | None


@dataclass(frozen=True, slots=True)
class Queue:
    """Events that the loader failed for good: those that wait, and those that somebody is just working on."""

    waiting: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that is raised, since when, and what CloudWatch says about it."""

    name: str
    since_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Watched:
    """
    What CloudWatch has: sums and maxima of the window by metric (absent without data), and raised alarms.

    *seen_ms* is the last minute of the window in which a metric was not zero.
    """

    sums: Mapping[str, float]
    maxima: Mapping[str, float]
    seen_ms: Mapping[str, int]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class Readings:
    """All of it, at one time."""

    at_ms: int
    window_seconds: int
    tables: Tables
    waiting: Waiting
    failed: Mapping[str, Kept]
    """What lies under `failed/`, by error type."""
    batches: Kept | None
    """Batches that the event source mapping gave up."""
    backup_ms: int | None
    """When the newest object under `backup/` was written."""
    queue: Queue | Unavailable
    watched: Watched | Unavailable
