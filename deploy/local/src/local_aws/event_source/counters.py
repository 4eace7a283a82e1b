"""What a mapping has done so far."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MappingCounters:
    """Counts since the start; `records_read == records_succeeded + records_discarded + what is under way`."""

    records_read: int = 0
    records_succeeded: int = 0
    records_discarded: int = 0
    batches_succeeded: int = 0
    batches_discarded: int = 0
    batches_duplicated: int = 0
    """Batches that a fault delivered again."""
    invocations: int = 0
    retries: int = 0
    """Invocations that did not make their whole batch succeed, so that something had to be tried again or given up."""
    throttles: int = 0
    destination_errors: int = 0
    read_errors: int = 0
