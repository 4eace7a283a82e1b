"""
What an error of the database means: one table by error number, one function that reads it.

Numbers are the same on MySQL, Aurora and MariaDB unless a comment says otherwise.
"""

import ssl
from enum import Enum
from typing import Final

import pymysql

from ddb2aurora.errors import Ddb2AuroraError, HaltError, RetryError


class Verdict(Enum):
    """What to do about an error of the database."""

    RETRY = "roll back and try the transaction again"
    MISSING = "as RETRY, but the object is not there and will hardly come"
    RECONNECT = "try the transaction again on a new connection"
    ROW = "a row can never load; the others can"
    CREDENTIALS = "read the credentials again, once"
    HALT = "someone has to act"


class DatabaseHaltError(HaltError):
    """The database refuses the work itself; repeating it changes nothing."""


class DatabaseRetryError(RetryError):
    """The database cannot do the work now."""


class ObjectMissingError(DatabaseRetryError):
    """The database cannot find an object. S3 shows what was written at once, so it is hardly worth waiting for it."""


_VERDICTS: Final[dict[int, Verdict]] = {
    **dict.fromkeys(
        (
            1020,  # MariaDB: the row changed since the snapshot
            1205,  # lock wait timeout
            1213,  # deadlock
            3024,  # MySQL: maximum execution time
            1969,  # MariaDB: max_statement_time
            3572,  # NOWAIT
        ),
        Verdict.RETRY,
    ),
    **dict.fromkeys(
        (
            0,  # PyMySQL: InterfaceError(0, '') on a connection that is closed
            1040,  # too many connections
            1203,  # too many connections of this user
            1053,  # server shutdown
            1077,  # server shutdown, in the answer to a statement
            1079,  # as 1077
            1152,  # connection aborted
            1158,  # errors of the network on the server's side, to 1161
            1159,
            1160,
            1161,
            1792,  # read-only transaction: the writer of before a failover
            1836,  # read-only mode: the same
            1927,  # MariaDB: connection was killed
            1317,  # query was interrupted
            2002,  # cannot connect
            2003,  # cannot connect
            2006,  # gone away
            2013,  # lost during a query; the outcome of a COMMIT is unknown, and the ledger knows it
            2055,  # lost
            4031,  # MySQL: disconnected by the server because of inactivity
        ),
        Verdict.RECONNECT,
    ),
    **dict.fromkeys(
        (
            1048,  # NULL in a column that forbids it
            1062,  # a unique index of the user's
            1216,  # a foreign key, also 1217, 1451, 1452
            1217,
            1261,  # too few fields
            1262,  # too many fields
            1263,  # NULL in a column that forbids it, in LOAD DATA
            1264,  # out of range
            1265,  # data truncated
            1292,  # incorrect value of a time or number
            1300,  # not valid in the character set
            1364,  # no default
            1366,  # incorrect value for the column's type
            1367,  # illegal value
            1406,  # too long
            1411,  # incorrect value for a function, such as UNHEX
            1451,
            1452,
            1644,  # SIGNAL in a trigger of the user's
            1690,  # out of range in an expression
            1977,  # MariaDB: a value does not fit its column
            3140,  # MySQL: not JSON, to 3144
            3141,
            3143,
            3144,
            3157,  # MySQL: JSON nested too deeply
            3819,  # MySQL: CHECK constraint
            4025,  # MariaDB: CHECK constraint, such as that a json column holds JSON
        ),
        Verdict.ROW,
    ),
    1815: Verdict.MISSING,  # Aurora: "Unable to initialize S3Stream", such as for an object that is not there
    1045: Verdict.CREDENTIALS,
}

_S3_ERRORS: Final = (1871, 63985)  # Aurora: "S3 API returned error: ..."
_PASSING_S3_ERRORS: Final = ("network", "slow", "throttl", "timeout", "timed out", "internal error", "unavailable")
_READ_ONLY_OPTION: Final = 1290
_TLS_ERROR: Final = 2026

_UNREACHABLE: Final = (
    "nobody answers there; check DB_HOST and DB_PORT, that the server runs and that the network lets us in"
)
_HINTS: Final[dict[int, str]] = {
    1044: "grant the user of the loader access to the database",
    1045: "check DB_USER and the password, the secret or the IAM permission rds-db:connect",
    1049: "the database does not exist; run ddb2aurora migrate",
    1054: "a column is missing; run ddb2aurora migrate",
    1064: "LOAD_MODE=s3 needs Aurora MySQL; set LOAD_MODE=local for any other server",
    1142: "grant the user SELECT, INSERT, UPDATE and DELETE on the tables",
    1146: "a table is missing; run ddb2aurora migrate",
    1227: "grant AWS_LOAD_S3_ACCESS to the user, for LOAD_MODE=s3",
    1871: "check the cluster's role for S3 and its parameter aws_default_s3_role",
    63985: "check the cluster's role for S3 and its parameter aws_default_s3_role",
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    _TLS_ERROR: "the server's certificate could not be verified, or it offers no TLS; check DB_HOST and DB_CA_FILE",
    3159: "the server asks for TLS; set DB_TLS=verify",
    3948: "set local_infile on the server, or use LOAD_MODE=s3",
}


def error_number(error: pymysql.err.Error) -> int:
    """Return the number of *error*; 0 when it has none. A certificate that is not trusted has that of TLS errors."""
    # PyMySQL gives it 2003, "cannot connect", and keeps the cause beside it.
    if isinstance(getattr(error, "original_exception", None), ssl.SSLCertVerificationError):
        return _TLS_ERROR
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def verdict_on(error: pymysql.err.Error) -> Verdict:
    """Return what *error* means for the work that it ended."""
    number = error_number(error)
    text = str(error.args[1]).lower() if len(error.args) > 1 else ""
    if number in _S3_ERRORS or text.startswith("s3 api returned error"):
        return Verdict.RETRY if any(word in text for word in _PASSING_S3_ERRORS) else Verdict.HALT
    if number == _READ_ONLY_OPTION:
        # 1290 names whichever server option forbids the statement; only read-only is a failover.
        return Verdict.RECONNECT if "read-only" in text or "read_only" in text else Verdict.HALT
    if isinstance(error, pymysql.err.InterfaceError):
        return Verdict.RECONNECT
    return _VERDICTS.get(number, Verdict.HALT)


def as_our_error(error: pymysql.err.Error, *, operation: str, where: str) -> Ddb2AuroraError:
    """
    Return the error of ours that says the same as *error*, without the server's text, which may quote values.

    *operation* is what was tried, *where* on which table or object.
    """
    number = error_number(error)
    verdict = verdict_on(error)
    if verdict is Verdict.MISSING:
        return ObjectMissingError(
            f"{operation} failed on {where}: error {number} of the database; the object is gone, lies in another "
            "region, or the cluster's role may not read it"
        )
    if verdict in (Verdict.RETRY, Verdict.RECONNECT):
        hint = _HINTS.get(number, "it may pass")
        return DatabaseRetryError(f"{operation} failed on {where}: error {number} of the database; {hint}")
    hint = _HINTS.get(number, "look the number up in the server's manual")
    return DatabaseHaltError(f"{operation} failed on {where}: error {number} of the database; {hint}")
