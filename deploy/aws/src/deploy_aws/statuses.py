"""What the status of a stack asks for before it can be deployed or deleted. Pure: a status in, a step out."""

from enum import Enum
from typing import Final


class Step(Enum):
    """The next thing to do with a stack."""

    CREATE = "create"
    UPDATE = "update"
    # A first creation failed, and what was made of it has been kept: an update goes on from there.
    RESUME = "go on with its creation"
    # A first creation was rolled back: such a stack can only be deleted, and holds nothing that was ever used.
    REMAKE = "delete it and make it anew"
    # A change set was made for a stack that is not there yet, and never executed.
    DISCARD = "delete what a plan left behind"
    WAIT = "wait"
    CONTINUE_ROLLBACK = "continue its rollback"
    FINISH_DELETE = "finish deleting it"


_STEPS: Final = {
    None: Step.CREATE,
    "DELETE_COMPLETE": Step.CREATE,
    "REVIEW_IN_PROGRESS": Step.DISCARD,
    "ROLLBACK_COMPLETE": Step.REMAKE,
    "ROLLBACK_FAILED": Step.REMAKE,
    "CREATE_FAILED": Step.RESUME,
    # Only an update that goes on with a creation is not rolled back.
    "UPDATE_FAILED": Step.RESUME,
    "UPDATE_ROLLBACK_FAILED": Step.CONTINUE_ROLLBACK,
    "DELETE_FAILED": Step.FINISH_DELETE,
}


def next_step(status: str | None) -> Step:
    """Return what a stack of this *status* needs before it is as wanted; None stands for a stack that is not there."""
    known = _STEPS.get(status)
    if known is not None:
        return known
    return Step.UPDATE if at_rest(status) else Step.WAIT


def succeeded(status: str | None) -> bool:
    """Return whether a stack that has come to rest in this *status* is what was asked for."""
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}


def at_rest(status: str | None) -> bool:
    """Return whether nothing goes on in a stack of this *status*."""
    # While the old resources of an update are removed the new ones work, but the stack takes no other operation.
    return status is None or status == "REVIEW_IN_PROGRESS" or not status.endswith("_IN_PROGRESS")
