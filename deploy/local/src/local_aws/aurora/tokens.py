"""The words of a MySQL statement, with their places in its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class StatementSyntaxError(Exception):
    """A statement, or the part of one that was looked at, follows no rule of the grammar."""


class Kind(Enum):
    """What a token is."""

    STRING = "string"
    BINARY = "binary"
    VARIABLE = "variable"
    QUOTED = "quoted"
    WORD = "word"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement, and where it *start*s and *end*s there."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The keyword that an unquoted word may be, in capitals; empty for everything else."""
        return self.text.upper() if self.kind is Kind.WORD else ""


_SINGLE = r"'(?:[^'\\]|\\[\s\S]|'')*'"
_DOUBLE = r'"(?:[^"\\]|\\[\s\S]|"")*"'
_BACKTICKED = r"`(?:[^`]|``)+`"
# A comment that begins with /*! or /*M! is not skipped: a server runs what it holds.
_SKIPPED = re.compile(r"(?:[ \t\n\r\f\v]+|/\*(?!M?!)[\s\S]*?\*/|#[^\n]*|--(?=[\x00-\x20]|\Z)[^\n]*)*")
_TOKEN = re.compile(
    rf"""(?P<BINARY>[xX]'[0-9a-fA-F]*'|[bB]'[01]*'|0x[0-9a-fA-F]+(?![\w$])|0b[01]+(?![\w$]))
    |(?P<STRING>{_SINGLE}|{_DOUBLE})
    |(?P<VARIABLE>@@?(?:[\w.$]+|{_BACKTICKED}|{_SINGLE}|{_DOUBLE}))
    |(?P<QUOTED>{_BACKTICKED})
    |(?P<WORD>[\w$]+)
    |(?P<SYMBOL>[^'"`])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\([\s\S])|''|\"\"")
# What MySQL makes of a letter behind a backslash. Any other character stands for itself.
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}


def tokens(sql: str) -> Iterator[Token]:
    """
    Yield the tokens of *sql*, without white space and comments.

    Raises:
        StatementSyntaxError: A quote is opened and never closed.
    """
    place = 0
    while True:
        skipped = _SKIPPED.match(sql, place)
        place = skipped.end() if skipped else place
        if place == len(sql):
            return
        match = _TOKEN.match(sql, place)
        if match is None or match.lastgroup is None:
            raise StatementSyntaxError(f"a quote is not closed: {sql[place : place + 20]!r}")
        yield Token(Kind[match.lastgroup], match[0], match.start(), match.end())
        place = match.end()


def string_value(token: Token) -> str:
    """
    Return the text that a string literal stands for.

    Raises:
        StatementSyntaxError: The token is no string literal.
    """
    if token.kind is not Kind.STRING:
        raise StatementSyntaxError(f"a string literal was expected, not {token.text!r}")
    quote = token.text[0]

    def decoded(match: re.Match[str]) -> str:
        if match[1] is not None:
            return _ESCAPED.get(match[1], match[1])
        # Only the quote that encloses the literal is doubled; two of the other kind are two characters.
        return quote if match[0][0] == quote else match[0]

    return _ESCAPE.sub(decoded, token.text[1:-1])


def bytes_value(token: Token) -> bytes:
    """
    Return the bytes that a string, hexadecimal or bit literal stands for.

    Raises:
        StatementSyntaxError: The token is none of these.
    """
    if token.kind is not Kind.BINARY:
        return string_value(token).encode("utf-8", "surrogateescape")
    digits = token.text[2:].rstrip("'")
    if token.text[0] in "bB" or token.text[:2] == "0b":
        return int(digits or "0", 2).to_bytes((len(digits) + 7) // 8, "big")
    return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))


def name_value(token: Token) -> str:
    """
    Return the name that a word, a quoted identifier or a string literal stands for.

    Raises:
        StatementSyntaxError: The token is none of these.
    """
    if token.kind is Kind.WORD:
        return token.text
    if token.kind is Kind.QUOTED:
        return token.text[1:-1].replace("``", "`")
    return string_value(token)
