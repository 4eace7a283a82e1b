"""What stops a backfill: the errors that several of its modules raise."""

from ddb2aurora.errors import HaltError, RetryError


class NoStreamError(HaltError):
    """Changes that happen while the table is read, or happened since its export, would be lost."""


class ClockError(HaltError):
    """The clock of this machine is ahead of AWS."""


class ExportError(HaltError):
    """There is no export that can be backfilled from at the place that was named."""


class RunConflictError(HaltError):
    """A run is unfinished, and what is wanted now does not fit it; or there is none to go on with."""


class BackfillRunningError(RetryError):
    """Somebody else backfills the same table."""


class LoaderIdleError(RetryError):
    """Objects were written, and nobody loads them."""
