"""
Delivery to Data Firehose: in calls within its limits, again for what was refused, until time runs short.

Firehose answers a call with success although it refused some of its records, in any positions; only those are sent
again, after a pause with full jitter. What was not confirmed is returned, never forgotten. A record carries one change,
or several that are packed; they are accepted, refused and sent again together, and counted one by one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from ddb2aurora.packing import billed_bytes, packed
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
    way, with these *codes*, and accepted so many *records*, for which it bills so many *billed_bytes*.
    """

    accepted: int
    left: tuple[Outgoing, ...]
    refused: int
    codes: tuple[str, ...]
    records: int
    billed_bytes: int


class FirehoseRecord(NamedTuple):
    """What Firehose takes or refuses as one: the *changes* in it, and its *data*."""

    changes: tuple[Outgoing, ...]
    data: bytes


def records_of(outgoing: Iterable[Outgoing], *, packing: bool) -> Iterator[FirehoseRecord]:
    """Yield the records that carry *outgoing*, in order: one for each change, or with *packing* one for many."""
    if not packing:
        yield from (FirehoseRecord((change,), change.data) for change in outgoing)
        return
    for group in packed(outgoing, size_of=lambda change: len(change.data)):
        yield FirehoseRecord(group, b"".join(change.data for change in group))


def calls_of(records: Iterable[FirehoseRecord]) -> Iterator[tuple[FirehoseRecord, ...]]:
    """Yield *records* in order, in groups that each fit one call."""
    group: list[FirehoseRecord] = []
    size = 0
    for record in records:
        if group and (len(group) == MAX_CALL_RECORDS or size + len(record.data) > MAX_CALL_BYTES):
            yield tuple(group)
            group, size = [], 0
        group.append(record)
        size += len(record.data)
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
        packing: bool = False,
    ) -> None:
        """
        Deliver to *stream* while *seconds_left* is positive, with *packing* many changes a record.

        *random* gives numbers from 0 up to 1; together with *sleep* it makes the pauses.
        """
        self._stream = stream
        self._packing = packing
        self._seconds_left = seconds_left
        self._sleep = sleep
        self._random = random

    def deliver(self, outgoing: Iterable[Outgoing]) -> Outcome:
        """
        Send *outgoing* and send again what is refused, as long as there is time.

        Raises:
            HaltError: Firehose cannot take anything before someone acts.
        """
        pending = list(records_of(outgoing, packing=self._packing))
        accepted: list[FirehoseRecord] = []
        refusals, pause = Counter[str](), _FIRST_PAUSE_SECONDS
        while True:
            left: list[FirehoseRecord] = []
            for call in calls_of(pending):
                if self._seconds_left() <= 0:
                    left.extend(call)
                    continue
                errors = self._offer(call)
                refusals.update(error for error in errors if error is not None)
                for record, error in zip(call, errors, strict=True):
                    (accepted if error is None else left).append(record)
            delay = self._random() * pause
            if not left or delay >= self._seconds_left():
                return _outcome(accepted, left, refusals)
            self._sleep(delay)
            pending, pause = left, min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _offer(self, call: tuple[FirehoseRecord, ...]) -> Sequence[str | None]:
        answer = self._stream.put([record.data for record in call])
        return [answer.code] * len(call) if isinstance(answer, Refused) else answer


def _outcome(accepted: Sequence[FirehoseRecord], left: Sequence[FirehoseRecord], refusals: Counter[str]) -> Outcome:
    return Outcome(
        accepted=sum(len(record.changes) for record in accepted),
        left=tuple(change for record in left for change in record.changes),
        refused=refusals.total(),
        codes=tuple(sorted(refusals)),
        records=len(accepted),
        billed_bytes=billed_bytes(len(record.data) for record in accepted),
    )
