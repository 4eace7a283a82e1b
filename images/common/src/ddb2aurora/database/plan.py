"""What has to be done to a database for a pipeline, and by whom; nothing here does it."""

from dataclasses import dataclass

from ddb2aurora.database.differences import Difference, Mend


@dataclass(frozen=True, slots=True)
class Creation:
    """Something that is missing as a whole, and the statement that makes it."""

    what: str
    statement: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done to a database for a pipeline."""

    creations: tuple[Creation, ...]
    differences: tuple[Difference, ...]
    notes_shape: bool
    """Whether the columns of the pipeline file are still to be noted."""

    def to_do(self, *, allow_copy: bool) -> tuple[Difference, ...]:
        """Return the differences that `migrate` mends."""
        return tuple(found for found in self.differences if _is_done(found, allow_copy=allow_copy))

    def to_decide(self, *, allow_copy: bool) -> tuple[Difference, ...]:
        """Return the differences that a person has to decide; nothing can be loaded as long as they are there."""
        return tuple(
            found
            for found in self.differences
            if found.mend is not Mend.LEFT and not _is_done(found, allow_copy=allow_copy)
        )

    @property
    def left_over(self) -> tuple[Difference, ...]:
        """The differences that may stay."""
        return tuple(found for found in self.differences if found.mend is Mend.LEFT)


def _is_done(difference: Difference, *, allow_copy: bool) -> bool:
    return difference.mend is Mend.ONLINE or (allow_copy and difference.mend is Mend.COPY)
