"""
The statements that Aurora MySQL understands and an ordinary server does not.

Everything else is recognised as "none of ours" and left to the server.
"""

from dataclasses import dataclass
from enum import Enum
from itertools import islice

from local_aws.aurora.tokens import Kind, StatementSyntaxError, Token, bytes_value, name_value, string_value, tokens

ROLE = "AWS_LOAD_S3_ACCESS"


class Selector(Enum):
    """What the address of a load names."""

    FILE = "FILE"
    PREFIX = "PREFIX"
    MANIFEST = "MANIFEST"


@dataclass(frozen=True, slots=True)
class Load:
    """
    A `LOAD DATA FROM S3` statement.

    *tail* is its text after the address, unchanged. *line_end* is what its LINES clause says a line ends with. *valid*
    is false when the tail breaks the grammar; then the server is to say where.
    """

    selector: Selector
    uri: str
    tail: str
    line_end: bytes
    valid: bool = True


class RoleChange(Enum):
    """What a SET ROLE statement does to the role that loading from S3 needs."""

    ACTIVATES = "the role is active from now on"
    RESTORES = "the role is what it was at login"
    DEACTIVATES = "the role is no longer active; other roles may be, so the server has to see the statement"


def parse_load(sql: str) -> Load | None:
    """
    Return the load that *sql* asks for, or None when it is another statement.

    `LOAD DATA [FROM] S3` has no LOCAL, LOW_PRIORITY or CONCURRENT form.
    """
    if not _begins_with(sql, "LOAD"):
        return None
    try:
        cursor = _Cursor(list(tokens(sql)))
        cursor.expect("LOAD", "DATA")
        cursor.accept("FROM")
        cursor.expect("S3")
        selector = next((one for one in Selector if cursor.accept(one.value)), Selector.FILE)
        address = cursor.take()
        uri = string_value(address)
    except StatementSyntaxError:
        return None
    tail = sql[address.end :]
    try:
        return Load(selector, uri, tail, _line_end(cursor))
    except StatementSyntaxError:
        return Load(selector, uri, tail, b"", valid=False)


def parse_set_role(sql: str) -> RoleChange | None:
    """Return what *sql* does to the role `AWS_LOAD_S3_ACCESS`, or None when it sets no role."""
    if not _begins_with(sql, "SET"):
        return None
    try:
        cursor = _Cursor(list(tokens(sql)))
        cursor.expect("SET", "ROLE")
        if cursor.accept("ALL"):
            excepted = _roles(cursor) if cursor.accept("EXCEPT") else []
            change = RoleChange.DEACTIVATES if ROLE in excepted else RoleChange.ACTIVATES
        elif cursor.accept("DEFAULT"):
            change = RoleChange.RESTORES
        else:
            change = RoleChange.ACTIVATES if ROLE in _roles(cursor) else RoleChange.DEACTIVATES
        cursor.end()
    except StatementSyntaxError:
        return None
    return change


