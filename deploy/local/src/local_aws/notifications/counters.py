"""What the notifications of a bucket have done so far."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotificationCounters:
    """Counts since the start; `events == succeeded + failed + dropped + lost + what is under way`."""

    messages: int = 0
    messages_ignored: int = 0
    """Test events of S3, and messages that S3 does not send."""
    events: int = 0
    succeeded: int = 0
    failed: int = 0
    """Events that were given up and that the on-failure destination has."""
    dropped: int = 0
    """Events that were given up without an on-failure destination."""
    lost: int = 0
    """Events that a fault lost."""
    duplicated: int = 0
    """Events that a fault added as doubles of others."""
    delayed: int = 0
    invocations: int = 0
    retries: int = 0
    throttles: int = 0
    destination_errors: int = 0
    queue_errors: int = 0
