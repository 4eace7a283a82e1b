"""
The items to look at: of a whole table, of a sample of it, or of an export, read by several threads at once.

A sample is of segments. DynamoDB divides a table into segments by the hash of the hash key, so a few of very many
segments are a fair draw, and the rest of the table is neither read nor paid for.
"""

import math
import queue
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol, Self

from operator_cli.scanning.table import Item, Page

Items = tuple[Item, ...]
Part = Callable[[], Iterator[Items]]

_MOST_SEGMENTS: Final = 10_000
_ITEMS_A_SEGMENT: Final = 50
_LEAST_SEGMENTS_READ: Final = 20
_WAIT_SECONDS: Final = 0.2


class Sample(NamedTuple):
    """How much to read: about so many *items*, or a *share*; all of it where both are None."""

    items: int | None = None
    share: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all is to be read."""
        return self.items is None and self.share is None


class Pages(Protocol):
    """What gives the pages of a segment: `TableScan`."""

    def pages(self, segment: int, *, of: int, limit: int | None = None, consistent: bool = True) -> Iterator[Page]:
        """See `TableScan.pages`."""
        ...


def scan_parts(scan: Pages, sample: Sample, *, segments: int, about_items: int, seed: int = 1) -> list[Part]:
    """Return what to read of a table of *about_items*; *seed* draws the sample."""
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    limit: int | None = None
    if sample.share is not None:
        segments = min(_MOST_SEGMENTS, max(segments, math.ceil(_LEAST_SEGMENTS_READ / sample.share)))
        numbers = draw.sample(range(segments), max(1, round(segments * sample.share)))
    elif sample.items is not None:
        segments = min(_MOST_SEGMENTS, max(segments, about_items // _ITEMS_A_SEGMENT))
        numbers = draw.sample(range(segments), segments)
        # Of each segment as much as it takes, and as much again, since some hold less.
        limit = max(_ITEMS_A_SEGMENT, math.ceil(2 * sample.items / segments))
    else:
        numbers = list(range(segments))

    def part(number: int) -> Part:
        def read() -> Iterator[Items]:
            # An answer that may be a second old tells as much, and costs half.
            for page in scan.pages(number, of=segments, limit=limit, consistent=False):
                yield page.items
                if limit is not None:
                    return

        return read

    return [part(number) for number in numbers]


def limited(batches: Iterator[Items], most: int | None) -> Iterator[Items]:
    """Yield *batches* until there were *most* items, all of them where it is None."""
    if most is None:
        yield from batches
        return
    left = most
    for batch in batches:
        yield batch[:left]
        left -= len(batch)
        if left <= 0:
            return


def thinned(batches: Iterator[Items], share: float | None, *, seed: int = 1) -> Iterator[Items]:
    """Yield about a *share* of the items of *batches*, all of them where it is None; *seed* draws them."""
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    for batch in batches:
        yield batch if share is None else tuple(item for item in batch if draw.random() < share)


class Readers:
    """Threads that read parts; a few batches are held at a time. Ended by the end of a `with`, or of the parts."""

    def __init__(self, parts: Sequence[Part], *, threads: int) -> None:
        """Read *parts* by so many *threads*."""
        self._parts: queue.SimpleQueue[Part] = queue.SimpleQueue()
        for part in parts:
            self._parts.put(part)
        self._read: queue.Queue[Items | BaseException | None] = queue.Queue(maxsize=2 * threads)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"reader-{number}", daemon=True) for number in range(threads)
        ]

    def __enter__(self) -> Self:
        """Begin to read."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Read no more."""
        self._stop.set()

    def batches(self) -> Iterator[Items]:
        """Yield what is read, in any order; an error of a part is raised here."""
        working = len(self._threads)
        while working:
            found = self._read.get()
            if isinstance(found, BaseException):
                raise found
            if found is None:
                working -= 1
            else:
                yield found

    def _work(self) -> None:
        try:
            for batch in self._batches():
                self._offer(batch)
            self._offer(None)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asks
            self._offer(error)

    def _batches(self) -> Iterator[Items]:
        while not self._stop.is_set():
            try:
                part = self._parts.get_nowait()
            except queue.Empty:
                return
            for batch in part():
                yield batch
                if self._stop.is_set():
                    return

    def _offer(self, found: Items | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._read.put(found, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
            return
