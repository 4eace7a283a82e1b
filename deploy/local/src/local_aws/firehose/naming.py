"""
Evaluate prefixes and name objects as Firehose does.

A prefix may hold `!{timestamp:pattern}`, `!{firehose:random-string}` and, for errors, `!{firehose:error-output-type}`.
Of Java's timestamp patterns the letters y M d H m s and quoted literals are known; another letter is refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from local_aws.firehose.errors import InvalidArgumentError

DEFAULT_TIMESTAMP = "!{timestamp:yyyy/MM/dd/HH/}"
# Firehose allows 512 characters of a prefix after its expressions are evaluated.
MOST_EVALUATED_CHARACTERS = 512
# Of the error types only this one occurs with an S3 destination and a Lambda function.
PROCESSING_FAILED = "processing-failed"


@dataclass(frozen=True, slots=True)
class Moment:
    """What expressions evaluate to: the local time of the oldest record, and a source of random strings."""

    at: datetime
    random_string: Callable[[], str]


Piece = Callable[[Moment], str]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix whose expressions were understood."""

    pieces: tuple[Piece, ...]

    def evaluated(self, moment: Moment) -> str:
        """Return the text of this prefix at *moment*."""
        return "".join(piece(moment) for piece in self.pieces)


def data_prefix(text: str) -> Prefix:
    """
    Return the prefix of delivered objects; without a timestamp of its own it gets year, month, day and hour.

    Raises:
        InvalidArgumentError: An expression is not allowed here, not known, or evaluates to too long a text.
    """
    # AWS: a Prefix without any timestamp expression gets !{timestamp:yyyy/MM/dd/HH/} appended.
    return _parsed(text if "!{timestamp:" in text else text + DEFAULT_TIMESTAMP, error=False)


def error_prefix(text: str, *, prefix: str) -> Prefix:
    """
    Return the prefix of error objects, of which *prefix* is the neighbour that delivered objects have.

    A text without expressions is followed by the error type and the time, as the default is.

    Raises:
        InvalidArgumentError: An expression is not known, or Firehose's rules on the two prefixes are broken.
    """
    if not text and "!{" in prefix:
        raise InvalidArgumentError("ErrorOutputPrefix must be set when Prefix contains expressions")
    if "!{" not in text:
        return _parsed(f"{text or prefix}{PROCESSING_FAILED}/{DEFAULT_TIMESTAMP}", error=True)
    if "!{firehose:error-output-type}" not in text:
        raise InvalidArgumentError("an ErrorOutputPrefix with expressions must contain !{firehose:error-output-type}")
    return _parsed(text, error=True)


def object_name(stream: str, *, version: int, moment: Moment, unique: str, extension: str) -> str:
    """Return the part of an object's key that follows the prefix."""
    # AWS: <stream>-<configuration version>-YYYY-MM-dd-HH-mm-ss-<uuid><extension>, the time of the oldest record.
    return f"{stream}-{version}-{moment.at:%Y-%m-%d-%H-%M-%S}-{unique}{extension}"


def _parsed(text: str, *, error: bool) -> Prefix:
    pieces: list[Piece] = []
    rest = text
    while "!{" in rest:
        literal, _, rest = rest.partition("!{")
        expression, closed, rest = rest.partition("}")
        if not closed:
            raise InvalidArgumentError(f"an expression of the prefix {text!r} is not closed")
        pieces += [_literal(literal), _expression(expression, error=error)]
    pieces.append(_literal(rest))
    prefix = Prefix(tuple(pieces))
    longest = prefix.evaluated(Moment(datetime(2000, 12, 31, 23, 59, 59), lambda: "r" * 11))  # noqa: DTZ001 - a sample
    if len(longest) > MOST_EVALUATED_CHARACTERS:
        raise InvalidArgumentError(f"the prefix {text!r} evaluates to more than {MOST_EVALUATED_CHARACTERS} characters")
    return prefix


def _literal(text: str) -> Piece:
    return lambda _moment: text


def _expression(expression: str, *, error: bool) -> Piece:
    namespace, _, value = expression.partition(":")
    if namespace == "timestamp":
        return timestamp(value)
    if expression == "firehose:random-string":
        return lambda moment: moment.random_string()
    if expression == "firehose:error-output-type" and error:
        return _literal(PROCESSING_FAILED)
    if namespace in ("partitionKeyFromLambda", "partitionKeyFromQuery"):
        raise InvalidArgumentError(f"!{{{expression}}} needs dynamic partitioning, which this stand-in does not do")
    raise InvalidArgumentError(f"!{{{expression}}} is not an expression that Firehose takes here")


_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z'\[\]{}#]")
_FIELDS = {"y": "year", "M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second"}


def timestamp(pattern: str) -> Piece:
    """
    Return what writes a time in Java's *pattern*.

    Raises:
        InvalidArgumentError: The pattern is empty, malformed, or uses a letter that is not known here.
    """
    pieces: list[Piece] = []
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise InvalidArgumentError(f"the timestamp pattern {pattern!r} is malformed at position {position}")
        position = token.end()
        if token[1] is not None:
            # Java: two quotes are one quote, inside a quoted literal and outside.
            pieces.append(_literal(token[1].replace("''", "'") or "'"))
        elif token[2] is not None:
            pieces.append(_field(token[2], len(token[0]), pattern))
        else:
            pieces.append(_literal(token[0]))
    if not pieces:
        raise InvalidArgumentError("a timestamp expression needs a pattern")
    return lambda moment: "".join(piece(moment) for piece in pieces)


def _field(letter: str, width: int, pattern: str) -> Piece:
    # Java takes one or two letters for a number of two digits; three or more months are a name.
    if letter not in _FIELDS or (letter != "y" and width > 2):  # noqa: PLR2004 - explained above
        raise InvalidArgumentError(f"{letter * width!r} in the timestamp pattern {pattern!r} is not supported here")
    name = _FIELDS[letter]
    if letter == "y" and width == 2:  # noqa: PLR2004 - Java writes the last two digits of the year for yy
        return lambda moment: f"{moment.at.year % 100:02d}"
    return lambda moment: f"{getattr(moment.at, name):0{width}d}"
