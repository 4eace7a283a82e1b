"""What a rule is, and what is found when one is looked at."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from conformance.subject import Subject

KEPT = "kept"
BROKEN = "broken"
NOT_OFFERED = "not offered"

# How long something that is due may take on a busy machine, and how long a look waits for the next.
PATIENCE_SECONDS = 8.0
LOOK_EVERY_SECONDS = 0.1
# With these an emulator says that it does not have an operation at all.
_UNKNOWN_OPERATION = {"NotImplemented", "UnknownOperationException", "InvalidAction"}

T = TypeVar("T")


class BrokenError(Exception):
    """A rule is not kept; the text says what was seen instead."""


@dataclass(frozen=True)
class Verdict:
    kind: str
    seen: str = ""


@dataclass(frozen=True)
class Rule:
    """A sentence about AWS, and a look that raises BrokenError where it is not true."""

    text: str
    look: Callable[["Subject"], None]
    needs_function: bool

    @property
    def name(self) -> str:
        return self.look.__name__

    def judge(self, subject: "Subject") -> Verdict:
        """Return whether *subject* keeps this rule."""
        if self.needs_function and subject.function_arn is None:
            return Verdict(NOT_OFFERED, subject.no_function)
        try:
            self.look(subject)
        except BrokenError as error:
            return Verdict(BROKEN, str(error))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return Verdict(NOT_OFFERED if code in _UNKNOWN_OPERATION else BROKEN, f"{error.operation_name}: {code}")
        except BotoCoreError as error:
            return Verdict(BROKEN, type(error).__name__)
        return Verdict(KEPT)


def rule(text: str, *, needs_function: bool = False) -> Callable[[Callable[["Subject"], None]], Rule]:
    """Make a rule of the function that looks."""
    return lambda look: Rule(text, look, needs_function)


def expect(held: bool, otherwise: str) -> None:
    """
    Go on if it *held*.

    Raises:
        BrokenError: It did not; *otherwise* says what was seen.
    """
    if not held:
        raise BrokenError(otherwise)


def expect_refusal(code: str, call: Callable[[], Any]) -> None:
    """
    See that *call* is refused with *code*.

    Raises:
        BrokenError: It is accepted, or refused with another code.
    """
    try:
        answer = call()
    except ClientError as error:
        found = error.response["Error"]["Code"]
        expect(found == code, f"refused with {found}")
    else:
        failed = answer.get("FailedPutCount", 0) if isinstance(answer, dict) else 0
        raise BrokenError(f"accepted, with FailedPutCount {failed}" if failed else "accepted")


def awaited(look: Callable[[], T], wanted: Callable[[T], object], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Look until what is seen is *wanted* or the time is over, and return what was seen last."""
    deadline = time.monotonic() + seconds
    while not wanted(seen := look()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_SECONDS)
    return seen
