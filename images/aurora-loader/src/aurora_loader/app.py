"""The aurora-loader as one object: read the event, load each object, tell of it, answer."""

import random
import time
from typing import Any, Final

from aurora_loader.events import Announcement, announcements_in
from aurora_loader.load import Loader
from aurora_loader.manifests import Manifests, bundles
from aurora_loader.outcome import Outcome
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.errors import Ddb2AuroraError, HaltError, RetryError
from ddb2aurora.lambda_context import LambdaContext
from ddb2aurora.logs import fields, get_logger
from ddb2aurora.metrics import Metrics

_LOG = get_logger("aurora-loader")
# What the last answer and the logs may take before Lambda ends the function.
_RESERVE_SECONDS: Final = 5.0


class ObjectsFailedError(RetryError):
    """Some objects of an event were not loaded; Lambda has to deliver it again."""


class LambdaTime:
    """The time that an invocation has; see `TimeSource`."""

    def __init__(self, context: LambdaContext) -> None:
        """Count down to the end of *context*'s invocation."""
        self._context = context

    def seconds_left(self) -> float:
        """Return how long loading may still go on."""
        return self._context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def random(self) -> float:
        """Return a number from 0 to 1."""
        return random.random()  # noqa: S311 - spreads retries, keeps no secret


class App:
    """The aurora-loader, ready to work."""

    def __init__(self, loader: Loader, metrics: Metrics, *, manifests: Manifests | None = None) -> None:
        """Load by *loader* and tell *metrics*; objects are only loaded together when there are *manifests*."""
        self._loader = loader
        self._metrics = metrics
        self._manifests = manifests

    def handle(self, event: dict[str, Any], context: LambdaContext, *, now_ms: int) -> dict[str, Any]:
        """
        Load all objects that *event* announces; one that fails does not stop the others.

        From a queue the answer names the messages to deliver again. Any other event has no such answer, so a failure
        is raised after everything was tried, and what was loaded is found in the ledger the next time.

        Raises:
            HaltError: Something of it cannot be loaded before someone acts.
            RetryError: Something of it was not loaded, and the event did not come from a queue.
        """
        announcements = announcements_in(event)
        received = sum(len(found.objects) for found in announcements)
        self._metrics.emit(ObjectsReceived=received)
        invocation = LambdaTime(context)
        # What the clock said at the beginning, in the terms of the one that cannot be set back.
        zero_ms = now_ms - invocation.monotonic() * 1000
        failures: list[tuple[Announcement, Ddb2AuroraError]] = []
        refs = [ref for announcement in announcements for ref in announcement.objects]
        loaded = self._load_together(refs, time=invocation, zero_ms=zero_ms)
        for announcement in announcements:
            if announcement.error is not None:
                _LOG.error("message unreadable", extra=fields(message_id=announcement.message_id))
                failures.append((announcement, announcement.error))
            for ref in announcement.objects:
                if ref in loaded:
                    # What is announced twice is looked for in the ledger the second time.
                    loaded.remove(ref)
                    continue
                error = self._load(ref, time=invocation, zero_ms=zero_ms)
                if error is not None:
                    failures.append((announcement, error))
        return _answer(announcements, failures, received=received)

    def _load_together(self, refs: list[ObjectRef], *, time: LambdaTime, zero_ms: float) -> set[ObjectRef]:
        """Return those of *refs* that were loaded together; the others have to be loaded alone."""
        loaded: set[ObjectRef] = set()
        if self._manifests is None:
            return loaded
        for bundle in bundles(refs):
            started = time.monotonic()
            try:
                outcomes = self._loader.load_together(bundle, manifests=self._manifests, time=time)
            except Ddb2AuroraError as error:
                why = fields(objects=len(bundle), error=type(error).__name__, detail=str(error))
                _LOG.warning("objects not loaded together; each is loaded alone", extra=why)
                continue
            for ref, outcome in outcomes.items():
                self._tell(ref, outcome, started=started, ended=time.monotonic(), zero_ms=zero_ms)
                loaded.add(ref)
        return loaded

    def _load(self, ref: ObjectRef, *, time: LambdaTime, zero_ms: float) -> Ddb2AuroraError | None:
        started = time.monotonic()
        try:
            outcome = self._loader.load(ref, time=time)
        except Ddb2AuroraError as error:
            self._metrics.emit(ObjectsFailed=1)
            _LOG.error("object not loaded", extra=fields(object=ref.url, error=type(error).__name__, detail=str(error)))
            return error
        except Exception as error:  # noqa: BLE001 - one object must not stop the others; counted, logged, retried
            self._metrics.emit(ObjectsFailed=1)
            _LOG.exception("object not loaded, for a reason that was not foreseen", extra=fields(object=ref.url))
            return ObjectsFailedError(f"loading {ref.url} failed: {type(error).__name__}")
        self._tell(ref, outcome, started=started, ended=time.monotonic(), zero_ms=zero_ms)
        return None

    def _tell(self, ref: ObjectRef, outcome: Outcome, *, started: float, ended: float, zero_ms: float) -> None:
        duration_ms, visible_ms = round((ended - started) * 1000), round(zero_ms + ended * 1000)
        if outcome.repeated:
            self._metrics.emit(ObjectsRepeated=1)
            _LOG.info("object was loaded before", extra=fields(object=ref.url))
            return
        counts = {
            "RowsInObjects": outcome.rows,
            "RowsApplied": outcome.applied,
            "RowsStale": outcome.stale,
            "RowsDeleted": outcome.deleted,
            "RowsRejected": outcome.rejected,
        }
        self._metrics.emit(ObjectsLoaded=1, LoadDuration=duration_ms, **counts)
        if outcome.landed.newest_sent_at_ms is not None:
            lag_ms = max(0, visible_ms - outcome.landed.newest_sent_at_ms)
            self._metrics.emit(HeartbeatsLoaded=outcome.landed.count, HeartbeatLag=lag_ms)
        if outcome.newest_changed_at_ms is not None:
            self._metrics.emit(LoadLag=max(0, visible_ms - outcome.newest_changed_at_ms))
        _LOG.info("object loaded", extra=fields(object=ref.url, duration_ms=duration_ms, **counts))


def _answer(
    announcements: tuple[Announcement, ...], failures: list[tuple[Announcement, Ddb2AuroraError]], *, received: int
) -> dict[str, Any]:
    for announcement, error in failures:
        # An unreadable message concerns that message alone; its queue sets it aside after some deliveries.
        if isinstance(error, HaltError) and error is not announcement.error:
            raise error
    failed = list(dict.fromkeys(found.message_id for found, _ in failures))
    if any(found.message_id is not None for found in announcements):
        # SQS delivers each listed message again by itself; what is not listed is deleted from the queue.
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
    if failures and received == 1:
        # As S3 itself announces objects. The on-failure destination then hears what it was, by name.
        raise failures[0][1]
    if failures:
        raise ObjectsFailedError(
            f"{len(failures)} of {received} objects were not loaded; the first error: {failures[0][1]}"
        ) from failures[0][1]
    return {"objects": received}
