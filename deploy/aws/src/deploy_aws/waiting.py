"""Ask again and again until something is so: with growing pauses, never for ever."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from deploy_aws.errors import DeploymentFailedError

_T = TypeVar("_T")
_GROWTH: Final = 1.5


class WaitedTooLongError(DeploymentFailedError):
    """Something did not become so in the time that it was given."""


class Waiter:
    """Make the pauses between questions; a test gives a clock and a sleep of its own."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        first_pause_seconds: float = 0.5,
        longest_pause_seconds: float = 10.0,
    ) -> None:
        """Begin with pauses of about *first_pause_seconds*, which grow up to *longest_pause_seconds*."""
        self._clock = clock
        self._sleep = sleep
        self._first = first_pause_seconds
        self._longest = longest_pause_seconds
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    def until(self, ask: Callable[[], _T | None], *, seconds: float, what: str) -> _T:
        """
        Call *ask* until it returns something else than None, and return that.

        *what* says in an error what was waited for.

        Raises:
            WaitedTooLongError: *seconds* have passed.
        """
        deadline, pause = self._clock() + seconds, self._first
        while True:
            answer = ask()
            if answer is not None:
                return answer
            left = deadline - self._clock()
            if left <= 0:
                raise WaitedTooLongError(
                    f"{what} took longer than {seconds / 60:g} minutes; see why, then run it again"
                )
            # Many who wait for the same thing do not all ask at the same time.
            self._sleep(min(left, pause * self._random.uniform(0.7, 1.3)))
            pause = min(self._longest, pause * _GROWTH)