class _Cursor:
    """A place in a list of tokens."""

    def __init__(self, all_tokens: list[Token]) -> None:
        self._tokens = all_tokens
        self._place = 0

    def peek(self) -> Token | None:
        """Return the token at this place, or None at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def take(self) -> Token:
        """
        Return the token at this place and go on to the next.

        Raises:
            StatementSyntaxError: The statement has ended.
        """
        token = self.peek()
        if token is None:
            raise StatementSyntaxError("the statement ends too early")
        self._place += 1
        return token

    def accept(self, *words: str) -> bool:
        """Go past *words* when all of them stand here, else stay."""
        ahead = self._tokens[self._place : self._place + len(words)]
        if len(ahead) < len(words) or any(token.word != word for token, word in zip(ahead, words, strict=True)):
            return False
        self._place += len(words)
        return True

    def expect(self, *words: str) -> None:
        """
        Go past *words*.

        Raises:
            StatementSyntaxError: Something else stands here.
        """
        if not self.accept(*words):
            raise StatementSyntaxError(f"{' '.join(words)} was expected")

    def symbol(self, character: str) -> bool:
        """Go past *character* when it stands here."""
        token = self.peek()
        if token is None or token.kind is not Kind.SYMBOL or token.text != character:
            return False
        self._place += 1
        return True

    def end(self) -> None:
        """
        Check that the statement ends here; another one may follow a semicolon.

        Raises:
            StatementSyntaxError: Something else stands here.
        """
        if self.peek() is not None and not self.symbol(";"):
            raise StatementSyntaxError("the statement goes on where it should end")


def _begins_with(sql: str, word: str) -> bool:
    """Say whether the first token is the keyword *word*, without looking at the rest of a long statement."""
    try:
        return [token.word for token in islice(tokens(sql), 1)] == [word]
    except StatementSyntaxError:
        return False


def _roles(cursor: _Cursor) -> list[str]:
    """Read role names, each perhaps with a host behind it, with commas between."""
    roles = []
    while True:
        roles.append(name_value(cursor.take()))
        token = cursor.peek()
        if token is not None and token.kind is Kind.VARIABLE:  # 'role'@'%'
            cursor.take()
        if not cursor.symbol(","):
            return roles


def _line_end(cursor: _Cursor) -> bytes:
    """
    Read what follows the address in the order of the grammar, and return what a line ends with.

    Raises:
        StatementSyntaxError: It breaks the grammar.
    """
    _target(cursor)
    if cursor.accept("FIELDS") or cursor.accept("COLUMNS"):
        _clauses(cursor, ("TERMINATED", "BY"), ("OPTIONALLY", "ENCLOSED", "BY"), ("ENCLOSED", "BY"), ("ESCAPED", "BY"))
    line_end = b"\n"
    if cursor.accept("LINES"):
        line_end = _clauses(cursor, ("STARTING", "BY"), ("TERMINATED", "BY")).get(("TERMINATED", "BY"), line_end)
    if cursor.accept("IGNORE"):
        if not cursor.take().text.isdecimal():
            raise StatementSyntaxError("IGNORE needs a number of lines")
        if not cursor.accept("LINES"):
            cursor.expect("ROWS")
    token = cursor.peek()
    if token is not None and token.text == "(":
        _parenthesised(cursor)
    if not cursor.accept("SET"):  # the assignments are expressions, which the server reads
        cursor.end()
    return line_end


def _target(cursor: _Cursor) -> None:
    """
    Read what to do with duplicates, the table, its partitions and the character set.

    Raises:
        StatementSyntaxError: Something else stands here.
    """
    if not cursor.accept("REPLACE"):
        cursor.accept("IGNORE")
    cursor.expect("INTO", "TABLE")
    name_value(cursor.take())
    if cursor.symbol("."):
        name_value(cursor.take())
    if cursor.accept("PARTITION"):
        _parenthesised(cursor)
    if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET"):
        name_value(cursor.take())


def _clauses(cursor: _Cursor, *forms: tuple[str, ...]) -> dict[tuple[str, ...], bytes]:
    """
    Read one or more clauses of *forms*, each with a literal, and return the literals.

    Raises:
        StatementSyntaxError: There is none, or a literal is missing.
    """
    found: dict[tuple[str, ...], bytes] = {}
    while form := next((one for one in forms if cursor.accept(*one)), None):
        found[form] = bytes_value(cursor.take())
    if not found:
        raise StatementSyntaxError(f"one of {forms} was expected")
    return found


def _parenthesised(cursor: _Cursor) -> None:
    """
    Read names and variables in parentheses.

    Raises:
        StatementSyntaxError: Something else stands here.
    """
    if not cursor.symbol("("):
        raise StatementSyntaxError("( was expected")
    if cursor.symbol(")"):
        return
    while True:
        token = cursor.take()
        if token.kind is not Kind.VARIABLE:
            name_value(token)
        if not cursor.symbol(","):
            break
    if not cursor.symbol(")"):
        raise StatementSyntaxError(") was expected")
