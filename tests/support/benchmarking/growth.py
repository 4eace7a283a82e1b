"""How a cost grows with a size: the slope of its logarithm against that of the size."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from benchmarking.interleave import Spread, spread


class Curve(NamedTuple):
    """What one unit of work costs at each size: *costs* holds a list a size, of as many rounds as the others."""

    sizes: Sequence[float]
    costs: Sequence[Sequence[float]]

    def spreads(self) -> list[Spread]:
        """Return the cost at each size over the rounds."""
        return [spread(each) for each in self.costs]

    def slope(self) -> Spread:
        """
        Return the exponent of the power of the size that the cost grows with, fitted to each round by itself.

        0 is a cost that stays, 1 one that grows as the size does.
        """
        return spread([fit(self.sizes, costs).slope for costs in zip(*self.costs, strict=True)])

    def beginning_at(self, size: float) -> "Curve":
        """Return the part of the curve from *size* on."""
        kept = [place for place, each in enumerate(self.sizes) if each >= size]
        return Curve([self.sizes[place] for place in kept], [self.costs[place] for place in kept])

    def rise(self) -> Spread:
        """Return the cost at the last size ÷ that at the size where it is least by its median, round by round."""
        least = min(self.costs, key=statistics.median)
        return spread([last / first for last, first in zip(self.costs[-1], least, strict=True)])


class Fit(NamedTuple):
    """The power law `factor × size ** slope`."""

    slope: float
    factor: float

    def at(self, size: float) -> float:
        """Return the cost at *size*."""
        return self.factor * size**self.slope


def fit(sizes: Sequence[float], costs: Sequence[float], *, slope: float | None = None) -> Fit:
    """Return the power law that fits best by least squares of logarithms, or the best one of a given *slope*."""
    logs = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    if slope is None:
        slope = statistics.linear_regression(*logs).slope
    x, y = (statistics.fmean(each) for each in logs)
    return Fit(slope, math.exp(y - slope * x))
