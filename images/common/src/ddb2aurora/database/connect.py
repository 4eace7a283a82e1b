"""
Open a connection whose session this code sets, not the server's parameters: strict, in UTC, without gap locks.

Autocommit is on and every transaction is begun in words: with GTID consistency a server may refuse
CREATE TEMPORARY TABLE inside a transaction, and one that is opened by autocommit=0 counts.
"""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

import pymysql

from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.credentials import Credentials, CredentialSource, credential_source
from ddb2aurora.database.errors import Verdict, as_our_error, verdict_on
from ddb2aurora.database.server import Server, detect_server
from ddb2aurora.database.settings import DatabaseSettings

# An Aurora cluster that was paused takes about 15 s to answer, and 30 s after a long pause.
_CONNECT_TIMEOUT_SECONDS: Final = 30

# Strict, whatever the parameter group says; NO_BACKSLASH_ESCAPES and ANSI_QUOTES would change what our text means.
_SQL_MODE: Final = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,"
    "ONLY_FULL_GROUP_BY"
)
# Not max_error_count: MySQL lets only an administrator set it, and warnings are counted whatever it is.
_SESSION: Final = (
    f"SET SESSION sql_mode = '{_SQL_MODE}', time_zone = '+00:00', sql_notes = 1",
    "SET SESSION innodb_lock_wait_timeout = 10, sql_safe_updates = 0",
    # See ddb2aurora.database.applying.guarded for why this level and no higher one.
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
)


def connect(
    settings: DatabaseSettings, *, credentials: CredentialSource | None = None
) -> tuple[DatabaseConnection, Server]:
    """
    Return a new connection and what kind of server it leads to; no database is selected.

    Raises:
        DatabaseRetryError: The server cannot be reached now.
        DatabaseHaltError: The server refuses the connection.
        OldServerError: The server is too old.
        SecretError: The secret does not hold credentials.
        SecretUnavailableError: The secret cannot be read.
    """
    source = credentials or credential_source(settings)
    try:
        connection = _open(settings, source)
    except pymysql.err.Error as error:
        raise as_our_error(error, operation="connecting", where=settings.address) from error
    try:
        for statement in _SESSION:
            connection.run(statement)
        server = detect_server(connection)
    except BaseException as error:
        close_quietly(connection)
        if isinstance(error, pymysql.err.Error):
            raise as_our_error(error, operation="setting up the session", where=settings.address) from error
        raise
    return connection, server


def close_quietly(connection: DatabaseConnection) -> None:
    """Close *connection*, whatever state it is in."""
    with contextlib.suppress(pymysql.err.Error, OSError):
        connection.close()


def _open(settings: DatabaseSettings, source: CredentialSource) -> DatabaseConnection:
    try:
        return _connection(settings, source())
    except pymysql.err.Error as error:
        if verdict_on(error) is not Verdict.CREDENTIALS:
            raise
    # The secret may have been rotated since it was read.
    return _connection(settings, source())


def _connection(settings: DatabaseSettings, credentials: Credentials) -> DatabaseConnection:
    return DatabaseConnection(
        host=settings.host,
        port=settings.port,
        user=credentials.user,
        # As bytes: the driver would encode a str as latin-1.
        password=credentials.password.reveal().encode(),
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        # The server has to know that this client can send a file; see DatabaseConnection for which.
        local_infile=True,
        **_tls(settings),
    )


def _tls(settings: DatabaseSettings) -> Mapping[str, Any]:
    if settings.ca_file is None:
        return {"ssl_disabled": True}
    return {"ssl_ca": str(settings.ca_file), "ssl_verify_cert": True, "ssl_verify_identity": True}
