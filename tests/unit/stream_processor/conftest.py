"""Fakes for the world around the stream-processor."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import pytest

from ddb2aurora.errors import RetryError
from stream_processor.delivery import Delivery, Refused


class FakeStream:
    """
    Remembers its calls; answers as *script* says, then accepts everything.

    A step of the script is an error to raise, a `Refused`, or a code by the position of the record that is refused.
    """

    def __init__(self, *script: Exception | Refused | Mapping[int, str]) -> None:
        self.calls: list[list[bytes]] = []
        self.script = list(script)

    def put(self, records: Sequence[bytes]) -> Sequence[str | None] | Refused:
        self.calls.append(list(records))
        step = self.script.pop(0) if self.script else {}
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Refused):
            return step
        return [step.get(position) for position in range(len(records))]


class DeadStream(FakeStream):
    """Refuses every call."""

    def put(self, records: Sequence[bytes]) -> Refused:
        self.calls.append(list(records))
        return Refused("ServiceUnavailableException")


class FakeTime:
    """A clock that only pauses and calls move on, up to *seconds*."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds
        self.pauses: list[float] = []

    def left(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds -= seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


class FakeQuarantine:
    """Keeps objects, unless it is *down*."""

    def __init__(self, *, down: bool = False) -> None:
        self.objects: dict[str, bytes] = {}
        self.down = down

    def write(self, key: str, content: bytes) -> None:
        if self.down:
            raise RetryError("S3 is down")
        self.objects[key] = content


def _delivery(stream: FakeStream, time: FakeTime | None = None, *, random: float = 0.5) -> Delivery:
    time = time or FakeTime()
    return Delivery(stream, seconds_left=time.left, sleep=time.sleep, random=lambda: random)


@pytest.fixture
def make() -> SimpleNamespace:
    """The fakes of this folder, by name."""
    return SimpleNamespace(
        stream=FakeStream, dead_stream=DeadStream, time=FakeTime, quarantine=FakeQuarantine, delivery=_delivery
    )
