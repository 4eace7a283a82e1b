"""From the line of a change to the line of its row: the quick way where it leads, the slower one for the rest."""

from ddb2aurora.dialect import encode_row
from ddb2aurora.envelope import decode_change
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.quick_rows import QuickRow, quick_rows


class RowLines:
    """The rows of one pipeline as lines."""

    def __init__(self, pipeline: Pipeline, *, mapper: Mapper | None = None) -> None:
        """
        Prepare both ways of *pipeline*; with a *mapper* of one's own there is the slower one alone.

        Raises:
            SchemaFileError: A JSON Schema of the pipeline cannot be used.
        """
        self.pipeline = pipeline
        self._mapper = mapper or Mapper(pipeline)
        quick = quick_rows(pipeline) if mapper is None else None
        self.quick: QuickRow = quick or _nowhere
        """The line of a change's row, or what it is rejected with, or None: ask `slower`."""

    def of(self, change: bytes) -> bytes | None:
        """
        Return the row of a change, None if the pipeline's policy is to leave no trace of it.

        Raises:
            RejectError: The change can never load; the error says why.
        """
        found = self.quick(change)
        if isinstance(found, RejectError):
            raise found
        return self.slower(change) if found is None else found

    def slower(self, change: bytes) -> bytes | None:
        """
        Return the same without trying the quick way.

        Raises:
            RejectError: The change can never load; the error says why.
        """
        try:
            row = self._mapper.row(decode_change(change))
            return None if row is None else encode_row(row)
        except RejectError:
            raise
        except Exception as error:
            # One change must never cost its neighbours their place, whatever it has found in our code.
            raise RejectError(Reason.UNEXPECTED, detail=type(error).__name__) from error


def _nowhere(_change: bytes) -> bytes | None:
    return None
