"""What travels inside the stand-in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """What one source record contributes to an object."""

    number: int
    arrival_ms: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A source record as it was put; *number* counts the records that a stream accepted."""

    number: int
    arrival_ms: int
    data: bytes

    @property
    def id(self) -> str:
        """The id that the transforming function sees: opaque, and the same on each attempt."""
        return f"49{self.arrival_ms:015d}{self.number:039d}000000"

    def as_part(self) -> Part:
        """Return what this record contributes to an object when nothing transforms it."""
        return Part(self.number, self.arrival_ms, self.data)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a record was not transformed; *code* is one of Firehose's `Lambda.…` codes."""

    code: str
    message: str
