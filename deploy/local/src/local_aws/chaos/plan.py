"""What a run of chaos sets out to do: how much is written in how long, and which faults strike how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# How likely a fault is at each of its opportunities. Those of the running server, and of two loaders that meet, have
# no opportunity of their own: they are brought about whenever they are behind their pace.
RATES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "firehose.throttle_call": 0.03,
        "firehose.refuse_record": 0.002,
        "firehose.lose_answer": 0.03,
        "firehose.delay_delivery": 0.08,
        "firehose.duplicate_object": 0.1,
        "firehose.reorder_records": 0.3,
        "stream-processor.crash_before": 0.02,
        "stream-processor.crash_during": 0.02,
        "stream-processor.lose_answer": 0.02,
        "firehose-transformer.crash_before": 0.02,
        "firehose-transformer.crash_during": 0.02,
        "firehose-transformer.lose_answer": 0.02,
        "aurora-loader.crash_before": 0.02,
        "aurora-loader.crash_during": 0.02,
        "aurora-loader.lose_answer": 0.02,
        "stream.duplicate_batch": 0.1,
        "notification.lose": 0.08,
        "notification.duplicate": 0.4,
        "notification.delay": 0.1,
        "loader.same_object": 0,
        "database.drop_connection": 0.004,
        "database.kill_connection": 0,
        "database.lock_timeout": 0.01,
        "database.lock_wait": 0,
        "database.deadlock": 0,
        "database.slow": 0.1,
        "database.read_only": 0.04,
        "database.lose_commit": 0.05,
        "database.lose_commit_answer": 0.05,
        "database.restart": 0,
        "database.crash": 0,
    }
)

# Faults aim higher than what is asked and are done a little early, as the last ones may miss.
_MARGIN: Final = 1.15
_ALL_STRUCK_AT: Final = 0.9
# Without a number that is asked, each fault strikes about this often.
_USUAL_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """
    One run: *changes* written evenly over *seconds*, while each fault strikes *least* times or more.

    On a busy machine it takes longer, and when faults are still too rare it writes more.
    """

    seed: int
    changes: int
    seconds: float
    least: int

    @property
    def cold_items(self) -> int:
        """How many items there are beside the hot ones: about two changes each."""
        return max(1, self.changes // 3)


class Pace:
    """
    How often each fault should have struck by now.

    It follows what the run has done, not the clock alone: on a busy machine faults come no faster than changes do.
    """

    def __init__(self, plan: Plan) -> None:
        self._aim = max(plan.least * _MARGIN, plan.seconds / _USUAL_SECONDS)
        self._done = 0.0

    def reach(self, done: float) -> None:
        """Say which share of the run is done."""
        self._done = min(1, done / _ALL_STRUCK_AT)

    def __call__(self) -> float:
        """Return how often."""
        return self._aim * self._done
