"""How sizes are spread, in bounded memory: exact at the largest, within four percent elsewhere."""

from collections import Counter
from typing import Final

_FINE_BITS: Final = 5


class Sizes:
    """Sizes in bytes that were seen."""

    def __init__(self) -> None:
        """Begin with none."""
        self.largest = 0
        self._buckets: Counter[int] = Counter()

    def add(self, size: int) -> None:
        """Count *size* in."""
        self.largest = max(self.largest, size)
        shift = max(0, size.bit_length() - _FINE_BITS - 1)
        # The upper end of the bucket: what is said is never less than what was seen.
        self._buckets[(((size >> shift) + 1) << shift) - 1] += 1

    def percentile(self, share: float) -> int:
        """Return a size that this *share* of all does not exceed."""
        wanted = share * self._buckets.total()
        seen = 0
        for size, count in sorted(self._buckets.items()):
            seen += count
            if seen >= wanted:
                return min(size, self.largest)
        return self.largest
