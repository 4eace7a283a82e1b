"""
Measure contestants in turns (A B C, C B A, A B C, …), so that what disturbs the machine disturbs all of them alike.

Each round gives one sample of each. Comparisons are made within a round and then summed up by median and quartiles.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

_MOST_REPEATS: Final = 1_000_000


class Sample(NamedTuple):
    """What one go took; the CPU time is that of all threads."""

    wall_seconds: float
    cpu_seconds: float


# Does its work so many times in a row.
Contestant: TypeAlias = Callable[[int], Sample]


class Spread(NamedTuple):
    """A median between its quartiles."""

    median: float
    low: float
    high: float

    def times(self, factor: float) -> "Spread":
        """Return the same in another unit."""
        return Spread(*(value * factor for value in self))


class Samples(NamedTuple):
    """Seconds for one repetition, a value a round."""

    repeats: int
    wall: list[float]
    cpu: list[float]

    def to_json(self) -> dict[str, Any]:
        """Return what a file keeps, at six significant digits."""
        return {
            "repeats": self.repeats,
            "wall_seconds": [float(f"{value:.6g}") for value in self.wall],
            "cpu_seconds": [float(f"{value:.6g}") for value in self.cpu],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Samples":
        """Return what `to_json` gave."""
        return cls(kept["repeats"], kept["wall_seconds"], kept["cpu_seconds"])

    def per_second(self, count: int) -> Spread:
        """Return how many of *count* things a repetition does in a second of CPU time."""
        return spread([count / value for value in self.cpu])


def spread(values: Sequence[float]) -> Spread:
    """Return the median and the quartiles of *values*."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def ratio(ours: Samples, theirs: Samples) -> Spread:
    """Return how many times as fast as *theirs* we are in CPU time, compared round by round."""
    return spread([other / own for own, other in zip(ours.cpu, theirs.cpu, strict=True)])


def wall_ratio(ours: Samples, theirs: Samples) -> Spread:
    """Return the same in wall time."""
    return spread([other / own for own, other in zip(ours.wall, theirs.wall, strict=True)])


def timed(work: Callable[[], object]) -> Contestant:
    """Return *work* as a contestant in this process."""

    def contestant(times: int) -> Sample:
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(times):
            work()
        return Sample(time.perf_counter() - wall, time.process_time() - cpu)

    return contestant


def interleaved(
    contestants: Mapping[str, Contestant], *, rounds: int, at_least_seconds: float = 0.1
) -> dict[str, Samples]:
    """
    Return the samples of *contestants*: *rounds* of them, after each has warmed up.

    Each repeats its work until a round takes *at_least_seconds*; with 0 it does it once, and nothing warms it up.
    """
    repeats = {name: _repeats_of(contestant, at_least_seconds) for name, contestant in contestants.items()}
    samples = {name: Samples(repeats[name], [], []) for name in contestants}
    order = list(contestants)
    for _ in range(rounds):
        for name in order:
            taken = contestants[name](repeats[name])
            samples[name].wall.append(taken.wall_seconds / repeats[name])
            samples[name].cpu.append(taken.cpu_seconds / repeats[name])
        order.reverse()
    return samples


def _repeats_of(contestant: Contestant, at_least_seconds: float) -> int:
    """Return how often the work is repeated in a round; finding out is what warms it up."""
    repeats = 1
    if at_least_seconds <= 0:
        return repeats
    # Compilers that learn while the program runs need a while: as long as some rounds take.
    warm_until = 4 * at_least_seconds
    spent = 0.0
    while repeats < _MOST_REPEATS:
        taken = contestant(repeats).wall_seconds
        spent += taken
        if taken >= at_least_seconds and spent >= warm_until:
            return max(1, round(repeats * at_least_seconds / taken))
        if taken < at_least_seconds:
            repeats *= 2
    return repeats
