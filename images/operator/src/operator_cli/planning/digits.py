"""What the numbers at one place have in common: how many digits they need, and which types keep them exactly."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ddb2aurora.column_types import parse_column_type
from ddb2aurora.fields import Encoder, MisfitError, encoder_for

_AS_DOUBLE: Final = encoder_for(parse_column_type("double"))
_IN_JSON: Final = encoder_for(parse_column_type("json"))
_IN_TEXT: Final = encoder_for(parse_column_type("longtext"))
_INT64: Final = 2**63
_UINT64: Final = 2**64


@dataclass(slots=True)
class Numbers:
    """The numbers that were seen; nothing of them is kept but what is named here."""

    lowest: Decimal | int | None = None
    highest: Decimal | int | None = None
    whole_digits: int = 0
    fraction_digits: int = 0
    longest_text: int = 0
    """Characters of the longest number, written in full."""
    are_doubles: bool = True
    """Whether a DOUBLE keeps each exactly."""
    in_json: bool = True
    """Whether MySQL's JSON keeps each exactly."""
    written_whole: bool = True
    """Whether each is a whole number in JSON too, where 1.0 is none to the older drafts of JSON Schema."""

    def add(self, number: Decimal | int) -> tuple[int, bool]:
        """Count *number* in; return its length in full, and whether MySQL's JSON keeps it exactly."""
        text = _IN_TEXT(number)
        self.longest_text = max(self.longest_text, len(text))
        if self.lowest is None or number < self.lowest:
            self.lowest = number
        if self.highest is None or number > self.highest:
            self.highest = number
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        self.whole_digits = max(self.whole_digits, len(whole.lstrip("-").lstrip("0")))
        self.fraction_digits = max(self.fraction_digits, len(fraction))
        self.written_whole = self.written_whole and isinstance(number, int)
        self.are_doubles = self.are_doubles and _fits(_AS_DOUBLE, number)
        in_json = _fits(_IN_JSON, number)
        self.in_json = self.in_json and in_json
        return len(text), in_json

    @property
    def are_whole(self) -> bool:
        """Whether none has a fraction."""
        return self.fraction_digits == 0

    @property
    def in_int64(self) -> bool:
        """Whether a BIGINT keeps each."""
        return self.are_whole and self._between(-_INT64, _INT64)

    @property
    def in_uint64(self) -> bool:
        """Whether a BIGINT UNSIGNED keeps each."""
        return self.are_whole and self._between(0, _UINT64)

    def _between(self, low: int, high: int) -> bool:
        return self.lowest is not None and self.highest is not None and low <= self.lowest and self.highest < high


def _fits(encode: Encoder, number: Decimal | int) -> bool:
    try:
        encode(number)
    except MisfitError:
        return False
    return True
