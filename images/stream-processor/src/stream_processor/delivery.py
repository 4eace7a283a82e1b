"""
Delivery to Data Firehose: in calls within its limits, again for what was refused, until time runs short.

Firehose answers a call with success although it refused some of its records, in any positions; only those are sent
again, after a pause with full jitter. What was not confirmed is returned, never forgotten.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from stream_processor.changes import Outgoing

MAX_CALL_RECORDS: Final = 500  # Firehose: at most 500 records a call
MAX_CALL_BYTES: Final = 4 * 1024 * 1024  # Firehose: at most 4 MiB a call
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0


class Refused(NamedTuple):
    """A whole call that failed in a way that may pass; *code* names the failure."""

    code: str


class DeliveryStream(Protocol):
    """Where records go."""

    def put(self, records: Sequence[bytes]) -> Sequence[str | None] | Refused:
        """
        Offer *records* (within the limits of one call) once.

        Returns an error code or None (accepted) for each of them, in order, or that the call as a whole was refused.

        Raises:
            HaltError: The call cannot work before someone acts.
        """
        ...


class Outcome(NamedTuple):
    """
    What became of a delivery.

    *accepted* counts the changes that were confirmed, *left* are the others. Firehose *refused* so many records on the
    way, with these *codes*.
    """

    accepted: int
    left: tuple[Outgoing, ...]
    refused: int
    codes: tuple[str, ...]


def calls_of(outgoing: Iterable[Outgoing]) -> Iterator[tuple[Outgoing, ...]]:
    """Yield *outgoing* in order, in groups that each fit one call."""
    group: list[Outgoing] = []
    size = 0
    for change in outgoing:
        if group and (len(group) == MAX_CALL_RECORDS or size + len(change.data) > MAX_CALL_BYTES):
            yield tuple(group)
            group, size = [], 0
        group.append(change)
        size += len(change.data)
    if group:
        yield tuple(group)


class Delivery:
    """Deliver changes to one stream."""

    def __init__(
        self,
        stream: DeliveryStream,
        *,
        seconds_left: Callable[[], float],
        sleep: Callable[[float], None],
        random: Callable[[], float],
    ) -> None:
        """
        Deliver to *stream* while *seconds_left* is positive.

        *random* gives numbers from 0 up to 1; together with *sleep* it makes the pauses.
        """
        self._stream = stream
        self._seconds_left = seconds_left
        self._sleep = sleep
        self._random = random

    def deliver(self, outgoing: Iterable[Outgoing]) -> Outcome:
        """
        Send *outgoing* and send again what is refused, as long as there is time.

        Raises:
            HaltError: Firehose cannot take anything before someone acts.
        """
        pending = list(outgoing)
        accepted, refusals = 0, Counter[str]()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            left: list[Outgoing] = []
            for call in calls_of(pending):
                if self._seconds_left() <= 0:
                    left.extend(call)
                    continue
                errors = self._offer(call)
                refusals.update(error for error in errors if error is not None)
                accepted += errors.count(None)
                left.extend(change for change, error in zip(call, errors, strict=True) if error is not None)
            delay = self._random() * pause
            if not left or delay >= self._seconds_left():
                return Outcome(accepted, tuple(left), refusals.total(), tuple(sorted(refusals)))
            self._sleep(delay)
            pending, pause = left, min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _offer(self, call: tuple[Outgoing, ...]) -> Sequence[str | None]:
        answer = self._stream.put([change.data for change in call])
        return [answer.code] * len(call) if isinstance(answer, Refused) else answer
