"""
The error tree: the class of an error is the decision what to do about it.

A stage turns the class into its Lambda answer in one place. Leaves live next to the code that raises them. An error
says what was tried, where, and what an operator can do; it never carries a value of an item or a row.
"""

from enum import StrEnum


class Ddb2AuroraError(Exception):
    """Base of every error that this project raises on purpose."""


class HaltError(Ddb2AuroraError):
    """Nothing more may load until someone acts: fail the whole batch and raise the alarm."""


class RetryError(Ddb2AuroraError):
    """The same input may work later: report those items as failed."""


class Reason(StrEnum):
    """Why a change can never load; the code that operators count and search by."""

    UNDECODABLE = "undecodable"
    UNKNOWN_FORMAT = "unknown_format"
    KEY_MISMATCH = "key_mismatch"
    BAD_NUMBER = "bad_number"
    DOCUMENT_MISSING = "document_missing"
    DOCUMENT_NOT_TEXT = "document_not_text"
    DOCUMENT_NOT_JSON = "document_not_json"
    SCHEMA_VIOLATION = "schema_violation"
    MISFIT = "misfit"
    NULL_NOT_ALLOWED = "null_not_allowed"
    ANSWER_TOO_LARGE = "answer_too_large"
    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    UNEXPECTED = "unexpected"


class RejectError(Ddb2AuroraError):
    """This change can never load: quarantine it with its reason and go on with the others."""

    def __init__(self, reason: Reason, *, pointer: str = "", detail: str = "") -> None:
        """
        Say why the change is rejected.

        *pointer* is a JSON pointer (RFC 6901) to the place inside the item; *detail* names the rule that was broken,
        never the value that broke it.
        """
        super().__init__(reason, pointer, detail)
        self.reason = reason
        self.pointer = pointer
        self.detail = detail

    def __str__(self) -> str:
        place = f" at {self.pointer}" if self.pointer else ""
        return f"{self.reason}{place}" + (f": {self.detail}" if self.detail else "")
