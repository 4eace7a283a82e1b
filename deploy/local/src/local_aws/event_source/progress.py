"""How far a shard is read, and up to where everything is done."""

from collections import deque
from collections.abc import Iterable


class Progress:
    """
    Follow the records of one shard until they are done, in whatever order that happens.

    Batches of different items are worked on at the same time; the checkpoint moves only past records before which
    nothing is open. Not safe to share between threads.
    """

    def __init__(self) -> None:
        self._open: deque[str] = deque()
        self._done: set[str] = set()

    def read(self, sequences: Iterable[str]) -> None:
        """Take the sequence numbers of records that were read, in the order of the shard."""
        self._open.extend(sequences)

    def done(self, sequences: Iterable[str]) -> str | None:
        """Take the numbers of records that are done; return the new checkpoint when it moves."""
        self._done.update(sequences)
        checkpoint = None
        while self._open and self._open[0] in self._done:
            checkpoint = self._open.popleft()
            self._done.remove(checkpoint)
        return checkpoint

    @property
    def pending(self) -> int:
        """How many records are read and not done."""
        return len(self._open) - len(self._done)
