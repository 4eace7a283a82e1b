"""What the strings at one place have in common: how long they are, and whether all are dates or times."""

from dataclasses import dataclass
from typing import Final

from ddb2aurora.column_types import parse_column_type
from ddb2aurora.fields import Encoder, MisfitError, encoder_for

_AS_DATE: Final = encoder_for(parse_column_type("date"))
_AS_TIME: Final = encoder_for(parse_column_type("datetime(6)"))
_DATE_CHARACTERS: Final = 10
_SECOND_CHARACTERS: Final = 19  # 2026-01-05T10:00:00


@dataclass(slots=True)
class Texts:
    """The strings that were seen; nothing of them is kept but what is named here."""

    count: int = 0
    longest_characters: int = 0
    longest_bytes: int = 0
    dates: int = 0
    """How many are ISO 8601 dates that DATE takes."""
    times: int = 0
    """How many are ISO 8601 dates with a time that DATETIME takes."""
    times_with_offset: int = 0
    """How many of those times say how far they are from UTC."""
    second_digits: int = 0
    """Digits of a second that those times have at most."""

    def add(self, text: str) -> None:
        """Count *text* in."""
        self.count += 1
        self.longest_characters = max(self.longest_characters, len(text))
        self.longest_bytes = max(self.longest_bytes, len(text.encode(errors="surrogatepass")))
        if len(text) < _DATE_CHARACTERS or text[4] != "-":
            return
        if len(text) == _DATE_CHARACTERS:
            self.dates += _field(_AS_DATE, text) is not None
        elif len(text) >= _SECOND_CHARACTERS and (field := _field(_AS_TIME, text)) is not None:
            self.times += 1
            self.times_with_offset += text.endswith("Z") or text[-6] in "+-"
            self.second_digits = max(self.second_digits, len(field.partition(".")[2]))

    @property
    def are_dates(self) -> bool:
        """Whether all are dates."""
        return self.dates == self.count

    @property
    def are_times(self) -> bool:
        """Whether all are times of one meaning: either all say how far they are from UTC, or none does."""
        return self.times == self.count and self.times_with_offset in (0, self.count)


def _field(encode: Encoder, text: str) -> str | None:
    try:
        return encode(text)
    except MisfitError:
        return None
